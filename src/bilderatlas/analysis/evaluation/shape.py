"""Embeddings and their clusters -> how close together each lies, and which lie beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.evaluation.similarity import Matrix, group_sums
from bilderatlas.arrays import ClusterLabels, Embeddings

_N_AT_ONCE = 4096  # rows, 21 MB of 1280 numbers
_N_CENTRES = 512  # that are compared with all others at once
_SAME = 1e-12  # the length of a sum that points nowhere


@dataclass(frozen=True, slots=True)
class Shape:
    """Where C clusters of N rows lie."""

    clusters: NDArray[np.int64]  # (C,) their numbers, rising
    centres: Matrix  # (C, D) the means of their rows, of length 1
    tightness: Matrix  # (C,) mean cosine of the rows of each to its centre
    closeness: NDArray[np.float32]  # (N,) cosine of each row to its centre; 0 for noise

    def nearest(self, k: int) -> tuple[NDArray[np.int64], Matrix]:
        """The k clusters nearest to each, (C, k) places in `clusters` and cosines of centres."""
        k = max(0, min(k, len(self.clusters) - 1))
        places = np.empty((len(self.clusters), k), np.int64)
        found = np.empty((len(self.clusters), k))
        for start in range(0, len(self.clusters), _N_CENTRES):
            own = np.arange(start, min(start + _N_CENTRES, len(self.clusters)))
            cosines = self.centres[own] @ self.centres.T  # (B, C)
            cosines[np.arange(len(own)), own] = -np.inf
            places[own] = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
            found[own] = np.take_along_axis(cosines, places[own], axis=1)
        return places, found


def shape(embeddings: Embeddings, labels: ClusterLabels) -> Shape:
    """Measure the clusters of rows (N, D) of length 1; label -1 is noise.

    The mean cosine of rows to their mean's direction is the length of that mean (Mardia and Jupp
    2000, Directional Statistics, section 9.2), so one sum over the rows tells both.
    """
    clusters, sizes = np.unique(labels[labels >= 0], return_counts=True)
    n = len(clusters)
    groups = np.where(labels < 0, n, np.searchsorted(clusters, labels))  # noise is the last one
    sums = group_sums(embeddings, groups, n + 1)[:n]  # (C, D)
    lengths = np.linalg.norm(sums, axis=1)  # (C,)
    centres = sums / np.maximum(lengths, _SAME)[:, np.newaxis]
    tightness = np.minimum(lengths / sizes, 1)
    return Shape(clusters.astype(np.int64), centres, tightness, _to(centres, embeddings, groups))


def _to(
    centres: Matrix, embeddings: Embeddings, groups: NDArray[np.integer]
) -> NDArray[np.float32]:
    """(N,) the cosine of each row to the centre of its group; to that after the last, 0."""
    targets = np.vstack([centres, np.zeros((1, embeddings.shape[1]))]).astype(np.float32)
    cosines = np.empty(len(embeddings), np.float32)
    for start in range(0, len(embeddings), _N_AT_ONCE):
        some = slice(start, start + _N_AT_ONCE)
        cosines[some] = np.einsum("nd,nd->n", embeddings[some], targets[groups[some]])
    return np.clip(cosines, -1, 1)
