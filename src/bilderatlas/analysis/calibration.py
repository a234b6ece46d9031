"""Raw cosines -> how surely a region answers the query, and how many images do.

What cosine is high differs from space to space, from words to pictures, and from a whole picture to
its parts. So unrelated queries are asked first, and their scores are the `Background`: common words
for words (`PROBES`), pictures of the collection for pictures. A query is then judged by its own
scores and by that background, without labels. docs/search.md has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import Embeddings, Real, Scores, highest_of_each

# Floors, band and presence are round numbers near the best on COCO; other collections were looked
# at, but not tuned on. 1.75 for 2.0 gains on wide words and loses on mixed piles (docs/log.md,
# "relevance and the cut-off, again").
WORDS_FLOOR = 2.0  # spreads over the mean of unrelated words: 97 % of their pairs stay below
PICTURES_FLOOR = 1.0  # a collection's pictures are less unrelated to each other than words are
BAND = 1.0  # spreads that the cut-off may lie above the floor
PRESENCE = 0.5  # spreads that the best image must lie above the floor
# Fitted by logistic regression over COCO and clothing: slope 1.44 a spread, -1.15 at the cut;
# e^1.44 is 4.2, e^-1.15 is 0.32.
ODDS_AT_CUT = 1 / 3
ODDS_PER_SPREAD = 4.0
DOUBTFUL = 0.25  # what ODDS_AT_CUT is as a probability: the two change together
LIKELY = 0.5

N_TO_JUDGE = 8  # fewer images say nothing of what is usual
N_PICTURES = 100  # asked for a background
N_ROWS = 10_000  # regions that they are compared with
N_OF_KIND = 30  # regions of a kind that has a level of its own
TOP = 3  # the rank that stands for the best: one or two may be copies of the query
N_FOR_TOP = 100  # among fewer it is the best itself
SMALLEST_SPREAD = 0.01  # where all scores are the same, as among copies: it is divided by

# Every second of the 200 "picturable things" of Basic English (Ogden 1930).
PROBES = (
    *("angle", "apple", "arm", "baby", "ball", "basin", "bath", "bee", "berry", "blade", "boat"),
    *("book", "bottle", "boy", "brake", "brick", "brush", "bulb", "cake", "card", "carriage"),
    *("chain", "chest", "church", "clock", "coat", "comb", "cow", "curtain", "dog", "drain"),
    *("dress", "ear", "engine", "face", "feather", "fish", "floor", "foot", "fowl", "garden"),
    *("glove", "gun", "hammer", "hat", "heart", "horn", "hospital", "island", "kettle", "knee"),
    *("knot", "leg", "line", "lock", "match", "moon", "muscle", "neck", "nerve", "nose", "office"),
    *("oven", "pen", "picture", "pin", "plane", "plough", "pot", "prison", "rail", "receipt"),
    *("rod", "root", "school", "screw", "sheep", "ship", "shoe", "skirt", "sock", "sponge"),
    *("spring", "stamp", "station", "stick", "stomach", "street", "table", "thread", "thumb"),
    *("toe", "tooth", "train", "tree", "umbrella", "watch", "whip", "window", "wire"),
)


@dataclass(frozen=True, slots=True)
class Background:
    """What queries score that have nothing to do with the pictures, by mean and spread (sigma).

    K kinds of region; 0 is the whole picture. `levels` (2, K) are the means and spreads of the
    regions of a kind, `whole_levels` (2, K) those of the whole pictures that they are parts of.
    """

    mean: float  # of images, each by its best region
    spread: float
    floor: float  # spreads over the mean that a match reaches
    levels: NDArray[np.float64]
    whole_levels: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the scores of one query say."""

    relevance: NDArray[np.float64]  # (N,) of every region, in 0..1
    cut: float  # the score of a whole picture from which an image is no background


@dataclass(frozen=True, slots=True)
class Counts:
    """How many images answer a query, each by its best region."""

    n_likely: int  # relevance LIKELY and more
    n_doubtful: int  # below that, but DOUBTFUL and more
    n_background: int  # all others that were searched


def blind(n_kinds: int) -> Background:
    """The background where there is too little to measure one: the cut-off is a cosine of 0.5."""
    levels = np.tile([[0.0], [0.25]], n_kinds)
    return Background(0.0, 0.25, 2.0, levels, levels)


def measure(
    probes: Embeddings,
    embeddings: Embeddings,
    image_of: NDArray[np.integer],
    kinds: NDArray[np.integer],
    *,
    floor: float,
    owners: NDArray[np.integer] | None = None,
) -> Background:
    """What P unrelated queries score among N regions.

    `probes` is (P, D), `embeddings` (N, D), `image_of` (N,) numbers each row's image from 0,
    `kinds` (N,) its kind of region from 0, which is the whole picture. `owners` (P,) are the images
    that probes were taken from, which they are not compared with; `floor` is WORDS_FLOOR or
    PICTURES_FLOOR. About N_ROWS regions are taken, all those of every so many images.

    Crops score on another level than whole pictures. So the scores of a kind's regions are set
    against those of the whole pictures that the regions come from, by the same probes: what the
    pictures show is then the same on both sides. Kinds with few regions go by all parts together.
    """
    n_kinds = int(kinds.max(initial=0)) + 1
    rows = np.flatnonzero(image_of % max(1, len(image_of) // N_ROWS) == 0)  # (S,)
    rows = rows[np.argsort(image_of[rows], kind="stable")]
    image_of, kinds = image_of[rows], kinds[rows]
    starts = np.flatnonzero(np.diff(image_of, prepend=-1))  # (M,)
    if not len(probes) or len(starts) < (1 if owners is None else N_TO_JUDGE):
        return blind(n_kinds)
    scores = np.asarray(probes @ embeddings[rows].T, dtype=np.float32)  # (P, S)
    if owners is not None:  # a picture scores 1 with itself, and high with its own parts
        scores[owners[:, np.newaxis] == image_of] = np.nan
    wholes = scores[:, _whole_of_each(image_of, kinds, starts)]  # (P, S)
    groups = [_rows_like(kind, kinds) for kind in range(n_kinds)]
    levels = np.stack([_level(scores[:, group]) for group in groups], axis=1)  # (2, K)
    whole_levels = np.stack([_level(wholes[:, group]) for group in groups], axis=1)  # (2, K)
    comparable = _comparable(scores, kinds, levels, whole_levels)
    mean, spread = _level(np.maximum.reduceat(comparable, starts, axis=1))
    return Background(float(mean), float(spread), floor, levels, whole_levels)


def mixed(backgrounds: Sequence[Background], shares: NDArray[np.float64]) -> Background:
    """The background of a query that is the sum of Q queries, each times its share (Q,).

    Unrelated queries are independent, so means add up by share and variances by its square. What
    is to be unlike the pictures adds to the mean alone: a match is one that it leaves as it was.
    The floor is the mean of the others', each counting by its part in the spread.
    """
    wanted = np.maximum(shares, 0)  # (Q,)
    # Not all 0: a query that only says what pictures should not show is refused (`queries`).
    spreads = wanted * [background.spread for background in backgrounds]
    return Background(
        mean=float(shares @ [background.mean for background in backgrounds]),
        spread=float(np.linalg.norm(spreads)),
        floor=float(spreads @ [background.floor for background in backgrounds] / spreads.sum()),
        levels=_sum([background.levels for background in backgrounds], shares),
        whole_levels=_sum([background.whole_levels for background in backgrounds], shares),
    )


def judge(
    scores: Scores,
    kinds: NDArray[np.integer],
    image_of: NDArray[np.integer],
    background: Background,
    *,
    counted: NDArray[np.bool_] | None = None,
) -> Judgement:
    """Say how surely each of N regions answers the query, and from which score on.

    `scores`, `kinds`, `image_of` and `counted` (which rows are searched) are (N,). Scores of parts
    are brought to the level of whole pictures; an image is as good as its best region. The cut-off
    lies half way between the median image and the best (the third best among 100 and more), but
    not below the background's floor nor BAND above it. Where even the best does not reach PRESENCE
    above the floor, all is background. At the cut-off the odds are 1 to 3, and each spread of the
    background more makes them four times as good.

    That is where F1 is highest: for honest probabilities at half of what it reaches (Lipton, Elkan
    and Naryanaswamy 2014, arXiv:1402.1892).
    """
    level = _comparable(scores, kinds, background.levels, background.whole_levels)  # (N,)
    searched = level if counted is None else np.where(counted, level, -np.inf)
    cut = _cut(_best_of_each_image(searched, image_of), background)
    return Judgement(_relevance(level, cut, background.spread), cut)


def odds(scores: Scores, kinds: NDArray[np.integer], background: Background) -> NDArray[np.float64]:
    """The odds (N,) that each of N regions answers a query, by its score (N,) alone.

    At the background's floor they are even, and each spread more makes them four times as good.
    Unlike in `judge` they do not depend on how well other regions answer. `kinds` is (N,).
    """
    level = _comparable(scores, kinds, background.levels, background.whole_levels)  # (N,)
    floor = background.mean + background.floor * background.spread
    # 30 spreads are odds of 10^18: more says nothing, and overflows float32.
    above = np.clip((level - floor) / background.spread, -30, 30).astype(np.float64)  # spreads
    return np.asarray(ODDS_PER_SPREAD**above)


def count(
    relevance: NDArray[np.float64],
    image_of: NDArray[np.integer],
    counted: NDArray[np.bool_] | None = None,
) -> Counts:
    """Count the images by the relevance of their best region that is searched; all are (N,)."""
    searched = relevance if counted is None else np.where(counted, relevance, -np.inf)
    best = _best_of_each_image(searched, image_of)
    n_likely, n_found = int((best >= LIKELY).sum()), int((best >= DOUBTFUL).sum())
    return Counts(n_likely, n_found - n_likely, len(best) - n_found)


def _best_of_each_image(values: NDArray[Real], image_of: NDArray[np.integer]) -> NDArray[Real]:
    """(M,) of the images that have a region whose value is a number, by the highest of them."""
    best = highest_of_each(values, image_of)
    with_a_number: NDArray[Real] = best[np.isfinite(best)]
    return with_a_number


def _cut(best: Scores, background: Background) -> float:
    """The level from which the images (M,), each by its best region, are no background."""
    floor = background.mean + background.floor * background.spread
    presence = floor + PRESENCE * background.spread
    if best.max(initial=-np.inf) < presence:
        return presence  # above every image, so that all are background
    if len(best) < N_TO_JUDGE:
        return floor
    # Most images do not answer: the median is this query's own background, the best its match.
    # Half way alone finds something for every query (.59 of the best F1 on mixed piles; .85 with
    # bounds), so what unrelated queries score bounds it on both sides.
    rank = TOP if len(best) >= N_FOR_TOP else 1
    half_way = (float(np.median(best)) + float(np.partition(best, -rank)[-rank])) / 2
    return min(max(half_way, floor), floor + BAND * background.spread)


def _relevance(level: Scores, cut: float, spread: float) -> NDArray[np.float64]:
    above = np.clip((level - cut) / spread, -30, 30)  # spreads
    return np.asarray(1 / (1 + ODDS_PER_SPREAD**-above / ODDS_AT_CUT), dtype=np.float64)


def _comparable(
    scores: Scores,
    kinds: NDArray[np.integer],
    levels: NDArray[np.float64],
    whole_levels: NDArray[np.float64],
) -> Scores:
    """Scores (..., N) as if every region were a whole picture."""
    if levels.shape[1] == 1:
        return scores
    scale = whole_levels[1] / levels[1]  # (K,)
    shift = whole_levels[0] - scale * levels[0]  # (K,)
    return np.asarray(scores * scale[kinds] + shift[kinds], dtype=np.float32)


def _whole_of_each(
    image_of: NDArray[np.integer], kinds: NDArray[np.integer], starts: NDArray[np.integer]
) -> NDArray[np.int64]:
    """(S,) for each row that of its image's whole picture, or itself where there is none."""
    own = np.arange(len(kinds))
    at = np.maximum.reduceat(np.where(kinds == 0, own, -1), starts)  # (M,)
    whole = np.repeat(at, np.diff(starts, append=len(kinds)))
    return np.where(whole < 0, own, whole)


def _rows_like(kind: int, kinds: NDArray[np.integer]) -> NDArray[np.bool_]:
    """(S,) the rows to know a kind of region by: its own, else all parts, else whole pictures."""
    own: NDArray[np.bool_] = kinds == kind
    parts: NDArray[np.bool_] = kinds > 0
    if kind == 0 or own.sum() >= N_OF_KIND:
        return own
    return parts if parts.sum() >= N_OF_KIND else np.asarray(kinds == 0)


def _level(scores: Scores) -> NDArray[np.float64]:
    """(2,) mean and spread of all scores that are numbers."""
    known = scores[np.isfinite(scores)]
    if not len(known):
        return np.array([0.0, SMALLEST_SPREAD])
    return np.array([known.mean(), max(float(known.std()), SMALLEST_SPREAD)])


def _sum(levels: Sequence[NDArray[np.float64]], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means and spreads (2, K) of a sum of independent scores."""
    of_all = np.stack(levels)  # (Q, 2, K)
    return np.stack([shares @ of_all[:, 0], np.sqrt(shares**2 @ of_all[:, 1] ** 2)])
