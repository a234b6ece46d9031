"""DBSCAN over a grid of eps and min_samples, each clustering judged by the real classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import cancellation, clustering
from bilderatlas.analysis.evaluation.agreement import Agreement, Classes, agreement
from bilderatlas.arrays import ClusterLabels, Embeddings
from bilderatlas.errors import QueryError

EPS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
MIN_SAMPLES = (2, 3, 5, 10)
N_SAMPLE = 1500  # rows; every setting compares all of them with each other


@dataclass(frozen=True, slots=True)
class Setting:
    """One DBSCAN and how it agrees with the classes."""

    eps: float
    min_samples: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Grid:
    """Every setting that was tried, judged by `n_rows` of the classes."""

    n_rows: int
    settings: tuple[Setting, ...]

    @property
    def best(self) -> Setting:
        """The largest ARI: purity alone is best where every row is a cluster of its own."""
        return max(self.settings, key=lambda setting: setting.agreement.ari)


def dbscan_grid(
    embeddings: Embeddings,
    classes: Classes,
    *,
    row_of: NDArray[np.int64] | None = None,
    eps: Sequence[float] = EPS,
    min_samples: Sequence[int] = MIN_SAMPLES,
    seed: int = 0,
) -> Grid:
    """Cluster rows (N, D) with every pair of values (Tudor 2023, Figure 4.7).

    `row_of` (L,) says which row each of the classes (L,) is of, where some rows have several or
    the same one more than once; what is judged are the L. Of more than 1,500 rows as many are
    drawn with `seed`; a sample is less dense than the whole, so there the best `min_samples` is
    lower. Raises QueryError for values that DBSCAN refuses.
    """
    if not eps or not min_samples:
        raise QueryError("A grid needs a value of eps and one of min_samples. Leave them out.")
    rows = np.sort(np.random.default_rng(seed).permutation(len(embeddings))[:N_SAMPLE])
    row_of = np.arange(len(embeddings)) if row_of is None else row_of
    is_in = np.isin(row_of, rows)  # (L,)
    some, place = embeddings[rows], np.searchsorted(rows, row_of[is_in])
    settings = [
        Setting(reach, n, agreement(classes[is_in], _labels(some, reach, n)[place]))
        for n in min_samples
        for reach in eps
    ]
    return Grid(len(place), tuple(settings))


def _labels(embeddings: Embeddings, eps: float, min_samples: int) -> ClusterLabels:
    cancellation.check()
    return clustering.cluster(embeddings, method="dbscan", eps=eps, min_samples=min_samples).labels
