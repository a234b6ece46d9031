from typing import Any

import numpy as np
import pytest

from bilderatlas.analysis import projection
from bilderatlas.analysis.projection import tsne
from bilderatlas.arrays import Coordinates, Embeddings, to_unit_length
from bilderatlas.errors import QueryError

each_map = pytest.mark.parametrize(
    ("method", "dims"), [(method, dims) for method in ("tsne", "pca") for dims in (2, 3)]
)


def random_rows(n: int, n_dims: int = 8) -> Embeddings:
    return to_unit_length(np.random.default_rng(1).normal(size=(n, n_dims)))


def laid_out(rows: Embeddings, **how: Any) -> Coordinates:
    return projection.project(rows, **how).coordinates


@each_map
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 10])
def test_any_number_of_rows_gets_coordinates(method: str, dims: int, n: int) -> None:
    coordinates = laid_out(random_rows(n), method=method, dims=dims)
    assert coordinates.shape == (n, dims)
    assert coordinates.dtype == np.float32
    assert np.isfinite(coordinates).all()


@each_map
def test_the_map_is_centred_and_its_farthest_point_lies_at_1(method: str, dims: int) -> None:
    coordinates = laid_out(random_rows(20), method=method, dims=dims)
    assert np.allclose(coordinates.mean(axis=0), 0, atol=1e-6)
    assert np.linalg.norm(coordinates, axis=1).max() == pytest.approx(1)


@each_map
def test_the_same_seed_gives_the_same_map(method: str, dims: int) -> None:
    rows = random_rows(40)
    first = laid_out(rows, method=method, dims=dims, seed=5)
    assert np.array_equal(first, laid_out(rows, method=method, dims=dims, seed=5))


@each_map
def test_rows_that_are_all_equal_share_a_point(method: str, dims: int) -> None:
    rows = np.repeat(random_rows(1), 12, axis=0)
    assert not laid_out(rows, method=method, dims=dims).any()


@each_map
def test_flat_embeddings_fit_on_any_map(method: str, dims: int) -> None:
    rows = random_rows(12, n_dims=2)
    assert laid_out(rows, method=method, dims=dims).shape == (12, dims)


@each_map
def test_a_row_lies_nearer_to_its_group_than_to_the_other(method: str, dims: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, (40, 16))
    rows = to_unit_length(np.repeat(np.eye(16)[:2], 20, axis=0) + noise)
    coordinates = laid_out(rows, method=method, dims=dims)
    distances = np.linalg.norm(coordinates[:, None] - coordinates, axis=2)  # (40, 40)
    assert distances[:20, :20].max() < distances[:20, 20:].min()


def test_pca_keeps_the_longest_direction_first() -> None:
    angles = np.radians([0, 10, 20, 30])
    rows = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    x, y = laid_out(rows, method="pca").T
    assert np.abs(x).max() > 5 * np.abs(y).max()
    assert np.array_equal(np.argsort(x), [0, 1, 2, 3]) or np.array_equal(np.argsort(-x), range(4))


def test_exact_copies_stay_together_under_tsne() -> None:
    rows = np.repeat(random_rows(2), 30, axis=0)
    coordinates = laid_out(rows)
    assert np.ptp(coordinates[:30], axis=0).max() < 0.2
    assert np.linalg.norm(coordinates[0] - coordinates[-1]) > 1


def test_perplexity_changes_the_tsne_map() -> None:
    rows = random_rows(40)
    assert not np.allclose(laid_out(rows, perplexity=2), laid_out(rows, perplexity=10))


def test_many_rows_use_approximate_neighbors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsne, "_N_EXACT_NEIGHBORS", 10)
    assert laid_out(random_rows(60), perplexity=5).shape == (60, 2)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"dims": 4}, "dims is 4"),
        ({"perplexity": 0}, "perplexity is 0"),
        ({"method": "mds"}, "'mds'. Use tsne, umap, pca"),
        ({"method": "umap", "n_neighbors": 1}, "n_neighbors is 1"),
        ({"method": "umap", "min_dist": 2}, "min_dist is 2"),
    ],
)
def test_a_value_without_an_answer_is_refused_with_the_value(
    asked: dict[str, object], said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        projection.project(random_rows(10), **asked)  # type: ignore[arg-type]


def test_nothing_to_project_is_refused() -> None:
    with pytest.raises(QueryError, match="0 items"):
        projection.project(np.zeros((0, 8), np.float32))
