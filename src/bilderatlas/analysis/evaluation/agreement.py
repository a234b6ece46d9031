"""Cluster labels beside the real classes: how well they agree.

Noise never helps a clustering. A noise row is in no pair, so it counts for no row that belongs
together (ARI, precision, recall); where information is measured (NMI, homogeneity, completeness),
the noise rows of a clustering are one group more. Purity is over the rows that are in clusters. So
a clustering that calls everything noise has purity, NMI and ARI 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import ClusterLabels

Classes = NDArray[np.int64]  # (N,) numbers of classes, from 0


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a clustering of N rows agrees with their classes; every share lies in 0..1."""

    n_rows: int
    n_classes: int
    n_clusters: int
    n_noise: int
    purity: float  # share of the clustered rows that are of their cluster's commonest class
    accuracy: float  # share of all rows whose cluster is matched to their class
    nmi: float  # normalised by the arithmetic mean, so it is the V-measure too
    ari: float  # adjusted for chance: 0 is a random clustering, below 0 a worse one
    homogeneity: float  # 1 where no cluster mixes classes
    completeness: float  # 1 where no class is torn apart
    v_measure: float
    pair_precision: float  # of the pairs put together, those that belong together
    pair_recall: float  # of the pairs that belong together, those put together
    pair_f1: float


def agreement(classes: Classes, labels: ClusterLabels) -> Agreement:
    """Compare labels (N,), -1 = noise, with classes (N,).

    ARI: Hubert and Arabie 1985. Homogeneity, completeness, V-measure: Rosenberg and Hirschberg
    2007. NMI with the arithmetic mean is the V-measure (Becker 2011). Accuracy: after the best
    matching of clusters to classes (`matching`).
    """
    assert len(classes) > 0, "agreement is asked of no rows"
    is_clustered = labels >= 0
    cells = _cells(classes, labels)
    clustered = cells.without_noise()
    homogeneity, completeness = _shares_of_entropy(cells)
    precision, recall, ari = _of_pairs(classes, clustered)
    v_measure = _harmonic(homogeneity, completeness)
    return Agreement(
        n_rows=len(classes),
        n_classes=len(np.unique(classes)),
        n_clusters=len(np.unique(labels[is_clustered])),
        n_noise=int((~is_clustered).sum()),
        purity=_purity(clustered),
        accuracy=float((renumbered(classes, labels) == classes).mean()),
        nmi=v_measure,
        ari=ari,
        homogeneity=homogeneity,
        completeness=completeness,
        v_measure=v_measure,
        pair_precision=precision,
        pair_recall=recall,
        pair_f1=_harmonic(precision, recall),
    )


def without_noise(classes: Classes, labels: ClusterLabels) -> Agreement | None:
    """The same over the clustered rows only; None where there are none."""
    is_clustered = labels >= 0
    return agreement(classes[is_clustered], labels[is_clustered]) if is_clustered.any() else None


def matching(classes: Classes, labels: ClusterLabels) -> dict[int, int]:
    """cluster -> class, one to one, so that as many rows as possible are of their class.

    The Hungarian assignment (Kuhn 1955). Clusters beyond the number of classes, and those that
    would share no row with their class, are matched to none.
    """
    from scipy.optimize import linear_sum_assignment

    cells = _cells(classes, labels).without_noise()
    clusters, column = np.unique(cells.label, return_inverse=True)
    found, row = np.unique(cells.of_class, return_inverse=True)
    counts = np.zeros((len(found), len(clusters)), dtype=np.int64)
    counts[row, column] = cells.n
    rows, columns = linear_sum_assignment(counts, maximize=True)
    return {
        int(clusters[j]): int(found[i])
        for i, j in zip(rows, columns, strict=True)
        if counts[i, j] > 0
    }


def renumbered(classes: Classes, labels: ClusterLabels) -> ClusterLabels:
    """Labels (N,) with every cluster numbered as the class that it is matched to.

    Unmatched clusters take the numbers after the last class, noise stays -1.
    """
    matched = matching(classes, labels)
    clusters = np.unique(labels[labels >= 0]).tolist()
    free = int(classes.max()) + 1
    extra = {c: free + i for i, c in enumerate(c for c in clusters if c not in matched)}
    number = {-1: -1} | matched | extra
    values, where = np.unique(labels, return_inverse=True)
    named: ClusterLabels = np.array([number[v] for v in values.tolist()], dtype=np.int32)[where]
    return named


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of the table classes x clusters that are not empty."""

    of_class: NDArray[np.int64]  # (M,)
    label: NDArray[np.int64]  # (M,)
    n: NDArray[np.int64]  # (M,) rows in the cell

    def without_noise(self) -> _Cells:
        kept = self.label >= 0
        return _Cells(self.of_class[kept], self.label[kept], self.n[kept])


def _cells(classes: Classes, labels: ClusterLabels) -> _Cells:
    n_labels = int(labels.max()) + 2  # noise is one
    keys, n = np.unique(classes.astype(np.int64) * n_labels + labels + 1, return_counts=True)
    return _Cells(keys // n_labels, keys % n_labels - 1, n)


def _sums(keys: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    """(M,) for each cell, the sum of `n` over the cells of the same key."""
    _, where = np.unique(keys, return_inverse=True)
    return np.asarray(np.bincount(where, weights=n)[where])


def _purity(clustered: _Cells) -> float:
    if not len(clustered.n):
        return 0.0
    clusters, where = np.unique(clustered.label, return_inverse=True)
    largest = np.zeros(len(clusters))
    np.maximum.at(largest, where, clustered.n)
    return float(largest.sum() / clustered.n.sum())


def _shares_of_entropy(cells: _Cells) -> tuple[float, float]:
    """How much of the classes' entropy the clusters explain, and the other way round."""
    share = cells.n / cells.n.sum()  # (M,)
    of_class, of_label = _sums(cells.of_class, cells.n), _sums(cells.label, cells.n)
    shared = float(share @ np.log(cells.n * cells.n.sum() / (of_class * of_label)))
    explained = []
    for sums in (of_class, of_label):
        entropy = -float(share @ np.log(sums / cells.n.sum()))
        explained.append(float(np.clip(shared / entropy, 0, 1)) if entropy > 0 else 1.0)
    return explained[0], explained[1]


def _of_pairs(classes: Classes, clustered: _Cells) -> tuple[float, float, float]:
    """Precision and recall of pairs put together, and the adjusted Rand index."""
    belonging = _n_pairs(np.bincount(classes))
    _, where = np.unique(clustered.label, return_inverse=True)
    put = _n_pairs(np.bincount(where, weights=clustered.n))
    right = _n_pairs(clustered.n)
    by_chance = belonging * put / max(_n_pairs(np.array([len(classes)])), 1)
    best = (belonging + put) / 2
    ari = (right - by_chance) / (best - by_chance) if best != by_chance else 1.0
    return right / put if put else 0.0, right / belonging if belonging else 0.0, ari


def _n_pairs(sizes: NDArray[np.number]) -> float:
    """How many pairs there are inside groups of these sizes."""
    sizes = sizes.astype(np.float64)
    return float((sizes * (sizes - 1) / 2).sum())


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
