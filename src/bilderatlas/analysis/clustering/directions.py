"""The main directions of embeddings: what tells pictures apart, without what all have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import Embeddings, to_unit_length

SAME = 1e-6  # rounding, not a difference between pictures

_N_DIRECTIONS = 30  # 50 gains nothing on labelled pictures and takes HDBSCAN 1.7 times as long
_N_PCA_SAMPLE = 20_000  # rows that the directions are learnt from
_N_ROWS = 65_536  # turned at once

Rows = NDArray[np.float64]  # (N, <= 30), of length 1


def main(embeddings: Embeddings, seed: int, *, only: NDArray[np.intp] | None = None) -> Rows:
    """Centre (N, D), keep at most 30 principal directions, make rows unit length again.

    With `only` (M,), the result holds those rows alone; the directions are the same. Half
    precision is read as it is, a few rows at a time. Rows that are all the same become zeros.
    """
    from sklearn.decomposition import PCA

    learnt = embeddings[sample(len(embeddings), _N_PCA_SAMPLE, seed)].astype(np.float32)
    pca = PCA(min(_N_DIRECTIONS, *learnt.shape), random_state=seed).fit(learnt)
    wanted = np.arange(len(embeddings)) if only is None else only
    rows = np.zeros((len(wanted), pca.n_components_))
    if all_same(embeddings):
        return rows
    for start in range(0, len(wanted), _N_ROWS):
        part = embeddings[wanted[start : start + _N_ROWS]].astype(np.float32, copy=False)
        # Doubles: sums of threads differ in the last bit with their order; labels must not.
        rows[start : start + _N_ROWS] = to_unit_length(pca.transform(part))
    return rows


def sample(n: int, at_most: int, seed: int) -> NDArray[np.intp]:
    """Which rows to look at: all n, or `at_most` of them in order."""
    if n <= at_most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, at_most, replace=False))


def all_same(embeddings: Embeddings) -> bool:
    """Whether no row (N, D) differs from another by more than rounding."""
    return bool((embeddings.max(axis=0) - embeddings.min(axis=0)).max() <= SAME)
