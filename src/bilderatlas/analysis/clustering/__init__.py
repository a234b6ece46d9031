"""Embeddings -> cluster labels, -1 = noise.

All methods but DBSCAN work on the main directions of the centred embeddings: what all pictures
have in common says nothing about their groups (figures in docs/log.md). DBSCAN works on the
embeddings as they are, so that `eps` is the cosine distance that a person reads elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.clustering import (
    centroids,
    density,
    directions,
    eps_advice,
    k_advice,
    linkage,
    neighborhoods,
)
from bilderatlas.arrays import ClusterLabels, Embeddings
from bilderatlas.errors import QueryError

# The options that each method reads.
OPTIONS = {
    "hdbscan": ("min_samples", "min_cluster_size"),
    "fast-hdbscan": ("min_samples", "min_cluster_size"),
    "evoc": ("min_samples", "min_cluster_size"),
    "dbscan": ("eps", "min_samples"),
    "kmeans": ("k",),
    "minibatch-kmeans": ("k",),
    "agglomerative": ("distance_threshold",),
}
METHODS = tuple(OPTIONS)

_OWN_DEFAULTS: dict[str, dict[str, Any]] = {"evoc": {"min_samples": 5}}  # with 2, seeds differ more


@dataclass(frozen=True, slots=True)
class Options:
    """What a method can be asked, and what it goes by when nothing is said."""

    k: int | str = "auto"
    eps: float | str = 0.2  # cosine distance of embeddings, or "auto"
    min_samples: int = 2  # rows, itself included, that make a row's neighborhood dense
    min_cluster_size: int = 5
    distance_threshold: float = 0.5  # mean cosine distance of two clusters in main directions

    def read_by(self, method: str) -> dict[str, float | str]:
        """Those that the method reads."""
        return {name: value for name, value in asdict(self).items() if name in OPTIONS[method]}


@dataclass(frozen=True, slots=True)
class ClusterResult:
    """A cluster for every row, the largest cluster being 0."""

    labels: ClusterLabels  # (N,), -1 = noise
    probabilities: NDArray[np.float32]  # (N,), how firmly a row sits in its cluster; noise: 0
    parameters: Mapping[str, float | str]  # what the method went by; "auto" as what it came to


def cluster(
    embeddings: Embeddings,
    *,
    method: str = "hdbscan",
    k: int | str | None = None,
    eps: float | str | None = None,
    min_samples: int | None = None,
    min_cluster_size: int | None = None,
    distance_threshold: float | None = None,
    seed: int = 0,
) -> ClusterResult:
    """Put rows (N, D) that lie close together into one cluster; same seed, same clusters.

    Each method reads some of the options (`OPTIONS`); what is left out is as in `Options`. `k` and
    `eps` may be "auto". DBSCAN's eps and min_samples are those that Tudor (2023, section 4.2.2)
    recommends for CLIP. Raises QueryError for a value that cannot be answered or that the method
    does not read, MissingExtra for a library that is not installed.
    """
    given = {
        "k": k,
        "eps": eps,
        "min_samples": min_samples,
        "min_cluster_size": min_cluster_size,
        "distance_threshold": distance_threshold,
    }
    options = _options(method, {name: value for name, value in given.items() if value is not None})
    _check(len(embeddings), method, options)
    density.check_installed(method)
    if method == "dbscan":
        return _by_neighborhoods(embeddings, options, seed)
    if directions.all_same(embeddings):
        return _one_cluster(len(embeddings), replace(options, k=1).read_by(method))
    rows = directions.main(embeddings, seed)
    if method in ("kmeans", "minibatch-kmeans"):
        return _by_centres(rows, method, options, seed)
    return _by_density(rows, method, options, seed)


def installed() -> tuple[str, ...]:
    """The methods whose libraries are there."""
    return tuple(method for method in METHODS if density.is_installed(method))


def _options(method: str, given: Mapping[str, Any]) -> Options:
    if method not in METHODS:
        raise QueryError(f"No clustering method is called {method!r}. Use {', '.join(METHODS)}.")
    for name in given:
        if name not in OPTIONS[method]:
            readers = ", ".join(m for m in METHODS if name in OPTIONS[m])
            raise QueryError(
                f"{name} is for {readers}, not for {method}, which reads "
                f"{' and '.join(OPTIONS[method])}. Use another method, or leave it out."
            )
    return replace(Options(), **(_OWN_DEFAULTS.get(method, {}) | dict(given)))


def _check(n: int, method: str, options: Options) -> None:
    if n == 0:
        raise QueryError("There is nothing to cluster: 0 items. Index some pictures first.")
    read = options.read_by(method)
    if "k" in read:
        _check_k(n, options.k)
    if "eps" in read:
        _check_eps(n, options.eps)
    if "min_cluster_size" in read:
        _check_density(n, method, options)
    if "min_samples" in read and options.min_samples < 1:
        raise QueryError(f"min_samples is {options.min_samples}; expected 1 or more. Try 2.")
    if "distance_threshold" in read:
        _check_threshold(n, options.distance_threshold)


def _check_k(n: int, k: int | str) -> None:
    if k != "auto" and not (isinstance(k, int) and 1 <= k <= n):
        raise QueryError(f"k is {k!r}, and there are {n} items. Choose 1 to {n}, or 'auto'.")


def _check_eps(n: int, eps: float | str) -> None:
    if eps == "auto" and n < eps_advice.N_FEWEST:
        raise QueryError(f"eps cannot be chosen for {n} items; give one, for instance 0.2.")
    if eps != "auto" and not (not isinstance(eps, str) and 0 < eps <= 2):
        raise QueryError(
            f"eps is {eps}; a cosine distance is more than 0 and at most 2. Try 0.2, or 'auto'."
        )


def _check_density(n: int, method: str, options: Options) -> None:
    fewest = density.N_EVOC if method == "evoc" else 3
    if n < fewest:
        raise QueryError(
            f"{method} needs {fewest} items or more, and there are {n}. "
            "Add pictures, or use kmeans."
        )
    if options.min_cluster_size < 2:
        raise QueryError(
            f"min_cluster_size is {options.min_cluster_size}; a cluster has 2 items or more. Try 5."
        )
    if options.min_samples > n:
        raise QueryError(f"min_samples is {options.min_samples}, and there are {n} items. Try 2.")


def _check_threshold(n: int, threshold: float) -> None:
    if not 0 < threshold <= 2:
        raise QueryError(
            f"distance_threshold is {threshold:g}; a cosine distance is more than 0 and at most 2. "
            "Try 0.5."
        )
    if n > linkage.N_MOST:
        raise QueryError(
            f"agglomerative compares every pair, and {n:,} items have {n * (n - 1) / 2e9:,.1f} "
            f"billion; it takes up to {linkage.N_MOST:,} items. Use hdbscan or minibatch-kmeans."
        )


def _one_cluster(n: int, parameters: Mapping[str, float | str]) -> ClusterResult:
    return ClusterResult(np.zeros(n, np.int32), np.ones(n, np.float32), parameters)


def _by_neighborhoods(embeddings: Embeddings, options: Options, seed: int) -> ClusterResult:
    if isinstance(options.eps, str):
        curves = eps_advice.measure(embeddings, min_samples=options.min_samples, seed=seed)
        options = replace(options, eps=eps_advice.recommend(curves).eps)
    found = neighborhoods.dbscan(embeddings, float(options.eps), options.min_samples)
    return _result(*found, options.read_by("dbscan"))


def _by_centres(rows: directions.Rows, method: str, options: Options, seed: int) -> ClusterResult:
    if isinstance(options.k, str):
        curves = k_advice.measure(rows[k_advice.sample(len(rows), seed)], seed)
        options = replace(options, k=k_advice.recommend(curves).k)
    model = centroids.fit(rows, int(options.k), seed, small_batches=method != "kmeans")
    found = centroids.labels(model), centroids.firmness(rows, model)
    return _result(*found, options.read_by(method))


def _by_density(rows: directions.Rows, method: str, options: Options, seed: int) -> ClusterResult:
    if method == "agglomerative":
        found = linkage.agglomerative(rows, options.distance_threshold)
    elif method == "evoc":
        found = density.evoc(rows, options.min_samples, options.min_cluster_size, seed)
    elif method == "fast-hdbscan":
        found = density.fast_hdbscan(rows, options.min_samples, options.min_cluster_size)
    else:
        found = density.hdbscan(rows, options.min_samples, options.min_cluster_size)
    return _result(*found, options.read_by(method))


def _result(
    labels: NDArray[np.integer],
    firmness: NDArray[np.float32],
    parameters: Mapping[str, float | str],
) -> ClusterResult:
    firmness = np.where(labels < 0, np.float32(0), firmness)
    return ClusterResult(_largest_first(labels), firmness, parameters)


def _largest_first(labels: NDArray[np.integer]) -> ClusterLabels:
    """Number the clusters by falling size; of equals, the one that comes first in the rows."""
    found, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    is_cluster = found >= 0
    order = np.lexsort((first[is_cluster], -sizes[is_cluster]))
    rank = np.full(len(found), -1, dtype=np.int32)
    rank[np.flatnonzero(is_cluster)[order]] = np.arange(len(order), dtype=np.int32)
    return rank[np.searchsorted(found, labels)]
