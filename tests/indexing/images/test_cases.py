"""The small odd files that came with the project, each with its right value."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bilderatlas.errors import ImageProblem
from bilderatlas.indexing import images
from bilderatlas.models import encoders
from tests.assets import assets


@pytest.fixture
def case(tmp_path: Path, request: pytest.FixtureRequest) -> bytes:
    return Path(shutil.copy(assets() / "cases" / request.param, tmp_path)).read_bytes()


def of(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", names, indirect=True)


def columns(picture: images.Picture) -> list[int]:
    """The mean red of the first, the middle and the last column."""
    means = np.asarray(picture.image, dtype=float)[..., 0].mean(axis=0)
    return [round(means[column]) for column in (0, len(means) // 2, -1)]


@of("exif_blank_original_date.jpg")
def test_a_blank_date_gives_way_to_a_good_one(case: bytes) -> None:
    assert images.decode(case).taken_at == datetime(2016, 2, 3, 4, 5, 6)


@of("exif_digitized_only.jpg")
def test_a_scan_has_the_date_of_its_scanning(case: bytes) -> None:
    assert images.decode(case).taken_at == datetime(2012, 5, 6, 7, 8, 9)


@of("jpeg_no_eoi.jpg")
def test_a_jpeg_without_its_last_marker_is_read_like_one_with_it(case: bytes) -> None:
    assert not case.endswith(b"\xff\xd9")
    read, whole = images.decode(case), images.decode(case + b"\xff\xd9")
    assert (read.width, read.height) == (32, 32)
    assert np.array_equal(np.asarray(read.image), np.asarray(whole.image))


@of("jxl_named.jpg")
def test_a_jpeg_xl_is_called_so(case: bytes) -> None:
    with pytest.raises(ImageProblem, match="JPEG XL pictures are not read"):
        images.decode(case)


@of("png_gama_1.0.png")
def test_a_linear_gamma_is_shown_as_browsers_do(case: bytes) -> None:
    assert columns(images.decode(case)) == [137, 137, 137]


@of("png_grey16_trns.png")
def test_a_transparent_value_of_16_bits_is_a_ground(case: bytes) -> None:
    pixels = np.asarray(images.decode(case).image)
    assert (pixels[0] == 255).all()
    assert (pixels[-1] == 255).all()
    assert (pixels[8, 8] == 156).all()


@of("png_iccp_over_1MiB.png")
def test_a_large_profile_costs_no_picture(case: bytes) -> None:
    assert columns(images.decode(case)) == [0, 131, 255]


@of("png_white_on_transparent_1.png", "png_white_on_transparent_2.png")
def test_white_on_nothing_can_be_seen(case: bytes) -> None:
    picture = images.decode(case).image
    assert sorted({colour for _, colour in picture.getcolors()}) == [(96,) * 3, (255,) * 3]


@pytest.mark.model
def test_white_shapes_embed_differently() -> None:
    folder, encoder = assets() / "cases", encoders.load("builtin")
    pixels = [
        encoder.prepare(images.decode(path.read_bytes()).image)
        for path in sorted(folder.glob("png_white_on_transparent_*.png"))
    ]
    square, disc = encoder.embed_images(np.stack(pixels)).vectors
    assert square @ disc < 0.95


@of("raw_preview_taken_for_picture.dng")
def test_a_raw_file_is_not_its_preview(case: bytes) -> None:
    with pytest.raises(ImageProblem, match="raw files are not read"):
        images.decode(case)


@of("tiff_12bit_in_16.tif")
def test_twelve_bits_in_sixteen_reach_white(case: bytes) -> None:
    assert columns(images.decode(case)) == [0, 131, 255]


@of("tiff_16bit_whiteiszero.tif")
def test_sixteen_bits_may_have_white_at_zero(case: bytes) -> None:
    assert columns(images.decode(case)) == [0, 131, 255]


@of("tiff_three_pages.tif")
def test_pages_that_are_passed_over_are_told(case: bytes) -> None:
    picture = images.decode(case)
    assert (picture.width, picture.height) == (48, 64)
    assert picture.left_out == "2 further pages of this file passed over; only the first is read"


@of("tiff_thumbnail_first.tif")
def test_a_thumbnail_is_not_the_picture(case: bytes) -> None:
    picture = images.decode(case)
    assert (picture.width, picture.height, picture.left_out) == (32, 32, None)
    assert columns(picture) == [0, 131, 255]


@of("form_card_1.png", "form_card_2.png")
def test_an_ordinary_picture_stays_as_it_is(case: bytes, tmp_path: Path) -> None:
    with Image.open(next(tmp_path.glob("*.png"))) as image:
        assert np.array_equal(
            np.asarray(images.decode(case).image), np.asarray(image.convert("RGB"))
        )
