"""New rows on a map that is there: they find their group, and nothing else moves."""

from importlib.util import find_spec

import numpy as np
import pytest

from bilderatlas.analysis import projection
from bilderatlas.arrays import Coordinates, Embeddings, to_unit_length
from bilderatlas.errors import QueryError

needs_umap = pytest.mark.skipif(find_spec("umap") is None, reason="pip install 'bilderatlas[fast]'")
by_each_method = pytest.mark.parametrize(
    "method",
    ["pca", "tsne", pytest.param("umap", marks=[pytest.mark.slow, needs_umap])],
)
each_dims = pytest.mark.parametrize("dims", [2, 3])


def groups(n: int, *, seed: int = 0) -> tuple[Embeddings, np.ndarray]:
    """n rows about four corners of 16 dimensions, and whose they are."""
    rng = np.random.default_rng(seed)
    of = np.arange(n) % 4
    return to_unit_length(np.eye(16)[of] + rng.normal(0, 0.05, (n, 16))), of


def nearest_on_map(placed: Coordinates, coordinates: Coordinates) -> np.ndarray:
    return np.linalg.norm(placed[:, None] - coordinates, axis=2).argmin(axis=1)


@by_each_method
@each_dims
def test_new_rows_land_in_their_group(method: str, dims: int) -> None:
    rows, of = groups(100)
    new, of_new = groups(20, seed=1)
    made = projection.project(rows, method=method, dims=dims)
    placed = projection.place(new, rows, made.coordinates, method=method, unit=made.unit)
    assert placed.shape == (20, dims)
    assert placed.dtype == np.float32
    found = of[nearest_on_map(placed, made.coordinates)]
    # two main directions of four corners let pairs of corners lie upon each other
    assert (found == of_new).mean() > (0.4 if (method, dims) == ("pca", 2) else 0.95)


@each_dims
@pytest.mark.parametrize("n", [2, 3, 6, 40])
def test_the_matrix_of_pca_comes_back_from_its_coordinates(n: int, dims: int) -> None:
    rows, _ = groups(n)
    made = projection.project(rows, method="pca", dims=dims)
    placed = projection.place(rows, rows, made.coordinates, method="pca", unit=made.unit)
    assert np.allclose(placed, made.coordinates, atol=1e-5)


def test_a_known_row_is_placed_where_it_lies_by_tsne() -> None:
    rows, _ = groups(100)
    made = projection.project(rows)
    placed = projection.place(rows[:10], rows, made.coordinates, method="tsne", unit=made.unit)
    assert np.linalg.norm(placed - made.coordinates[:10], axis=1).max() < 0.2


def test_the_unit_of_a_map_changes_where_rows_settle() -> None:
    rows, _ = groups(100)
    made = projection.project(rows)
    new, _ = groups(5, seed=3)
    right, wrong = (
        projection.place(new, rows, made.coordinates, method="tsne", unit=unit)
        for unit in (made.unit, made.unit / 20)
    )
    assert not np.allclose(right, wrong, atol=1e-3)


@by_each_method
def test_no_new_rows_need_no_place(method: str) -> None:
    rows, _ = groups(6)
    none = projection.place(rows[:0], rows, np.ones((6, 2), np.float32), method=method, unit=1)
    assert none.shape == (0, 2)


@pytest.mark.parametrize("n_left", [0, 4])
def test_a_map_with_hardly_a_point_left_is_refused(n_left: int) -> None:
    rows, _ = groups(10)
    made = projection.project(rows)
    with pytest.raises(QueryError, match=f"Only {n_left} points"):
        projection.place(
            rows[5:], rows[:n_left], made.coordinates[:n_left], method="tsne", unit=made.unit
        )


def test_a_map_of_equal_rows_takes_new_ones_at_its_middle() -> None:
    rows = np.repeat(groups(1)[0], 8, axis=0)
    made = projection.project(rows)
    new, _ = groups(3, seed=1)
    assert not projection.place(new, rows, made.coordinates, method="tsne", unit=made.unit).any()


@by_each_method
def test_of_very_many_rows_a_sample_is_laid_out_and_the_others_are_placed(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(projection, "_N_LAID_OUT", 100)
    monkeypatch.setattr(projection, "_N_SAMPLE", 60)
    rows, of = groups(200)
    made = projection.project(rows, method=method, dims=3)
    assert made.n_laid_out == (200 if method == "pca" else 60)
    assert np.linalg.norm(made.coordinates, axis=1).max() == pytest.approx(1)
    assert np.allclose(made.coordinates.mean(axis=0), 0, atol=1e-6)
    distances = np.linalg.norm(made.coordinates[:, None] - made.coordinates, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (of[distances.argmin(axis=1)] == of).mean() > 0.95
