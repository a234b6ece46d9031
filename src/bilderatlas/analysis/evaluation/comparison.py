"""Two clusterings of the same rows: how alike they are, and what became of each cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.evaluation.agreement import matching
from bilderatlas.arrays import ClusterLabels


@dataclass(frozen=True, slots=True)
class Match:
    """A cluster of the first run and the one of the second that continues it."""

    first: int
    second: int
    n_first: int
    n_second: int
    n_shared: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two clusterings of N rows agree."""

    n_shared: int  # N
    ari: float
    nmi: float
    n_moved: int  # rows whose two clusters do not continue each other
    n_into_noise: int  # of those, from a cluster
    n_out_of_noise: int  # of those, into a cluster
    n_noise_first: int
    n_noise_second: int
    matches: tuple[Match, ...]  # by the first clustering's numbers
    only_first: tuple[int, ...]  # clusters that nothing continues
    only_second: tuple[int, ...]  # clusters that continue nothing


def compare(first: ClusterLabels, second: ClusterLabels) -> Comparison:
    """Compare labels (N,) with labels (N,) of the same rows, -1 = noise; neither is the truth.

    Clusters are matched one to one so that as many rows as possible stay (Kuhn 1955). For ARI
    (Hubert and Arabie 1985) and NMI a row of noise is alone: it is with nothing, not with the
    rest of the noise.
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    alone = _alone(first), _alone(second)
    continued = _continued(first, second)
    now = np.array([continued.get(one, -2) for one in first.tolist()], dtype=np.int64)
    now[first < 0] = -1
    left, right = first < 0, second < 0
    sizes = _sizes(first), _sizes(second)
    return Comparison(
        n_shared=len(first),
        ari=float(adjusted_rand_score(*alone)) if len(first) else 1.0,
        nmi=float(normalized_mutual_info_score(*alone)) if len(first) else 1.0,
        n_moved=int((now != second).sum()),
        n_into_noise=int((~left & right).sum()),
        n_out_of_noise=int((left & ~right).sum()),
        n_noise_first=int(left.sum()),
        n_noise_second=int(right.sum()),
        matches=tuple(
            Match(a, b, sizes[0][a], sizes[1][b], int(((first == a) & (second == b)).sum()))
            for a, b in sorted(continued.items())
        ),
        only_first=tuple(sorted(sizes[0].keys() - continued.keys())),
        only_second=tuple(sorted(sizes[1].keys() - set(continued.values()))),
    )


def _continued(first: ClusterLabels, second: ClusterLabels) -> dict[int, int]:
    """Cluster of the first -> cluster of the second."""
    is_clustered = (first >= 0) & (second >= 0)
    if not is_clustered.any():
        return {}
    matched = matching(first[is_clustered].astype(np.int64), second[is_clustered])
    return {one: other for other, one in matched.items()}


def _alone(labels: ClusterLabels) -> NDArray[np.int64]:
    """The labels, every row of noise with a number of its own."""
    numbers = labels.astype(np.int64)
    is_noise = labels < 0
    numbers[is_noise] = labels.max(initial=-1) + 1 + np.arange(is_noise.sum())
    return numbers


def _sizes(labels: ClusterLabels) -> dict[int, int]:
    numbers, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return dict(zip(numbers.tolist(), sizes.tolist(), strict=True))
