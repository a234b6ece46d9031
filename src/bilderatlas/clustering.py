"""Embeddings -> cluster labels, -1 = noise.

k-means and HDBSCAN work on the main directions of the centred embeddings: what all pictures have
in common says nothing about their groups (figures in docs/log.md). DBSCAN works on the embeddings
as they are, so that `eps` is the cosine distance that a person reads elsewhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import ClusterLabels, Embeddings, to_unit_length
from bilderatlas.errors import QueryError

if TYPE_CHECKING:
    from sklearn.cluster import KMeans, MiniBatchKMeans

METHODS = ("hdbscan", "dbscan", "kmeans")

_SAME = 1e-6  # rounding, not a difference between pictures
_N_DIRECTIONS = 30  # 50 gains nothing on labelled pictures and takes HDBSCAN 1.7 times as long
_N_PCA_SAMPLE = 20_000  # rows that the directions are learnt from
_N_SILHOUETTE_SAMPLE = 2_000  # silhouettes compare every row with every other
_N_MINIBATCH = 50_000  # above, MiniBatchKMeans: 2.6 s instead of 10.7 s at 50,000 rows, k = 100
_N_PAIRS = 2**23  # scores that DBSCAN holds at once, 32 MB
_CANDIDATES = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 18, 22, 27, 33, 40, 50, 60, 80, 100)


@dataclass(frozen=True, slots=True)
class ClusterResult:
    """A cluster for every row, the largest cluster being 0."""

    labels: ClusterLabels  # (N,), -1 = noise
    probabilities: NDArray[np.float32]  # (N,), how firmly a row sits in its cluster; noise: 0


def cluster(
    embeddings: Embeddings,
    *,
    method: str = "hdbscan",
    k: int | str = "auto",
    eps: float = 0.2,
    min_samples: int = 2,
    min_cluster_size: int = 5,
    seed: int = 0,
) -> ClusterResult:
    """Put rows (N, D) that lie close together into one cluster.

    `k` is for k-means, `eps` (cosine distance) for DBSCAN, `min_cluster_size` for HDBSCAN,
    `min_samples` for the latter two: how many rows, itself included, make a row's
    neighborhood dense. DBSCAN's defaults are those that Tudor (2023, section 4.2.2)
    recommends for CLIP. Raises QueryError for a value that cannot be answered.
    """
    _check(len(embeddings), method, k, eps, min_samples, min_cluster_size)
    if method == "dbscan":
        found = _dbscan(embeddings, eps, min_samples)
    elif np.ptp(embeddings, axis=0).max() <= _SAME:
        found = _one_cluster(len(embeddings))
    elif method == "kmeans":
        found = _kmeans(_main_directions(embeddings, seed), k, seed)
    else:
        found = _hdbscan(_main_directions(embeddings, seed), min_samples, min_cluster_size)
    return ClusterResult(_largest_first(found.labels), found.probabilities)


def _check(
    n: int, method: str, k: int | str, eps: float, min_samples: int, min_cluster_size: int
) -> None:
    if method not in METHODS:
        raise QueryError(f"No clustering method is called {method!r}. Use {', '.join(METHODS)}.")
    if n == 0:
        raise QueryError("There is nothing to cluster: 0 items. Index some pictures first.")
    if method == "kmeans" and k != "auto" and not (isinstance(k, int) and 1 <= k <= n):
        raise QueryError(f"k is {k!r}, and there are {n} items. Choose 1 to {n}, or 'auto'.")
    if method == "dbscan" and not 0 < eps <= 2:
        raise QueryError(
            f"eps is {eps:g}; a cosine distance is more than 0 and at most 2. Try 0.2."
        )
    if method == "hdbscan" and n < 3:
        raise QueryError(
            f"HDBSCAN needs 3 items or more, and there are {n}. Add pictures, or use k-means."
        )
    if method == "hdbscan" and min_cluster_size < 2:
        raise QueryError(
            f"min_cluster_size is {min_cluster_size}; a cluster has 2 items or more. Try 5."
        )
    if method == "hdbscan" and min_samples > n:
        raise QueryError(f"min_samples is {min_samples}, and there are {n} items. Try 2.")
    if method != "kmeans" and min_samples < 1:
        raise QueryError(f"min_samples is {min_samples}; expected 1 or more. Try 2.")


def _main_directions(embeddings: Embeddings, seed: int) -> NDArray[np.float64]:
    """Centre (N, D), keep at most 30 principal directions, make rows unit length again."""
    from sklearn.decomposition import PCA

    sample = embeddings[_sample(len(embeddings), _N_PCA_SAMPLE, seed)]
    pca = PCA(min(_N_DIRECTIONS, *sample.shape), random_state=seed).fit(sample)
    # Doubles: sums of threads differ in the last bit with their order; labels must not.
    return to_unit_length(pca.transform(embeddings)).astype(np.float64)  # (N, <= 30)


def _sample(n: int, at_most: int, seed: int) -> NDArray[np.intp]:
    if n <= at_most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, at_most, replace=False))


def _largest_first(labels: NDArray[np.integer]) -> ClusterLabels:
    """Number the clusters by falling size; of equals, the one that comes first in the rows."""
    found, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    is_cluster = found >= 0
    order = np.lexsort((first[is_cluster], -sizes[is_cluster]))
    rank = np.full(len(found), -1, dtype=np.int32)
    rank[np.flatnonzero(is_cluster)[order]] = np.arange(len(order), dtype=np.int32)
    return rank[np.searchsorted(found, labels)]


def _one_cluster(n: int) -> ClusterResult:
    return ClusterResult(np.zeros(n, np.int32), np.ones(n, np.float32))


def _kmeans(rows: NDArray[np.float64], k: int | str, seed: int) -> ClusterResult:
    model = _fit_kmeans(rows, k if isinstance(k, int) else _best_k(rows, seed), seed)
    distances = model.transform(rows)  # (N, k)
    if distances.shape[1] == 1:
        return _one_cluster(len(rows))
    nearest, second = np.partition(distances, 1, axis=1)[:, :2].T
    # 1 in the middle of the cluster, 0.5 on the border to the next one.
    firmness = 1 - nearest / np.maximum(nearest + second, _SAME)
    return ClusterResult(model.labels_, firmness.astype(np.float32))


def _fit_kmeans(rows: NDArray[np.float64], k: int, seed: int) -> KMeans | MiniBatchKMeans:
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    if len(rows) > _N_MINIBATCH:
        model = MiniBatchKMeans(k, n_init=4, batch_size=4096, random_state=seed)
    else:
        model = KMeans(k, n_init=4, random_state=seed)
    with warnings.catch_warnings():  # with fewer different rows than k there are fewer clusters
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows)


def _best_k(rows: NDArray[np.float64], seed: int) -> int:
    """The k with the best mean silhouette (Rousseeuw 1987) on a sample of the rows."""
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    sample = rows[_sample(len(rows), _N_SILHOUETTE_SAMPLE, seed)]
    silhouettes = {}
    with threadpool_limits(1):  # for so few rows, threads cost more than they save
        for k in (k for k in _CANDIDATES if k < len(sample)):
            labels = _fit_kmeans(sample, k, seed).labels_
            if len(np.unique(labels)) == k:
                silhouettes[k] = float(silhouette_score(sample, labels))
    return max(silhouettes, key=silhouettes.__getitem__, default=1)


def _hdbscan(rows: NDArray[np.float64], min_samples: int, min_cluster_size: int) -> ClusterResult:
    """Campello, Moulavi and Sander 2013, as scikit-learn has it: 2.5 s for 10,000 rows."""
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(
        min_samples=min_samples, min_cluster_size=min_cluster_size, n_jobs=-1, copy=True
    ).fit(rows)
    return ClusterResult(model.labels_, model.probabilities_.astype(np.float32))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """P pairs of rows within reach of each other, left < right."""

    left: NDArray[np.intp]  # (P,)
    right: NDArray[np.intp]  # (P,)
    scores: NDArray[np.float32]  # (P,)


def _dbscan(embeddings: Embeddings, eps: float, min_samples: int) -> ClusterResult:
    """Ester et al. 1996 in two passes over the close pairs, which are never all held at once.

    A border row joins the cluster of its nearest dense row, so the order of rows does not matter.
    """
    n = len(embeddings)
    n_near = np.ones(n, dtype=np.intp)  # itself
    for pairs in _close_pairs(embeddings, eps):
        n_near += np.bincount(pairs.left, minlength=n) + np.bincount(pairs.right, minlength=n)
    is_dense = n_near >= min_samples
    component = np.where(is_dense, np.arange(n), -1)
    nearest_dense = np.full(n, -1)  # of the others
    best = np.full(n, -np.inf, dtype=np.float32)  # their scores
    for pairs in _close_pairs(embeddings, eps):
        component = _merge(component, pairs)
        _note_borders(pairs, is_dense, nearest_dense, best)
    is_border = nearest_dense >= 0
    component[is_border] = component[nearest_dense[is_border]]
    probabilities = np.select([is_dense, is_border], [1.0, 0.5], 0.0)
    return ClusterResult(component, probabilities.astype(np.float32))


def _close_pairs(embeddings: Embeddings, eps: float) -> Iterator[_Pairs]:
    n = len(embeddings)
    step = max(1, _N_PAIRS // n)
    for start in range(0, n, step):
        scores = embeddings[start : start + step] @ embeddings[start:].T  # (B, N - start)
        left, right = np.nonzero(scores >= 1 - eps - _SAME)
        left, right = left[left < right], right[left < right]
        yield _Pairs(left + start, right + start, scores[left, right])


def _merge(component: NDArray[np.intp], pairs: _Pairs) -> NDArray[np.intp]:
    """Give dense rows (component >= 0) that a pair joins the same component."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = component[pairs.left], component[pairs.right]
    joined = (left >= 0) & (right >= 0)
    edges = np.ones(joined.sum(), dtype=bool), (left[joined], right[joined])
    graph = coo_array(edges, shape=(len(component), len(component)))
    _, merged = connected_components(graph, directed=False)
    return np.where(component >= 0, merged[component], -1)


def _note_borders(
    pairs: _Pairs,
    is_dense: NDArray[np.bool_],
    nearest_dense: NDArray[np.intp],
    best: NDArray[np.float32],
) -> None:
    """Write the nearest dense row of each row that is not dense itself, so far."""
    for row, other in ((pairs.left, pairs.right), (pairs.right, pairs.left)):
        closer = np.flatnonzero(~is_dense[row] & is_dense[other] & (pairs.scores > best[row]))
        closer = closer[np.argsort(pairs.scores[closer], kind="stable")]  # the last one stays
        nearest_dense[row[closer]] = other[closer]
        best[row[closer]] = pairs.scores[closer]
