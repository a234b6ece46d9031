"""Captions and pictures on a circle, where every cosine is known."""

from __future__ import annotations

import numpy as np
import pytest

from bilderatlas.analysis.evaluation import modality_gap
from bilderatlas.arrays import to_unit_length

EAST, NORTH, WEST = np.eye(2, dtype=np.float32)[0], np.eye(2, dtype=np.float32)[1], [-1, 0]
HALF = float(np.sqrt(0.5))


def test_captions_that_lie_on_their_pictures_leave_no_gap() -> None:
    both = np.stack([EAST, NORTH])
    found = modality_gap(both, both, np.array([0, 1]))
    assert found is not None
    assert (found.gap, found.text_to_image_own, found.text_to_image_other) == (0, 1, 0)
    assert (found.text_to_text, found.image_to_image, found.same_image_texts) == (0, 0, None)


def test_captions_on_the_other_side_are_as_far_as_can_be() -> None:
    pictures = np.stack([EAST, EAST])
    found = modality_gap(pictures, np.array([WEST, WEST], np.float32), np.array([0, 1]))
    assert found is not None
    assert (found.gap, found.text_to_image_own) == (2, -1)
    assert (found.text_to_text, found.image_to_image) == (1, 1)


def test_several_captions_of_a_picture_are_told_from_those_of_others() -> None:
    pictures = np.stack([EAST, NORTH, -EAST])  # nobody says anything of the last one
    texts = to_unit_length(np.array([[1, 0], [1, 1], [0, 1]], np.float32))
    found = modality_gap(pictures, texts, np.array([0, 0, 1]))
    assert found is not None
    assert (found.n_images, found.n_captions) == (2, 3)
    assert found.same_image_texts == pytest.approx(HALF)
    assert found.text_to_text == pytest.approx((0 + HALF) / 2)
    assert found.text_to_image_own == pytest.approx((1 + HALF + 1) / 3)
    assert found.text_to_image_other == pytest.approx((0 + HALF + 0) / 3)
    assert found.gap == pytest.approx(np.hypot((1 + HALF) / 3 - 0.5, (1 + HALF) / 3 - 0.5))


def test_the_matrix_shows_captions_first_and_pictures_beside_their_own() -> None:
    generator = np.random.default_rng(0)
    pictures = to_unit_length(generator.normal(size=(20, 6)))
    owners = np.repeat(np.arange(20), 2)
    texts = pictures[owners]
    found = modality_gap(pictures, texts, owners, seed=1)
    assert found is not None
    assert found.matrix.shape == (16, 16)
    assert (owners[found.shown_captions] == found.shown).all()
    assert np.diag(found.matrix[:8, 8:]) == pytest.approx(1)
    other = modality_gap(pictures, texts, owners, seed=2)
    assert other is not None
    assert found.shown.tolist() != other.shown.tolist()


def test_captions_of_one_picture_say_nothing() -> None:
    assert modality_gap(np.stack([EAST, NORTH]), np.stack([EAST, EAST]), np.array([0, 0])) is None
