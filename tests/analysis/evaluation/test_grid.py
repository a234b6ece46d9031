"""DBSCAN's grid over two tight groups and a stray row."""

from __future__ import annotations

import numpy as np
import pytest

from bilderatlas.analysis.evaluation import dbscan_grid, grid
from bilderatlas.arrays import to_unit_length
from bilderatlas.errors import QueryError

# Within a group the distance is some .005, between the groups it is about 1; the last row is far.
ROWS = to_unit_length(np.array([[10, 0, 0], [10, 1, 0], [0, 10, 0], [1, 10, 0], [0, 0, 9]]))
CLASSES = np.array([0, 0, 1, 1, 1])


def test_every_setting_is_tried_and_judged() -> None:
    made = dbscan_grid(ROWS, CLASSES, eps=(0.001, 0.1, 2), min_samples=(2, 3))
    facts = [
        (s.eps, s.min_samples, s.agreement.n_clusters, s.agreement.n_noise) for s in made.settings
    ]
    assert facts == [
        (0.001, 2, 0, 5), (0.1, 2, 2, 1), (2, 2, 1, 0),
        (0.001, 3, 0, 5), (0.1, 3, 0, 5), (2, 3, 1, 0),
    ]  # fmt: skip
    assert made.settings[1].agreement.purity == 1
    assert made.settings[2].agreement.purity == pytest.approx(3 / 5)


def test_the_best_is_not_the_purest_but_the_one_that_groups() -> None:
    made = dbscan_grid(ROWS, CLASSES, eps=(0.001, 0.1, 2), min_samples=(1,))
    assert made.settings[0].agreement.purity == 1  # every row a cluster of its own
    assert made.best.eps == 0.1


def test_a_large_pile_is_sampled_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "N_SAMPLE", 3)
    made = [
        dbscan_grid(ROWS, CLASSES, eps=(0.1,), min_samples=(2,), seed=seed) for seed in range(6)
    ]
    assert {one.n_rows for one in made} == {3}
    assert len({one.settings[0].agreement.n_noise for one in made}) > 1


def test_a_grid_without_values_is_refused() -> None:
    with pytest.raises(QueryError, match="a value of eps and one of min_samples"):
        dbscan_grid(ROWS, CLASSES, eps=())


def test_what_dbscan_refuses_is_refused() -> None:
    with pytest.raises(QueryError, match="eps is 3; a cosine distance"):
        dbscan_grid(ROWS, CLASSES, eps=(3,))
