"""Query embeddings -> the nearest regions -> the images that they are parts of.

Exact: one product of the query with all embeddings in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import Embeddings, Scores, highest_of_each

ROUNDING = 1e-6  # the cosine of a float32 vector with itself may be as much below 1
N_FOR_SPREAD = 20_000
SMALLEST_SPREAD = 0.01
N_TO_BALANCE = 8  # fewer scores say nothing of what is usual
AGGREGATES = ("max", "mean")
WAYS = ("picture", "words", "meaning", "label")  # by which a region may match


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for some regions beside their pictures."""

    way: str  # one of WAYS
    rows: NDArray[np.int64]  # (E,) different ones
    relevance: NDArray[np.float64]  # (E,) in 0..1


@dataclass(frozen=True, slots=True)
class NearestImages:
    """The best images for one query, best first."""

    images: NDArray[np.int64]  # (K,) numbers of images
    scores: Scores  # (K,) of their best regions
    relevance: NDArray[np.float64]  # (K,) in 0..1
    rows: tuple[NDArray[np.int64], ...]  # (K,) of the rows of each, best first
    row_shares: NDArray[np.float64]  # of all those rows, one after the other; 1 an image in sum


def cosines(query: Embeddings, embeddings: Embeddings) -> Scores:
    """The score (N,) of every region: the cosine of the query (D,) and its embedding (N, D)."""
    scores: Scores = np.clip(embeddings @ query, -1, 1)
    return scores


def combine(
    relevance: NDArray[np.floating], read: Sequence[Evidence]
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """What speaks for each region altogether (N,), and which of `WAYS` says the most (N,).

    `relevance` (N,) is that of its picture. Whatever speaks for a region does so independently: it
    is irrelevant only if by each of them it is, 1 - (1 - p) * (1 - q) (the noisy or, Pearl 1988).
    """
    combined = np.array(relevance, dtype=np.float64)
    strongest = combined.copy()
    ways = np.zeros(len(combined), dtype=np.int8)
    for evidence in read:
        rows = evidence.rows
        combined[rows] += evidence.relevance * (1 - combined[rows])
        says_more = evidence.relevance > strongest[rows]
        strongest[rows[says_more]] = evidence.relevance[says_more]
        ways[rows[says_more]] = WAYS.index(evidence.way)
    return combined, ways


def nearest(
    scores: Scores,
    relevance: NDArray[np.float64],
    image_of: NDArray[np.integer],
    weights: NDArray[np.float64],
    *,
    k: int | None = None,
    aggregate: str = "max",
) -> NearestImages:
    """Find the k images whose regions are the most relevant; all that count without `k`.

    `scores`, `relevance`, `image_of` (the number of each row's image, from 0) and `weights` are
    (N,); a row of weight 0 does not count. With `aggregate` "max" an image ranks by its best
    region, by weight * relevance, and has that region's score and relevance. With "mean" it ranks
    by the mean relevance of its regions, each counting by its weight, and that is its relevance.
    Images of one rank go by their highest score.

    The share of a region is its weight * relevance over the sum of those of its image.
    """
    worth = weights * relevance  # (N,)
    counted = weights > 0
    ranks = (
        _mean_of_each_image(relevance, weights, image_of)  # (M,)
        if aggregate == "mean"
        else highest_of_each(np.where(counted, worth, -np.inf), image_of)
    )
    highest = highest_of_each(np.where(counted, scores, -np.inf), image_of)  # (M,)
    images = _top(ranks, highest, k)
    rows = _rows_of(images, image_of, counted, worth, scores)
    listed = np.concatenate([np.empty(0, np.int64), *rows])
    starts = np.cumsum([0, *map(len, rows)])[:-1]
    best = listed[starts]  # (K,)
    return NearestImages(
        images,
        scores[best],
        ranks[images] if aggregate == "mean" else relevance[best],
        rows,
        _shares(worth[listed], starts),
    )


def balance(
    queries: Embeddings, weights: Sequence[float], embeddings: Embeddings
) -> NDArray[np.float64]:
    """How much each of Q queries counts (Q,) in their sum, a query of length 1.

    A picture's scores spread otherwise than a word's (the modality gap, Liang et al. 2022), so
    each query (Q, D) counts by its weight over the standard deviation of its scores in the
    collection (N, D): the sum ranks by how far each of them stands out. Zeros where the queries
    cancel each other out.
    """
    shares = np.asarray(weights, dtype=np.float64)
    if len(embeddings) >= N_TO_BALANCE:
        sample = embeddings[:: max(1, len(embeddings) // N_FOR_SPREAD)]
        shares /= np.maximum(np.std(queries @ sample.T, axis=1), SMALLEST_SPREAD)  # (Q,)
    shares /= np.abs(shares).sum()
    length = float(np.linalg.norm(shares @ queries))
    return shares / length if length > 1e-4 else np.zeros(len(shares))


def _mean_of_each_image(
    values: NDArray[np.float64], weights: NDArray[np.float64], image_of: NDArray[np.integer]
) -> NDArray[np.float64]:
    total = np.bincount(image_of, weights)
    sums = np.bincount(image_of, weights * values)
    means: NDArray[np.float64] = np.full(len(total), -np.inf)
    return np.divide(sums, total, out=means, where=total > 0)


def _top(ranks: NDArray[np.float64], highest: Scores, k: int | None) -> NDArray[np.int64]:
    """Numbers of the k images of the highest rank, best first, then by score, then by number."""
    n = len(ranks) if k is None else min(k, len(ranks))
    floor = np.partition(ranks, -n)[-n] if n < len(ranks) else -np.inf
    above = np.flatnonzero((ranks >= floor) & np.isfinite(ranks))
    return above[np.lexsort((-highest[above], -ranks[above]))][:n]


def _rows_of(
    images: NDArray[np.int64],
    image_of: NDArray[np.integer],
    counted: NDArray[np.bool_],
    worth: NDArray[np.float64],
    scores: Scores,
) -> tuple[NDArray[np.int64], ...]:
    """The rows of each of the images, best first, without those that do not count."""
    if not len(images):
        return ()
    rows = np.flatnonzero(np.isin(image_of, images) & counted)
    rank = np.empty(int(image_of.max()) + 1, dtype=np.int64)
    rank[images] = np.arange(len(images))
    ranks = rank[image_of[rows]]  # whose turn each row's image has among `images`
    order = np.lexsort((-scores[rows], -worth[rows], ranks))
    starts = np.searchsorted(ranks[order], np.arange(1, len(images)))
    return tuple(np.split(rows[order], starts))


def _shares(worth: NDArray[np.float64], starts: NDArray[np.integer]) -> NDArray[np.float64]:
    """What each region adds to its image, whose regions begin at `starts`.

    1 in sum over an image; the same for each where none of them adds anything.
    """
    if not len(starts):
        return worth
    n_rows = np.diff(starts, append=len(worth))
    totals = np.repeat(np.add.reduceat(worth, starts), n_rows)
    equal = 1 / np.repeat(n_rows, n_rows)
    shares: NDArray[np.float64] = np.divide(worth, totals, out=equal, where=totals > 0)
    return shares
