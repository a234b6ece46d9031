"""Query embeddings -> the nearest regions -> the images that they are parts of.

Exact: one product of the query with all embeddings in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import Embeddings, Scores

MAD_TO_SIGMA = 1.4826  # median absolute deviation of a normal distribution -> its sigma
TAIL_DEGREES = 5
EXPECTED_SHARE = 1 / 300
ROUNDING = 1e-6  # the cosine of a float32 vector with itself may be as much below 1
N_FOR_BACKGROUND = 20_000
SMALLEST_SPREAD = 0.01
N_TO_JUDGE = 8  # fewer images say nothing of what is usual


@dataclass(frozen=True, slots=True)
class Found:
    """The best images for one query, closest first."""

    images: NDArray[np.int64]  # (K,) numbers of images
    scores: Scores  # (K,) of their best regions
    relevance: NDArray[np.float64]  # (K,) in 0..1
    rows: tuple[NDArray[np.int64], ...]  # (K,) of the rows of each, best first
    row_scores: Scores  # of all those rows, one after the other


def nearest(
    query: Embeddings,
    embeddings: Embeddings,
    image_of: NDArray[np.integer],
    *,
    k: int | None = None,
    threshold: float | None = None,
    allowed: NDArray[np.bool_] | None = None,
) -> Found:
    """Find the k images whose best region is closest to the query.

    `query` is (D,), `embeddings` (N, D), `image_of` (N,) numbers each row's image from 0, and
    `allowed` (N,) says which rows count. The score is the cosine; below `threshold` nothing is
    found, and without `k` everything above it is.
    """
    scores = np.clip(embeddings @ query, -1, 1)  # (N,)
    if allowed is not None:
        scores = np.where(allowed, scores, -np.inf).astype(np.float32)
    best = _best_of_each_image(scores, image_of)  # (M,)
    images = _top(best, k, -np.inf if threshold is None else threshold)
    rows = _rows_of(images, image_of, scores)
    row_scores = scores[np.concatenate([np.empty(0, np.int64), *rows])]
    return Found(images, best[images], relevance(best, images), rows, row_scores)


def mix(queries: Embeddings, weights: Sequence[float], embeddings: Embeddings) -> Embeddings:
    """One query (D,) that ranks by the weighted sum of how far each of Q queries stands out.

    A picture's scores spread otherwise than a word's (the modality gap, Liang et al. 2022), so
    each query (Q, D) counts by its weight over the standard deviation of its scores in the
    collection (N, D). Zeros where the queries cancel each other out.
    """
    shares = np.asarray(weights, dtype=np.float64)
    if len(embeddings) >= N_TO_JUDGE:
        sample = embeddings[:: max(1, len(embeddings) // N_FOR_BACKGROUND)]
        shares /= np.maximum(np.std(queries @ sample.T, axis=1), SMALLEST_SPREAD)  # (Q,)
    mixed = (shares / np.abs(shares).sum()) @ queries  # (D,)
    length = float(np.linalg.norm(mixed))
    return np.asarray(mixed / length if length > 1e-4 else mixed * 0, dtype=np.float32)


def relevance(scores: Scores, images: NDArray[np.int64]) -> NDArray[np.float64]:
    """How surely each of some images stands out from all of them, 0..1.

    The background is a Student t distribution (5 degrees of freedom: real backgrounds have heavy
    tails) with the median and the median absolute deviation of all scores (M,). P is the share of
    it that reaches the score by chance; relevance is r / (r + P), r being the share of images
    that one expects to be relevant. Measured in docs/log.md.
    """
    from scipy.stats import t as student

    counted = scores[np.isfinite(scores)]
    if len(counted) < N_TO_JUDGE:
        return np.clip(scores[images].astype(np.float64), 0, 1)
    sample = counted[:: max(1, len(counted) // N_FOR_BACKGROUND)]
    middle = np.median(sample)
    spread = max(float(np.median(np.abs(sample - middle))) * MAD_TO_SIGMA, 1e-6)
    by_chance = student.sf((scores[images] - middle) / spread, TAIL_DEGREES)  # (K,)
    return np.asarray(EXPECTED_SHARE / (EXPECTED_SHARE + by_chance))


def _best_of_each_image(scores: Scores, image_of: NDArray[np.integer]) -> Scores:
    n_images = int(image_of.max()) + 1 if len(image_of) else 0
    best = np.full(n_images, -np.inf, dtype=np.float32)
    np.maximum.at(best, image_of, scores)
    return best


def _top(best: Scores, k: int | None, threshold: float) -> NDArray[np.int64]:
    """Numbers of the k best, closest first, ties by number."""
    n = len(best) if k is None else min(k, len(best))
    if n < len(best):
        floor = np.partition(best, -n)[-n]
        threshold = max(threshold, float(floor))
    above = np.flatnonzero((best >= threshold) & np.isfinite(best))
    return above[np.argsort(-best[above], kind="stable")][:n]


def _rows_of(
    images: NDArray[np.int64], image_of: NDArray[np.integer], scores: Scores
) -> tuple[NDArray[np.int64], ...]:
    """The rows of each of the images, best first, without those that do not count."""
    if not len(images):
        return ()
    rows = np.flatnonzero(np.isin(image_of, images) & np.isfinite(scores))
    rank = np.empty(int(image_of.max()) + 1, dtype=np.int64)
    rank[images] = np.arange(len(images))
    ranks = rank[image_of[rows]]  # whose turn each row's image has among `images`
    order = np.lexsort((-scores[rows], ranks))
    starts = np.searchsorted(ranks[order], np.arange(1, len(images)))
    return tuple(np.split(rows[order], starts))
