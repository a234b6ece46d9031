import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from bilderatlas.errors import QueryError
from bilderatlas.output.static_map import sprites

WHOLE = (0.0, 0.0, 1.0, 1.0)


def grained(seed: int, size: tuple[int, int] = (320, 240)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG")
    return out.getvalue()


def flat(colour: str, size: tuple[int, int] = (320, 160)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


def test_pictures_stand_row_by_row_in_their_shape() -> None:
    jpegs = [flat(colour) for colour in ("red", "lime", "blue")]
    made = sprites.make(3, lambda some: [jpegs[i] for i in some], [WHOLE] * 3, max_bytes=10**6)
    assert (made.side, made.n_across, len(made.sheets)) == (224, 2, 1)
    assert made.sheets[0].sizes.tolist() == [[224, 112]] * 3
    sheet = np.asarray(Image.open(io.BytesIO(made.sheets[0].webp)).convert("RGB")).astype(int)
    for x, y, channel in ((112, 56, 0), (336, 56, 1), (112, 280, 2)):
        assert sheet[y, x].argmax() == channel


def test_a_region_is_cut_out_of_its_picture() -> None:
    half = Image.new("RGB", (320, 320), "red")
    half.paste("blue", (160, 0, 320, 320))
    out = io.BytesIO()
    half.save(out, "JPEG")
    made = sprites.make(1, lambda _: [out.getvalue()], [(0.5, 0.0, 1.0, 1.0)], max_bytes=10**6)
    sheet = np.asarray(Image.open(io.BytesIO(made.sheets[0].webp)).convert("RGB")).astype(int)
    assert sheet[100, 50].argmax() == 2


def test_less_room_makes_smaller_pictures_that_keep_to_it() -> None:
    jpegs = [grained(seed) for seed in range(20)]

    def some(numbers: Sequence[int]) -> list[bytes]:
        return [jpegs[i] for i in numbers]

    wide = sprites.make(20, some, [WHOLE] * 20, max_bytes=10**6)
    narrow = sprites.make(20, some, [WHOLE] * 20, max_bytes=50_000)
    assert narrow.side < wide.side
    assert narrow.n_bytes <= 50_000


def test_what_cannot_be_small_enough_is_refused() -> None:
    with pytest.raises(QueryError, match=r"10,000 pictures of 28 pixels take .*--max-mb"):
        sprites.make(
            10_000, lambda some: [grained(0)] * len(some), [WHOLE] * 10_000, max_bytes=20_000
        )


def test_many_pictures_fill_several_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sprites, "SHEET_SIDE", 448)  # two across, two down
    made = sprites.make(9, lambda some: [flat("red")] * len(some), [WHOLE] * 9, max_bytes=10**6)
    assert [len(sheet.sizes) for sheet in made.sheets] == [4, 4, 1]
