"""What is transparent lies on a ground on which the rest can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bilderatlas.indexing import images
from bilderatlas.models import encoders
from tests.indexing.images.pngs import GREY, chunk, png
from tests.pictures import saved

WHITE, GREY_GROUND = (255, 255, 255), (96, 96, 96)


def drawing(ink: tuple[int, ...], shape: str = "ellipse") -> Image.Image:
    """A shape on nothing."""
    image = Image.new("RGBA", (96, 96), (*ink[:3], 0))
    draw = ImageDraw.Draw(image)
    if shape == "letters":
        draw.text((10, 10), "ATLAS", fill=ink, font_size=28)
    elif shape == "star":
        draw.regular_polygon((48, 48, 40), 3, fill=ink)
    elif shape == "ring":
        draw.ellipse((10, 10, 86, 86), outline=ink, width=8)
    elif shape == "lines":
        for y in range(10, 90, 16):
            draw.rectangle((10, y, 86, y + 6), fill=ink)
    else:
        getattr(draw, shape)((16, 16, 80, 80), fill=ink)
    return image


def ground(content: bytes) -> tuple[int, int, int]:
    return images.decode(content).image.getpixel((0, 0))


@pytest.mark.parametrize(
    ("ink", "expected"),
    [
        ((255, 255, 255, 255), GREY_GROUND),
        ((250, 250, 240, 255), GREY_GROUND),
        ((255, 255, 255, 40), GREY_GROUND),  # a watermark
        ((0, 0, 0, 255), WHITE),
        ((128, 128, 128, 255), WHITE),
        ((255, 200, 0, 255), WHITE),
        ((255, 255, 255, 0), WHITE),  # nothing at all
    ],
)
@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("min_side", [None, 16])
def test_the_ground_is_white_unless_that_hides_it(
    ink: tuple[int, ...], expected: tuple, format: str, min_side: int | None
) -> None:
    how = {"lossless": True, "exact": True} if format == "WEBP" else {}
    content = saved(drawing(ink), format, **how)
    assert images.decode(content, min_side=min_side).image.getpixel((0, 0)) == expected


def test_white_with_a_dark_line_lies_on_white() -> None:
    image = drawing((255, 255, 255, 255))
    ImageDraw.Draw(image).line((20, 48, 76, 48), fill=(0, 0, 0, 255), width=3)
    assert ground(saved(image, "PNG")) == WHITE


def test_white_that_hides_nothing_is_not_touched() -> None:
    page = Image.new("RGBA", (32, 32), (255, 255, 255, 255))
    assert images.decode(saved(page, "PNG")).image.getcolors() == [(32 * 32, WHITE)]


@pytest.mark.parametrize("depth", [1, 8, 16])
def test_white_beside_a_transparent_value_can_be_seen(depth: int) -> None:
    white = (1 << depth) - 1
    values = np.array([[0] * 8 + [white] * 8] * 16)
    content = png(values, GREY, chunk(b"tRNS", bytes(2)), depth=depth)
    image = images.decode(content).image
    assert [image.getpixel((0, 0)), image.getpixel((15, 0))] == [GREY_GROUND, WHITE]


def test_a_palette_of_white_can_be_seen() -> None:
    image = Image.new("P", (32, 32), 0)
    image.putpalette([0, 0, 0, 255, 255, 255])
    image.paste(1, (8, 8, 24, 24))
    for format in ("PNG", "GIF"):
        assert ground(saved(image, format, transparency=0)) == GREY_GROUND


def test_the_thumbnail_shows_it_too() -> None:
    picture = images.decode(saved(drawing((*WHITE, 255)), "PNG"))
    small = images.decode(images.thumbnail(picture.image)).image
    assert abs(small.getpixel((0, 0))[0] - 96) <= 3
    assert small.getpixel((48, 48))[0] >= 250


@pytest.mark.model
def test_six_white_logos_have_six_embeddings() -> None:
    encoder = encoders.load("builtin")
    shapes = ("ellipse", "rectangle", "star", "ring", "lines", "letters")
    pictures = [images.decode(saved(drawing((*WHITE, 255), s), "PNG")).image for s in shapes]
    vectors = encoder.embed_images(np.stack([encoder.prepare(p) for p in pictures])).vectors
    cosines = vectors @ vectors.T  # (6, 6)
    assert cosines[~np.eye(6, dtype=bool)].max() < 0.95
