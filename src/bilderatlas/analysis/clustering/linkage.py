"""Clusters that grow together pair by pair, until they are farther apart than a threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.clustering.directions import Rows

N_MOST = 20_000  # rows; their pairs take 1.6 GB, twice


def agglomerative(rows: Rows, threshold: float) -> tuple[NDArray[np.integer], NDArray[np.float32]]:
    """Average linkage (Sokal and Michener 1958), cut at a cosine distance: labels, firmness (N,).

    Firmness is 1 for what joined at distance 0, 0 for what joined at the threshold. A row that
    joins nothing is noise.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    pairs = np.maximum(pdist(rows, "cosine"), 0)  # rounding puts copies below 0
    tree = linkage(pairs, "average")  # (N - 1, 4)
    labels = fcluster(tree, threshold, "distance").astype(np.int32)
    labels[np.bincount(labels)[labels] == 1] = -1
    joined = np.full(len(rows), np.inf)
    for left, right, height, _ in tree[::-1]:  # the lowest merge of a row is written last
        for side in (left, right):
            if side < len(rows):
                joined[int(side)] = height
    return labels, np.clip(1 - joined / threshold, 0, 1).astype(np.float32)
