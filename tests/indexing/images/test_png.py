"""PNG files: gamma, transparent values of every depth, and texts larger than the picture."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import ImageCms

from bilderatlas.errors import ImageProblem
from bilderatlas.indexing import images
from tests.indexing.images.pngs import GREY, GREY_ALPHA, PALETTE, RGB, RGBA, chunk, png
from tests.pictures import WHITE, quarters, saved

LINEAR = chunk(b"gAMA", struct.pack(">I", 100_000))
LARGE = 17 << 20  # bytes, more than is read
PIXEL = np.full((8, 8), 64)
OPAQUE = np.full((8, 8), 255)


def shown(content: bytes, *, min_side: int | None = None) -> list[tuple[int, int, int]]:
    """The colours on the left and on the right."""
    image = images.decode(content, min_side=min_side).image
    return [image.getpixel((0, 0)), image.getpixel((image.width - 1, 0))]


def halves(left: int | tuple, right: int | tuple) -> np.ndarray:
    return np.array([[left] * 4 + [right] * 4] * 8)


# -- gamma


@pytest.mark.parametrize(
    ("values", "colour", "depth", "grey"),
    [
        (PIXEL, GREY, 8, 137),
        (PIXEL * 257, GREY, 16, 137),
        (np.full((8, 8), 4), GREY, 4, 141),  # 68 of 255
        (np.full((8, 8), 1), GREY, 2, 156),  # 85 of 255
        (np.full((8, 8), 1), GREY, 1, 255),
        (np.dstack([PIXEL] * 3), RGB, 8, 137),
        (np.dstack([PIXEL] * 3) * 257, RGB, 16, 137),
        (np.dstack([PIXEL] * 3 + [OPAQUE]), RGBA, 8, 137),
        (np.dstack([PIXEL, OPAQUE]), GREY_ALPHA, 8, 137),
        (np.dstack([PIXEL, OPAQUE]) * 257, GREY_ALPHA, 16, 137),
    ],
)
@pytest.mark.parametrize("min_side", [None, 2])
def test_linear_values_are_brought_to_srgb(
    values: np.ndarray, colour: int, depth: int, grey: int, min_side: int | None
) -> None:
    content = png(values, colour, LINEAR, depth=depth)
    assert shown(content, min_side=min_side) == [(grey,) * 3] * 2


def test_a_palette_has_a_gamma_too() -> None:
    palette = chunk(b"PLTE", bytes([64] * 3))
    assert shown(png(np.zeros((8, 8), int), PALETTE, LINEAR, palette))[0] == (137,) * 3


@pytest.mark.parametrize(
    "chunks",
    [
        (chunk(b"gAMA", struct.pack(">I", 45_455)),),  # that of sRGB
        (chunk(b"gAMA", struct.pack(">I", 45_000)),),
        (chunk(b"gAMA", struct.pack(">I", 0)),),
        (LINEAR, chunk(b"sRGB", b"\0")),
        (LINEAR, chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()))),
    ],
)  # fmt: skip
def test_what_says_srgb_changes_no_pixel(chunks: tuple[bytes, ...]) -> None:
    assert shown(png(PIXEL, GREY, *chunks)) == [(64,) * 3] * 2


def test_a_gamma_above_that_of_srgb_darkens() -> None:
    """Exponent 1 / 0.3 and not 2.2: (64 / 255) ** 3.33 is .010 of the light, 25 in sRGB."""
    assert shown(png(PIXEL, GREY, chunk(b"gAMA", struct.pack(">I", 30_000))))[0] == (25,) * 3


# -- transparent values


@pytest.mark.parametrize(
    ("depth", "gone", "kept", "grey"),
    [(1, 1, 0, 0), (2, 1, 2, 170), (4, 5, 10, 170), (8, 85, 170, 170), (16, 255, 43690, 170)],
)
def test_a_transparent_grey_of_any_depth_lies_on_white(
    depth: int, gone: int, kept: int, grey: int
) -> None:
    transparent = chunk(b"tRNS", struct.pack(">H", gone))
    content = png(halves(gone, kept), GREY, transparent, depth=depth)
    assert shown(content) == [WHITE, (grey,) * 3]


@pytest.mark.parametrize("depth", [8, 16])
def test_a_transparent_colour_of_any_depth_lies_on_white(depth: int) -> None:
    gone, kept = (1, 2, 3), (40, 50, 60)
    if depth == 16:
        gone, kept = (0x0107, 0x0208, 0x0309), (0x2800, 0x3200, 0x3C00)
    content = png(halves(gone, kept), RGB, chunk(b"tRNS", struct.pack(">HHH", *gone)), depth=depth)
    assert shown(content) == [WHITE, (40, 50, 60)]


# -- large texts


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize(
    "large",
    [
        chunk(b"tEXt", b"Comment\0" + bytes(LARGE)),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(LARGE))),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(LARGE))),
        chunk(b"iTXt", b"Comment\0\0\0\0\0" + bytes(LARGE)),
        chunk(b"iCCP", b"ICC\0\0" + zlib.compress(bytes(LARGE))),
        chunk(b"tEXt", b"Comment\0" + b"a" * (1 << 20)) * 80,
    ],
    ids=["tEXt", "zTXt", "packed iTXt", "iTXt", "iCCP", "many"],
)
def test_large_texts_cost_no_picture(large: bytes, where: str) -> None:
    values = np.asarray(quarters()).astype(int)
    content = png(values, RGB, large) if where == "before" else png(values, RGB, after=large)
    assert np.array_equal(np.asarray(images.decode(content).image), values)


def test_a_large_profile_that_is_one_still_counts() -> None:
    """Padded to 2 MiB, a profile of green for red and red for green."""
    from tests.indexing.images.test_images import wide_gamut

    profile = bytearray(wide_gamut().ljust(2 << 20, b"\0"))
    struct.pack_into(">I", profile, 0, len(profile))
    content = saved(quarters(), "PNG", icc_profile=bytes(profile))
    assert shown(content) == [(0, 255, 0), (255, 0, 0)]


def test_a_png_without_pixels_is_a_problem() -> None:
    content = png(PIXEL)
    start = content.index(b"IDAT") - 4
    for without in (content[:start] + content[-12:], content[:start]):
        with pytest.raises(ImageProblem):
            images.decode(without)


def test_texts_of_an_ordinary_picture_are_kept() -> None:
    exif = quarters().getexif()
    exif[0x0132] = "2020:05:06 07:08:09"
    large = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(LARGE)))
    content = saved(quarters(), "PNG", exif=exif)
    at = content.index(b"IDAT") - 4
    taken_at = images.decode(content[:at] + large + content[at:]).taken_at
    assert taken_at is not None
    assert taken_at.year == 2020
