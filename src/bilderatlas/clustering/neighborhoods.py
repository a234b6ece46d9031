"""Clusters as neighborhoods that overlap: DBSCAN on the cosine, never all pairs in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import Embeddings
from bilderatlas.clustering.directions import SAME

_N_PAIRS = 2**23  # scores held at once, 32 MB


@dataclass(frozen=True, slots=True)
class _Pairs:
    """P pairs of rows within reach of each other, left < right."""

    left: NDArray[np.intp]  # (P,)
    right: NDArray[np.intp]  # (P,)
    scores: NDArray[np.float32]  # (P,)


def dbscan(
    embeddings: Embeddings, eps: float, min_samples: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Ester et al. 1996 in two passes over the close pairs: labels and firmness (N,).

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
    return component, probabilities.astype(np.float32)


def _close_pairs(embeddings: Embeddings, eps: float) -> Iterator[_Pairs]:
    n = len(embeddings)
    step = max(1, _N_PAIRS // n)
    for start in range(0, n, step):
        scores = embeddings[start : start + step] @ embeddings[start:].T  # (B, N - start)
        left, right = np.nonzero(scores >= 1 - eps - SAME)
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
