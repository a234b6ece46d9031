"""The nearest labelled examples vote on what a row shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bilderatlas.analysis import neighbors
from bilderatlas.analysis.neighbors import Neighbors
from bilderatlas.arrays import Embeddings

K = 10
SOFTNESS = 0.09  # of the distance between unlike rows; measured in docs/log.md
LEAST_DISTANCE = 1e-3  # between rows that are all alike
_ROWS_AT_ONCE = 4096


def vote(
    rows: Embeddings,
    examples: Embeddings,
    labels: sparse.csr_array,
    *,
    background: float,
    k: int = K,
) -> NDArray[np.float32]:
    """The probability (N, C) of each label for rows (N, D), by the k nearest of examples (L, D).

    `labels` (L, C) is 1 where an example has a label; it may have several. Neighbors count the
    less the farther they are (distance-weighted voting, Dudani 1976): one that is 9 % of the
    distance between unlike rows farther away counts 1/e. `background` is the cosine of unlike rows;
    one more vote, from as far away as that, goes to no label at all, so that what resembles none of
    the examples has small probabilities.
    """
    k = min(k, len(examples))
    softness = SOFTNESS * max(1 - background, LEAST_DISTANCE)
    shares = np.empty((len(rows), labels.shape[1]), dtype=np.float32)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        near = neighbors.nearest(rows[some], examples, k)
        shares[some] = _shares(near, labels, background, softness)
    return shares


def mean_cosine(embeddings: Embeddings) -> float:
    """The mean cosine of all pairs of rows (N, D): the squared length of their mean."""
    mean = embeddings.mean(axis=0, dtype=np.float64)
    return float(mean @ mean)


def _shares(
    near: Neighbors, labels: sparse.csr_array, background: float, softness: float
) -> NDArray[np.float32]:
    """Votes (B, C) of neighbors (B, k), as parts of all votes."""
    n_rows, k = near.rows.shape
    weights = np.exp((near.scores - 1) / softness)  # (B, k)
    starts = np.arange(0, n_rows * k + 1, k)
    shape = (n_rows, labels.shape[0])
    votes = sparse.csr_array((weights.ravel(), near.rows.ravel(), starts), shape=shape) @ labels
    nobody = np.exp((background - 1) / softness)
    shares: NDArray[np.float32] = votes.toarray() / (weights.sum(axis=1) + nobody)[:, None]
    return shares.astype(np.float32)
