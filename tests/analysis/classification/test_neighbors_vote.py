"""Votes of the nearest examples, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from bilderatlas.analysis.classification import neighbors_vote
from bilderatlas.analysis.classification.neighbors_vote import SOFTNESS, vote
from bilderatlas.arrays import to_unit_length

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]
LABELS = sparse.csr_array(np.array([[1, 0], [0, 1]], np.float32))


def _rows(*rows: list[float]) -> np.ndarray:
    return to_unit_length(np.array(rows, np.float32))


def test_the_label_of_what_is_the_same_is_certain() -> None:
    shares = vote(_rows(EAST, NORTH), _rows(EAST, NORTH), LABELS, background=0)
    assert shares == pytest.approx(np.eye(2), abs=1e-4)


def test_votes_fall_with_distance_and_one_goes_to_nobody() -> None:
    between = _rows([1, 1])
    (shares,) = vote(between, _rows(EAST, NORTH), LABELS, background=0)
    near = np.exp((np.sqrt(0.5) - 1) / SOFTNESS)
    nobody = np.exp(-1 / SOFTNESS)
    assert shares == pytest.approx([near / (2 * near + nobody)] * 2, rel=1e-5)


def test_what_resembles_no_example_is_not_likely_to_be_anything() -> None:
    (shares,) = vote(_rows([-1, -1]), _rows(EAST, NORTH), LABELS, background=0)
    assert shares.sum() < 0.01


def test_of_many_examples_only_the_nearest_vote() -> None:
    examples = _rows(EAST, [1, 0.01], *[NORTH] * 5)
    labels = sparse.csr_array(np.array([[1, 0]] * 2 + [[0, 1]] * 5, np.float32))
    (shares,) = vote(_rows(EAST), examples, labels, background=0, k=2)
    assert shares[1] == 0


def test_an_example_of_two_labels_votes_for_both() -> None:
    labels = sparse.csr_array(np.array([[1, 1], [0, 1]], np.float32))
    (shares,) = vote(_rows(EAST), _rows(EAST, NORTH), labels, background=0)
    assert shares == pytest.approx([1, 1], abs=1e-4)


def test_the_mean_cosine_is_that_of_all_pairs() -> None:
    rows = _rows(EAST, NORTH, [1, 1])
    assert neighbors_vote.mean_cosine(rows) == pytest.approx(float((rows @ rows.T).mean()))
