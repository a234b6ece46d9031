"""Clusters around centres: k-means, on all rows at once or in small batches."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.clustering.directions import SAME, Rows

if TYPE_CHECKING:
    from sklearn.cluster import KMeans, MiniBatchKMeans

_N_STARTS = 4
_BATCH = 4096
_N_ALONE = 10_000  # rows; below, threads cost more than they save


def fit(
    rows: Rows, k: int, seed: int, *, small_batches: bool = False, n_starts: int = _N_STARTS
) -> KMeans | MiniBatchKMeans:
    """Lloyd's k-means (k-means++ starts), or MiniBatchKMeans (Sculley 2010)."""
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if small_batches:
        model = MiniBatchKMeans(k, n_init=n_starts, batch_size=_BATCH, random_state=seed)
    else:
        model = KMeans(k, n_init=n_starts, random_state=seed)
    n_threads = 1 if len(rows) < _N_ALONE else None
    # with fewer different rows than k there are fewer clusters
    with threadpool_limits(n_threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows)


def labels(model: KMeans | MiniBatchKMeans) -> NDArray[np.integer]:
    """(N,) the cluster of each row; clusters whose centres coincide are one.

    Where fewer rows differ than clusters were asked for, rounding tells like rows apart.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(model.cluster_centers_)
    first = np.array([min(near) for near in tree.query_ball_tree(tree, SAME)])  # (k,)
    found: NDArray[np.integer] = first[model.labels_]
    return found


def firmness(rows: Rows, model: KMeans | MiniBatchKMeans) -> NDArray[np.float32]:
    """(N,) 1 in the middle of a cluster, 0.5 on the border to the next one."""
    if len(model.cluster_centers_) == 1:
        return np.ones(len(rows), np.float32)
    result = np.empty(len(rows), np.float32)
    step = max(1, 2**24 // len(model.cluster_centers_))  # distances at once, 128 MB
    for start in range(0, len(rows), step):
        distances = model.transform(rows[start : start + step])  # (B, k)
        nearest, second = np.partition(distances, 1, axis=1)[:, :2].T
        result[start : start + step] = 1 - nearest / np.maximum(nearest + second, SAME)
    return result
