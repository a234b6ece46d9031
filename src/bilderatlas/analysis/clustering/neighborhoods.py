"""Clusters as neighborhoods that overlap: DBSCAN on the cosine, never all pairs in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.clustering.directions import SAME
from bilderatlas.analysis.neighbors import in_threads
from bilderatlas.arrays import Embeddings

_N_SCORES = 2**22  # that a thread holds at once, 16 MB


@dataclass(frozen=True, slots=True)
class _Pairs:
    """P pairs of rows within reach of each other, left < right."""

    left: NDArray[np.intp]  # (P,)
    right: NDArray[np.intp]  # (P,)
    scores: NDArray[np.float32]  # (P,)

    def where(self, kept: NDArray[np.bool_]) -> _Pairs:
        """Some of the pairs."""
        return _Pairs(self.left[kept], self.right[kept], self.scores[kept])


def dbscan(
    embeddings: Embeddings, eps: float, min_samples: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Ester et al. 1996: labels and firmness (N,).

    One pass over all pairs of (N, D), a block of rows at a time. Dense rows within reach of each
    other are joined as soon as both are known to be dense; a pair with another row waits. A row
    that is not dense has fewer than `min_samples` pairs, so N * min_samples wait at most. A border
    row joins the cluster of its nearest dense row, so the order of rows does not matter.
    """
    n = len(embeddings)
    n_near = np.ones(n, dtype=np.intp)  # itself
    component = np.arange(n)  # rows that are joined have the same number
    waiting: list[_Pairs] = []
    rows = embeddings.astype(np.float32, copy=False)
    step = max(1, _N_SCORES // n)
    starts = range(0, n, step)
    blocks = in_threads(lambda start: _close(rows, start, start + step, eps), starts)
    for start, (scores, is_close) in zip(starts, blocks, strict=True):
        n_near[start : start + step] += is_close.sum(axis=1)
        n_near[start:] += is_close.sum(axis=0)
        is_dense = n_near >= min_samples
        # Two dense rows that are joined already have the same key, and no others.
        key = np.where(is_dense, component, -1 - np.arange(n))[start:]  # (N - start,)
        left, right = np.nonzero(is_close & (key[: len(scores), np.newaxis] != key))
        pairs = _Pairs(left + start, right + start, scores[left, right])
        can_join = is_dense[pairs.left] & is_dense[pairs.right]
        component = _merge(component, pairs.where(can_join))
        waiting.append(pairs.where(~can_join))
    return _finish(component, n_near >= min_samples, waiting)


def _close(
    rows: Embeddings, start: int, stop: int, eps: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Scores of rows start..stop with themselves and all after them, (B, N - start), and which
    pairs are within reach, each pair once.
    """
    scores = rows[start:stop] @ rows[start:].T
    is_close = scores >= 1 - eps - SAME
    square = is_close[:, : len(scores)]  # among themselves
    square[np.tril_indices(len(scores))] = False
    return scores, is_close


def _finish(
    component: NDArray[np.intp], is_dense: NDArray[np.bool_], waiting: Sequence[_Pairs]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Join what waited until it was known which rows are dense, and find the border rows."""
    pairs = _Pairs(
        np.concatenate([block.left for block in waiting]),
        np.concatenate([block.right for block in waiting]),
        np.concatenate([block.scores for block in waiting]),
    )
    component = _merge(component, pairs.where(is_dense[pairs.left] & is_dense[pairs.right]))
    component = np.where(is_dense, component, -1)
    nearest_dense = _nearest_dense(pairs, is_dense)
    is_border = nearest_dense >= 0
    component[is_border] = component[nearest_dense[is_border]]
    probabilities = np.select([is_dense, is_border], [1.0, 0.5], 0.0)
    return component, probabilities.astype(np.float32)


def _merge(component: NDArray[np.intp], pairs: _Pairs) -> NDArray[np.intp]:
    """Give the components of the two rows of each pair one number."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joined = np.stack([component[pairs.left], component[pairs.right]])  # (2, P)
    known, place = np.unique(joined, return_inverse=True)
    left, right = place.reshape(joined.shape)
    graph = coo_array((np.ones(len(left), dtype=bool), (left, right)), shape=(len(known),) * 2)
    _, merged = connected_components(graph, directed=False)
    _, first = np.unique(merged, return_index=True)
    renamed = np.arange(len(component))
    renamed[known] = known[first[merged]]
    return renamed[component]


def _nearest_dense(pairs: _Pairs, is_dense: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The nearest dense row of each row (N,) that is not dense itself; -1 without one."""
    nearest = np.full(len(is_dense), -1)
    row = np.concatenate([pairs.left, pairs.right])
    other = np.concatenate([pairs.right, pairs.left])
    scores = np.concatenate([pairs.scores, pairs.scores])
    borders = np.flatnonzero(~is_dense[row] & is_dense[other])
    borders = borders[np.argsort(scores[borders], kind="stable")]  # of a row, the last one stays
    nearest[row[borders]] = other[borders]
    return nearest
