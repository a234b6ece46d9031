"""TIFF files: which of their pages is the picture, and what its values mean."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bilderatlas.errors import ImageProblem
from bilderatlas.indexing import images
from bilderatlas.indexing.images.colours import Scale, to_rgb
from tests.indexing.images.tiffs import page, tiff
from tests.pictures import saved

RAMP = np.linspace(0, 1, 32)
GREY = np.round(255 * RAMP)
ORDERS = pytest.mark.parametrize("order", ["<", ">"])
DEFLATED = pytest.mark.parametrize("deflated", [False, True])
REDUCED = {"t254": 1}
MOSAIC = 32803


def ramp(low: float, high: float, kind: str) -> NDArray:
    """(32, 32) from low on the left to high on the right."""
    return np.tile(np.round(low + (high - low) * RAMP).astype(kind), (32, 1))


def shown(content: bytes) -> NDArray:
    """(32,) the grey of a row."""
    pixels = np.asarray(images.decode(content).image).astype(int)
    assert (pixels == pixels[:1, :, :1]).all()
    return pixels[0, :, 0]


def flat(side: int, grey: int = 200) -> NDArray:
    return np.full((side, side), grey, np.uint8)


def problem(content: bytes) -> str:
    with pytest.raises(ImageProblem) as refused:
        images.decode(content)
    return str(refused.value)


# -- what values mean


@pytest.mark.parametrize(
    ("low", "high", "kind", "tags"),
    [
        (0, 255, "u1", {}),
        (0, 65535, "u2", {}),
        (0, 4095, "u2", {}),  # 12 bits in 16
        (0, 4080, "u2", {"t281": 4080}),
        (0, 9000, "u2", {"t281": 9000}),
        (0, 1023, "u2", {}),
        (-32768, 32767, "i2", {}),
        (0, 32767, "i2", {}),
        (-1000, 3000, "i2", {}),
        (0, 4095, "i2", {}),
        (-(2**31), 2**31 - 1, "i4", {}),
        (-1000, 70_000, "f4", {}),
    ],
)
@pytest.mark.parametrize("photometric", [0, 1])
@DEFLATED
@ORDERS
def test_grey_goes_from_black_to_white(
    low: float, high: float, kind: str, tags: dict, photometric: int, deflated: bool, order: str
) -> None:
    given = page(ramp(low, high, kind), photometric=photometric, deflated=deflated, **tags)
    expected = GREY if photometric else 255 - GREY
    assert np.abs(shown(tiff(given, order=order)) - expected).max() <= 1


@pytest.mark.parametrize("photometric", [0, 1])
def test_bigtiff_is_read_as_well(photometric: int) -> None:
    content = tiff(page(ramp(0, 65535, "u2"), photometric=photometric), big=True)
    assert images.looks_like_picture(content[:32])
    assert np.abs(shown(content) - (GREY if photometric else 255 - GREY)).max() <= 1


def test_unsigned_32_bits_do_not_wrap() -> None:
    assert np.abs(shown(tiff(page(ramp(0, 2**32 - 1, "u4")))) - GREY).max() <= 1


def test_a_highest_value_that_is_exceeded_is_not_believed() -> None:
    assert np.abs(shown(tiff(page(ramp(0, 65535, "u2"), t281=255))) - GREY).max() <= 1


def test_a_dark_picture_of_16_bits_stays_dark() -> None:
    assert shown(tiff(page(ramp(0, 8192, "u2")))).max() == 32


@pytest.mark.parametrize("tags", [{}, {"t281": [4095] * 3}])
@ORDERS
def test_colours_of_12_bits_in_16_reach_white(tags: dict, order: str) -> None:
    colours = np.dstack([ramp(0, 4095, "u2")] * 3)
    row = shown(tiff(page(colours, photometric=2, **tags), order=order))
    assert np.abs(row - GREY).max() <= 8  # Pillow keeps 16 levels of them
    assert row[[0, -1]].tolist() == [0, 255]


@ORDERS
def test_colours_of_16_bits_keep_their_range(order: str) -> None:
    colours = np.dstack([ramp(0, 32767, "u2")] * 3)
    row = shown(tiff(page(colours, photometric=2), order=order))
    assert np.abs(row - 127 * RAMP).max() <= 1


def test_what_pillow_cannot_read_is_called_by_its_kind() -> None:
    reason = problem(tiff(page(ramp(0, 1000, "f8"))))
    assert "TIFF pictures of this sort are not read (1 samples of 64 bits, format 3" in reason
    reason = problem(tiff(page(flat(8)), order=">", big=True))
    assert reason == "big-endian BigTIFF files are not read; convert them to PNG"


@pytest.mark.parametrize("white", [float("nan"), float("inf"), -1.0, 0.0])
def test_a_highest_value_that_is_none_is_not_believed_either(white: float) -> None:
    assert to_rgb(Image.fromarray(ramp(0, 65535, "u2")), Scale(16, white=white)).getextrema() == (
        ((0, 255),) * 3
    )


# -- which page


@pytest.mark.parametrize(
    ("order", "big"),
    [("<", False), (">", False), ("<", True)],  # Pillow reads no big-endian BigTIFF
)
@pytest.mark.parametrize(
    "before",
    [
        [],
        [page(flat(8), **REDUCED)],
        [page(flat(8), t255=2)],  # as older files say it
        [page(flat(8), t254=4)],  # a mask
        [page(flat(8), **REDUCED), page(flat(16), **REDUCED)],
    ],
)
@pytest.mark.parametrize(
    ("after", "told"),
    [
        ([], None),
        ([page(flat(24))], "1 further page of"),
        ([page(flat(24)), page(flat(8), **REDUCED), page(flat(24))], "2 further pages of"),
    ],
)
def test_the_first_page_that_is_no_thumbnail_is_read(
    before: list, after: list, told: str | None, big: bool, order: str
) -> None:
    picture = images.decode(tiff(*before, page(flat(32)), *after, order=order, big=big))
    assert (picture.width, picture.height) == (32, 32)
    assert picture.left_out is None if told is None else picture.left_out.startswith(told)


def test_a_picture_below_its_thumbnail_is_read() -> None:
    below = page(flat(32), t254=0)
    picture = images.decode(tiff(page(flat(8), t330=[page(flat(16), **REDUCED), below], **REDUCED)))
    assert (picture.width, picture.left_out) == (32, None)


def test_of_thumbnails_alone_the_largest_is_read() -> None:
    sides = (8, 24, 16)
    assert images.decode(tiff(*(page(flat(side), **REDUCED) for side in sides))).width == 24


@ORDERS
@pytest.mark.parametrize("photometric", [MOSAIC, 34892])
def test_a_raw_file_is_no_picture_wherever_its_mosaic_lies(photometric: int, order: str) -> None:
    mosaic = page(flat(32), photometric=photometric)
    preview = page(np.dstack([flat(8)] * 3), photometric=2, t330=[mosaic], **REDUCED)
    for content in (
        tiff(preview, order=order),
        tiff(mosaic, order=order),
        tiff(page(flat(8)), mosaic, order=order),
    ):
        assert "raw files are not read" in problem(content)


def test_a_chain_of_pages_that_bites_its_tail_ends() -> None:
    content = bytearray(tiff(page(flat(32)), page(flat(24))))
    first = struct.unpack_from("<I", content, 4)[0]
    second_link = len(content) - 4
    struct.pack_into("<I", content, second_link, first)
    assert images.decode(bytes(content)).left_out.startswith("1 further page of")


def test_pages_beyond_the_end_of_the_file_are_none() -> None:
    content = bytearray(tiff(page(flat(32))))
    struct.pack_into("<I", content, len(content) - 4, 1 << 30)
    assert images.decode(bytes(content)).width == 32


# -- libtiff


def faulty_fax() -> bytes:
    """A page in Group 4 of which some code words are none."""
    page = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))
    content = bytearray(saved(page.convert("1"), "TIFF", compression="group4"))
    content[20:24] = bytes(4)
    return bytes(content)


def test_what_libtiff_says_goes_with_the_picture(capfd: pytest.CaptureFixture[str]) -> None:
    left_out = images.decode(faulty_fax()).left_out
    assert left_out.startswith("damaged in places: Fax4Decode: ")
    assert capfd.readouterr().err == ""


def test_what_libtiff_says_of_a_picture_that_cannot_be_read_is_the_reason(
    capfd: pytest.CaptureFixture[str],
) -> None:
    content = bytearray(saved(Image.new("RGB", (64, 64)), "TIFF", compression="tiff_adobe_deflate"))
    content[12:40] = bytes(28)
    assert "ZIPDecode" in problem(bytes(content))
    assert capfd.readouterr().err == ""


def test_others_in_the_process_hear_libtiff_as_before(tmp_path: Path) -> None:
    (tmp_path / "fax.tif").write_bytes(faulty_fax())
    code = (
        "import sys; from PIL import Image\n"
        "from bilderatlas.indexing import images\n"
        "images.decode(open(sys.argv[1], 'rb').read())\n"
        "print('ours', file=sys.stderr, flush=True); Image.open(sys.argv[1]).load()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "fax.tif")],
        capture_output=True,
        text=True,
        check=True,
    )
    ours, theirs = done.stderr.split("ours\n")
    assert ours == ""
    assert "Fax4Decode" in theirs
