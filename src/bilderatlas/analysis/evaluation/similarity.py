"""Embeddings and their classes -> how alike rows of the same and of other classes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import cancellation
from bilderatlas.analysis.evaluation.agreement import Classes
from bilderatlas.arrays import Embeddings, Scores

Matrix = NDArray[np.float64]

N_FOR_ALL_PAIRS = 1500  # rows of which every pair is compared: 1.1 million
N_DRAWN = 300_000  # pairs of each sort that are drawn from more rows
_N_AT_ONCE = 4096  # rows or pairs that are worked on at once, 42 MB of 1280 numbers
_BINS = np.linspace(-1, 1, 101)


@dataclass(frozen=True, slots=True)
class Separation:
    """How well one threshold on the cosine tells pairs of the same class from other pairs."""

    threshold: float  # pairs at least as alike are taken for the same class
    n_same: int  # pairs of the same class that were looked at
    n_different: int
    same_above: float  # share of the pairs of the same class at or above the threshold
    different_above: float  # share of the other pairs there: the false alarms
    balanced_accuracy: float  # mean of same_above and 1 - different_above; 0.5 is guessing
    auc: float  # how often a pair of the same class is more alike than another pair
    mean_same: float
    mean_different: float
    edges: Matrix  # (B + 1,) of the bins of both histograms
    same: Matrix  # (B,) share of the pairs of the same class in each bin
    different: Matrix  # (B,) share of the others


def class_means(embeddings: Embeddings, classes: Classes) -> Matrix:
    """(C, C) mean cosine of two different rows, one of each class.

    The diagonal is how alike a class is within; NaN where it has one row. With a thousand classes
    or a million rows the same: the mean of all products is the product of the sums.
    """
    n_classes = int(classes.max()) + 1
    sums = group_sums(embeddings, classes, n_classes)  # (C, D)
    sizes = np.bincount(classes, minlength=n_classes).astype(np.float64)
    squares = np.bincount(classes, np.einsum("nd,nd->n", embeddings, embeddings), n_classes)
    products = sums @ sums.T  # (C, C)
    n_pairs = np.outer(sizes, sizes)
    diagonal = np.arange(n_classes)
    products[diagonal, diagonal] -= squares  # a row is not compared with itself
    n_pairs[diagonal, diagonal] -= sizes
    return np.divide(products, n_pairs, out=np.full_like(products, np.nan), where=n_pairs > 0)


def group_sums(rows: Embeddings, groups: NDArray[np.integer], n_groups: int) -> Matrix:
    """(G, D) the sum of the rows (N, D) of every group; `np.add.at` is slower by far."""
    from scipy.sparse import csr_array

    sums = np.zeros((n_groups, rows.shape[1]))
    for start in range(0, len(rows), _N_AT_ONCE):
        cancellation.check()
        own = groups[start : start + _N_AT_ONCE]
        places = own, np.arange(len(own))
        belongs = csr_array((np.ones(len(own)), places), shape=(n_groups, len(own)))
        sums += belongs @ rows[start : start + _N_AT_ONCE]
    return sums


def likeness_order(means: Matrix) -> NDArray[np.int64]:
    """(C,) an order of the classes in which like ones stand side by side.

    The leaves of average linkage on 1 - mean cosine, turned so that neighbors are as alike as can
    be (Bar-Joseph et al. 2001).
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    if len(means) < 3:
        return np.arange(len(means))
    upper = np.triu_indices(len(means), k=1)
    tree = linkage(np.maximum(1 - means[upper], 0), "average", optimal_ordering=True)
    return np.asarray(leaves_list(tree), dtype=np.int64)


def separation(embeddings: Embeddings, classes: Classes, *, seed: int = 0) -> Separation | None:
    """The threshold that best tells pairs of the same class from others; None without both sorts.

    Best is the largest balanced accuracy (Youden 1950), because other pairs are by far more. Of
    up to 1,500 rows every pair is compared, of more 300,000 pairs of each sort, drawn with `seed`.
    """
    same, different = _pair_scores(embeddings, classes, seed)
    if not len(same) or not len(different):
        return None
    threshold, same_above, different_above = _best_threshold(same, different)
    return Separation(
        threshold=threshold,
        n_same=len(same),
        n_different=len(different),
        same_above=same_above,
        different_above=different_above,
        balanced_accuracy=(same_above + 1 - different_above) / 2,
        auc=_auc(same, different),
        mean_same=float(same.mean()),
        mean_different=float(different.mean()),
        edges=_BINS,
        same=np.histogram(same, _BINS)[0] / len(same),
        different=np.histogram(different, _BINS)[0] / len(different),
    )


def _pair_scores(embeddings: Embeddings, classes: Classes, seed: int) -> tuple[Scores, Scores]:
    """Cosines of pairs of the same class, and of other pairs."""
    if len(embeddings) <= N_FOR_ALL_PAIRS:
        left, right = np.triu_indices(len(embeddings), k=1)
        scores = np.clip(embeddings @ embeddings.T, -1, 1)[left, right]
        is_same = classes[left] == classes[right]
        return scores[is_same], scores[~is_same]
    generator = np.random.default_rng(seed)
    same = _draw_same(classes, generator)
    different = generator.integers(len(classes), size=(2, N_DRAWN))
    different = different[:, classes[different[0]] != classes[different[1]]]
    return _cosines(embeddings, *same), _cosines(embeddings, *different)


def _draw_same(
    classes: Classes, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of different rows of one class, each pair as likely as any other."""
    order = np.argsort(classes, kind="stable")
    sizes = np.bincount(classes)
    starts = np.cumsum(sizes) - sizes
    n_others = sizes[classes] - 1.0
    if not n_others.any():
        return order[:0], order[:0]
    left = generator.choice(len(classes), size=N_DRAWN, p=n_others / n_others.sum())
    place = np.empty(len(classes), dtype=np.int64)
    place[order] = np.arange(len(classes))
    own = classes[left]
    step = generator.integers(1, sizes[own])  # to another row of the class, in a ring
    right = order[starts[own] + (place[left] - starts[own] + step) % sizes[own]]
    return left, right


def _cosines(embeddings: Embeddings, left: NDArray[np.int64], right: NDArray[np.int64]) -> Scores:
    scores = np.empty(len(left), dtype=np.float32)
    for start in range(0, len(left), _N_AT_ONCE):
        cancellation.check()
        some = slice(start, start + _N_AT_ONCE)
        scores[some] = np.einsum("pd,pd->p", embeddings[left[some]], embeddings[right[some]])
    return np.clip(scores, -1, 1)


def _best_threshold(same: Scores, different: Scores) -> tuple[float, float, float]:
    """The threshold, and the shares of both sorts of pairs at or above it.

    It lies half way between the last score above and the first one below.
    """
    values = np.unique(np.concatenate([same, different]))
    above = [1 - np.searchsorted(np.sort(of), values) / len(of) for of in (same, different)]
    best = int(np.argmax(above[0] - above[1]))
    below = values[best - 1] if best else values[best]
    return float((values[best] + below) / 2), float(above[0][best]), float(above[1][best])


def _auc(same: Scores, different: Scores) -> float:
    """The share of (same, other) pairs of pairs in the right order, ties counting half.

    The area under the ROC curve, as Mann and Whitney 1947 have it.
    """
    others = np.sort(different)
    lower = np.searchsorted(others, same, "left").astype(np.float64)
    lower += np.searchsorted(others, same, "right")
    return float(lower.mean() / 2 / len(others))
