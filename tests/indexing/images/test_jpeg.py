"""JPEG files that end early: read where only the last marker is missing, and refused otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bilderatlas.errors import ImageProblem
from bilderatlas.indexing import images
from tests.pictures import saved

KINDS = [{}, {"progressive": True}, {"restart_marker_blocks": 2}, {"subsampling": 0, "quality": 95}]


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    return Image.fromarray(noise).resize((96, 72), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("min_side", [None, 16])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("how", KINDS, ids=str)
@pytest.mark.parametrize("n_missing", [1, 2])
def test_a_missing_last_marker_costs_nothing(
    photograph: Image.Image, how: dict, mode: str, n_missing: int, min_side: int | None
) -> None:
    whole = saved(photograph.convert(mode), "JPEG", **how)
    read = images.decode(whole[:-n_missing], min_side=min_side)
    expected = images.decode(whole, min_side=min_side)
    assert np.array_equal(np.asarray(read.image), np.asarray(expected.image))
    assert (read.width, read.height) == (96, 72)


@pytest.mark.parametrize("how", KINDS, ids=str)
def test_a_jpeg_cut_off_anywhere_is_refused_or_has_all_its_pixels(
    photograph: Image.Image, how: dict
) -> None:
    whole = saved(photograph, "JPEG", **how)
    expected = np.asarray(images.decode(whole).image)
    n_read = 0
    for length in range(whole.index(b"\xff\xda") + 20, len(whole) - 2, 7):
        try:
            read = images.decode(whole[:length]).image
        except ImageProblem:
            continue
        n_read += 1
        assert np.array_equal(np.asarray(read), expected)
    assert n_read <= 1  # where the last byte says nothing


def test_a_jpeg_followed_by_nothing_but_zeros_is_read(photograph: Image.Image) -> None:
    """As on disks that were recovered."""
    whole = saved(photograph, "JPEG")
    read = images.decode(whole[:-2] + bytes(500)).image
    assert np.array_equal(np.asarray(read), np.asarray(images.decode(whole).image))
