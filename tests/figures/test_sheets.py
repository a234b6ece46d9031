from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bilderatlas import figures
from bilderatlas.figures import paper


def jpeg(colour: str = "red", size: tuple[int, int] = (320, 200), mode: str = "RGB") -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).convert(mode).save(out, "JPEG")
    return out.getvalue()


def test_every_picture_is_on_the_sheet() -> None:
    colours = ["red", "lime", "blue", "magenta", "cyan"]
    sheet = figures.contact_sheet([jpeg(colour) for colour in colours], colours, columns=3)
    reds, greens, blues = np.asarray(sheet).reshape(-1, 3).astype(int).T
    for r, g, b in [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255), (0, 255, 255)]:
        n_pixels = (abs(reds - r) + abs(greens - g) + abs(blues - b) < 20).sum()
        assert n_pixels == pytest.approx(220 * 137, rel=0.02)  # 320 x 200 fitted into 220 x 220


def test_columns_make_rows() -> None:
    pictures, captions = [jpeg()] * 6, [""] * 6
    wide = figures.contact_sheet(pictures, captions, columns=6)
    high = figures.contact_sheet(pictures, captions, columns=1)
    assert wide.width > 4 * wide.height
    assert high.height > 4 * high.width


def test_a_title_makes_room_for_itself() -> None:
    plain = figures.contact_sheet([jpeg()], ["a"])
    titled = figures.contact_sheet([jpeg()], ["a"], title="Cats")
    assert titled.height > plain.height
    assert titled.width == plain.width


def test_no_pictures_make_an_empty_sheet() -> None:
    assert figures.contact_sheet([], [], title="Nothing").width > 0


def test_grey_small_and_narrow_pictures_are_mounted() -> None:
    pictures = [jpeg(mode="L"), jpeg(size=(3, 3)), jpeg(size=(320, 1)), jpeg(mode="CMYK")]
    assert figures.contact_sheet(pictures, list("abcd")).mode == "RGB"


@pytest.mark.parametrize(
    "caption",
    ["", "名前の写真.jpg", "صورة.jpg", "🙂", "two\nlines", "not unicode \udcff.jpg", "x" * 255],
)
def test_any_file_name_can_be_a_caption(caption: str) -> None:
    alone = figures.contact_sheet([jpeg()], [""])
    assert figures.contact_sheet([jpeg()], [caption], title=caption).width == alone.width


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    font = paper.font("DejaVuSans.ttf", 14)
    short = paper.elide("DSC_holiday_in_the_mountains_2019_0042.jpg", font, 150)
    assert short.startswith("DSC_")
    assert short.endswith("42.jpg")
    assert font.getlength(short) <= 150


def test_png_of_a_sheet_opens_again() -> None:
    sheet = figures.contact_sheet([jpeg()], ["a"])
    png = Image.open(BytesIO(figures.to_png(sheet)))
    assert (png.format, png.size) == ("PNG", sheet.size)


def test_what_was_asked_for_has_a_frame_of_its_own() -> None:
    plain = np.asarray(figures.contact_sheet([jpeg(), jpeg()], ["a", "b"])).astype(int)
    marked = np.asarray(figures.contact_sheet([jpeg(), jpeg()], ["a", "b"], n_marked=1)).astype(int)
    changed = np.abs(plain - marked).sum(axis=2).any(axis=0)  # columns of pixels
    assert changed[: plain.shape[1] // 2].any()
    assert not changed[plain.shape[1] // 2 :].any()


def test_a_smaller_thumbnail_is_smaller() -> None:
    small = Image.open(BytesIO(figures.smaller(jpeg(size=(320, 200)), 80)))
    assert (small.size, small.format) == ((80, 50), "JPEG")
