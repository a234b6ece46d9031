"""What a person should label next: the surest, the least sure, or the most different."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import Embeddings

ORDERS = ("confident", "unsure", "diverse")


@dataclass(frozen=True, slots=True)
class Best:
    """The two likeliest labels of N rows."""

    label: NDArray[np.int64]  # (N,)
    probability: NDArray[np.float32]  # (N,) of it
    margin: NDArray[np.float32]  # (N,) how much more likely it is than the second


def best(probabilities: NDArray[np.float32]) -> Best:
    """The likeliest label of each row of probabilities (N, C); C is at least 1."""
    label = probabilities.argmax(axis=1)
    n = np.arange(len(probabilities))
    highest = probabilities[n, label]
    others = probabilities.copy()
    others[n, label] = 0
    return Best(label, highest, highest - others.max(axis=1, initial=0))


def diverse(rows: Embeddings, n: int, known: Embeddings | None = None) -> NDArray[np.int64]:
    """The n of rows (N, D) that stand for the others: each the farthest from all before it.

    The first is the farthest from `known` rows (L, D) or, without any, the nearest to the mean
    (greedy k-center, Gonzalez 1985; for choosing what to label, Sener and Savarese 2018).
    """
    n = min(n, len(rows))
    chosen = np.empty(n, dtype=np.int64)
    if known is not None and len(known):
        nearest = np.max(rows @ known.T, axis=1)  # (N,) cosine to what is known
    else:
        nearest = -(rows @ rows.mean(axis=0))
    for i in range(n):
        chosen[i] = place = int(np.argmin(nearest))
        scores = rows @ rows[place]
        nearest = scores if i == 0 and known is None else np.maximum(nearest, scores)
        nearest[chosen[: i + 1]] = np.inf
    return chosen
