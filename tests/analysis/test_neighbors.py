import numpy as np
import pytest

from bilderatlas.analysis import neighbors
from bilderatlas.arrays import to_unit_length


def circle(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def test_the_closest_come_first_with_their_cosines() -> None:
    found = neighbors.nearest(circle(0), circle(90, 10, 60, 180), k=3)
    assert found.rows.tolist() == [[1, 2, 0]]
    assert found.scores[0] == pytest.approx(np.cos(np.radians([10, 60, 90])), abs=1e-6)


def test_of_equal_rows_the_earlier_ones_are_found() -> None:
    found = neighbors.nearest(circle(0, 90), circle(90, 0, 0, 0, 90, 0), k=3)
    assert found.rows.tolist() == [[1, 2, 3], [0, 4, 1]]


def test_all_rows_may_be_asked_for() -> None:
    assert neighbors.nearest(circle(0), circle(20, 10), k=2).rows.tolist() == [[1, 0]]


def test_no_queries_find_nothing() -> None:
    assert neighbors.nearest(circle(), circle(10), k=1).rows.shape == (0, 1)


def test_blocks_find_what_one_matrix_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = to_unit_length(np.random.default_rng(0).normal(size=(50, 8)))
    whole = np.argsort(-(rows @ rows.T), axis=1, kind="stable")[:, :7]
    monkeypatch.setattr(neighbors, "_N_SCORES", 150)  # three queries at once
    assert np.array_equal(neighbors.nearest(rows, rows, k=7).rows, whole)
