"""Captions as queries -> how often, and how high up, they find the pictures they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import cancellation
from bilderatlas.arrays import Embeddings

KS = (1, 5, 10)
_N_SCORES = 2**24  # held at once, 64 MB


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How well Q captions find their pictures among N."""

    n_queries: int
    n_images: int
    recall_at: dict[int, float]  # k -> share of the queries with a picture of theirs among k
    mean_average_precision: float
    median_rank: float  # of the first picture of theirs; 1 is the top


def retrieval(
    images: Embeddings, texts: Embeddings, relevant: Sequence[NDArray[np.integer]]
) -> Retrieval:
    """Search N pictures (N, J) with Q captions (Q, J); `relevant` lists the pictures of each.

    Recall at k is that of caption benchmarks (Karpathy and Fei-Fei 2015): a hit is one picture of
    the caption among the first k. Average precision as in Manning et al. 2008, section 8.4: the
    mean, over the pictures of a caption, of the precision at each one's rank. A picture as close
    as another one stands after it, so that equal scores are no merit.
    """
    ranks = []
    step = max(1, _N_SCORES // len(images))
    for start in range(0, len(texts), step):
        cancellation.check()
        scores = texts[start : start + step] @ images.T  # (B, N)
        theirs = relevant[start : start + step]
        ranks += [_ranks(row, own) for row, own in zip(scores, theirs, strict=True)]
    first = np.array([found[0] for found in ranks])
    precisions = [np.mean(np.arange(1, len(found) + 1) / found) for found in ranks]
    return Retrieval(
        n_queries=len(texts),
        n_images=len(images),
        recall_at={k: float((first <= k).mean()) for k in KS},
        mean_average_precision=float(np.mean(precisions)),
        median_rank=float(np.median(first)),
    )


def _ranks(scores: NDArray[np.float32], relevant: NDArray[np.integer]) -> NDArray[np.int64]:
    """Ranks from 1 of the relevant pictures, the best first; others as close stand before them."""
    own = np.sort(scores[relevant])[::-1]
    n_reaching = np.array([np.count_nonzero(scores >= score) for score in own])
    n_own_reaching = np.searchsorted(-own, -own, "right")
    return n_reaching - n_own_reaching + np.arange(1, len(own) + 1)
