"""Cluster labels and what people decided -> labels that honour it.

All labels here are dense, (G,): a place for every region that any of the runs at hand is over, so
that runs can be laid over each other. ABSENT is a region that a run is not over, -1 is noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import ClusterLabels

ABSENT = -2
NOISE = -1
LEAST_OVERLAP = 1 / 3  # Jaccard: two groups of one size share half of their members


@dataclass(frozen=True, slots=True)
class Link:
    """Two regions that must, or cannot, be in one cluster."""

    one: int  # places in (G,)
    other: int
    number: int = -1  # of the cluster that it may have to make


@dataclass(frozen=True, slots=True)
class Linked:
    """Labels after links."""

    labels: ClusterLabels  # (G,)
    firmness: NDArray[np.float32]  # (G,), 1 where a link put a region


def counterpart(
    members: NDArray[np.bool_], there: NDArray[np.bool_], labels: ClusterLabels
) -> int | None:
    """The cluster of another run that a group is, if any is.

    `members` (G,) is the group, `there` (G,) all regions of the group's own run. Only regions of
    both runs count. It is the cluster with the largest Jaccard index, if that is 1/3 or more.
    """
    return assign([members], [there], labels)[0]


def home(members: NDArray[np.bool_], labels: ClusterLabels) -> int | None:
    """The cluster that at least half of a group (G,) is in, of those that are in one.

    Unlike `counterpart` it does not ask what else the cluster holds: a small group may be at home
    in a large one. That is how a merge is seen to be done already, or a split not yet.
    """
    clustered = labels[members & (labels >= 0)]
    if not len(clustered):
        return None
    clusters, sizes = np.unique(clustered, return_counts=True)
    largest = int(sizes.argmax())
    return int(clusters[largest]) if 2 * sizes[largest] >= len(clustered) else None


def assign(
    groups: Sequence[NDArray[np.bool_]],
    there: Sequence[NDArray[np.bool_]],
    labels: ClusterLabels,
) -> list[int | None]:
    """For each of A groups (G,) the cluster that it is, one to one, as well as possible overall.

    `there` are the regions of each group's own run (G,). The assignment with the largest sum of
    Jaccard indices (Kuhn 1955); None where a group gets none of 1/3 or more.
    """
    from scipy.optimize import linear_sum_assignment

    clusters = np.unique(labels[labels >= 0])
    if not len(groups) or not len(clusters):
        return [None] * len(groups)
    overlaps = np.stack(
        [_jaccard(g, t, labels, clusters) for g, t in zip(groups, there, strict=True)]
    )  # (A, C)
    found: list[int | None] = [None] * len(groups)
    for group, column in zip(*linear_sum_assignment(-overlaps), strict=True):
        if overlaps[group, column] >= LEAST_OVERLAP:
            found[group] = int(clusters[column])
    return found


def _jaccard(
    members: NDArray[np.bool_],
    there: NDArray[np.bool_],
    labels: ClusterLabels,
    clusters: NDArray[np.integer],
) -> NDArray[np.float64]:
    """(C,) how much of a group and of each cluster is shared, among regions of both runs."""
    place = np.searchsorted(clusters, labels)  # noise gets 0 here: `clustered` leaves it out
    clustered = there & (labels >= 0)
    sizes = np.bincount(place[clustered], minlength=len(clusters))
    shared = np.bincount(place[clustered & members], minlength=len(clusters))
    # Noise of the other run counts against the group, but what that run was not over does not:
    # pictures come and go between runs, and say nothing of how alike two clusters are.
    size = int((members & (labels != ABSENT)).sum())
    either: NDArray[np.float64] = shared / np.maximum(size + sizes - shared, 1)
    return either


def link(
    labels: ClusterLabels,
    firmness: NDArray[np.float32],
    musts: Sequence[Link],
    cannots: Sequence[Link],
) -> Linked:
    """Bring together what must be, then part what cannot be, whatever algorithm made the labels.

    Regions that must be together join the cluster of the firmest of them; where all of them are
    noise, they become a cluster. Of two that cannot be together, one leaves with all that must be
    with it: the fewer, or of as many, the less firm. Alone it becomes noise, several become a
    cluster. A link's `number` is that of the cluster which it may have to make.
    """
    labels, firmness = labels.copy(), firmness.copy()
    together: dict[int, list[int]] = {}
    group_of = groups(musts)
    for place, group in group_of.items():
        together.setdefault(group, []).append(place)
    for group, places in together.items():
        number = next(must.number for must in musts if group_of[must.one] == group)
        to = _home(labels, firmness, places, number)
        moved = [place for place in places if labels[place] != to]
        labels[moved], firmness[moved] = to, 1  # a person is surer than any algorithm
    for cannot in cannots:
        pair = (cannot.one, cannot.other)
        if labels[cannot.one] == labels[cannot.other] != NOISE:  # noise is not together
            sides = [together[group_of[p]] if p in group_of else [p] for p in pair]
            leaving = min(sides, key=lambda side: (len(side), max(firmness[side])))
            is_alone = len(leaving) == 1
            labels[leaving], firmness[leaving] = (NOISE, 0) if is_alone else (cannot.number, 1)
    return Linked(labels, firmness)


def _home(
    labels: ClusterLabels, firmness: NDArray[np.float32], places: list[int], number: int
) -> int:
    """Where regions that must be together go: to the firmest, or to a cluster of their own."""
    clustered = [place for place in places if labels[place] >= 0]
    if not clustered:
        return number
    # Of equals the first: the answer must not depend on the order of the links.
    return int(labels[max(clustered, key=lambda place: (firmness[place], -place))])


def groups(musts: Sequence[Link]) -> dict[int, int]:
    """Which group each place of some links belongs to, link by link and through others."""
    group_of: dict[int, int] = {}
    for must in musts:
        a = group_of.setdefault(must.one, must.one)
        b = group_of.setdefault(must.other, must.other)
        group_of |= {place: a for place, group in group_of.items() if group == b}
    return group_of


def contradiction(musts: Sequence[Link], cannots: Sequence[Link]) -> Link | None:
    """A pair that cannot be together although it must, if there is one."""
    group_of = groups(musts)
    for cannot in cannots:
        if cannot.one in group_of and group_of[cannot.one] == group_of.get(cannot.other):
            return cannot
    return None
