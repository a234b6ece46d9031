"""UMAP, of the extra `fast`."""

import sys

import numpy as np
import pytest

from bilderatlas.analysis import projection
from bilderatlas.errors import MissingExtra
from tests.analysis.projection.test_placing import groups, needs_umap


def test_without_its_extra_umap_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtra, match=r"pip install 'bilderatlas\[fast\]'"):
        projection.project(groups(20)[0], method="umap")


@pytest.mark.slow
@needs_umap
@pytest.mark.parametrize("dims", [2, 3])
def test_a_row_lies_nearer_to_its_group_than_to_the_others(dims: int) -> None:
    rows, of = groups(60)
    made = projection.project(rows, method="umap", dims=dims)
    distances = np.linalg.norm(made.coordinates[:, None] - made.coordinates, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (of[distances.argmin(axis=1)] == of).all()
    assert np.linalg.norm(made.coordinates, axis=1).max() == pytest.approx(1)


@pytest.mark.slow
@needs_umap
def test_the_same_seed_gives_the_same_map_and_another_one_another() -> None:
    rows, _ = groups(60)
    first, again, other = (
        projection.project(rows, method="umap", seed=seed).coordinates for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.allclose(first, other, atol=1e-3)


@pytest.mark.slow
@needs_umap
@pytest.mark.parametrize("option", [{"n_neighbors": 3}, {"min_dist": 0.9}])
def test_its_options_change_the_map(option: dict[str, float]) -> None:
    rows, _ = groups(60)
    plain = projection.project(rows, method="umap").coordinates
    other = projection.project(rows, method="umap", **option).coordinates  # type: ignore[arg-type]
    assert not np.allclose(plain, other, atol=1e-3)


@pytest.mark.slow
@needs_umap
@pytest.mark.parametrize("n", [1, 4, 5, 10])
def test_few_rows_get_coordinates(n: int) -> None:
    made = projection.project(groups(n)[0], method="umap")
    assert made.coordinates.shape == (n, 2)
    assert np.isfinite(made.coordinates).all()
