"""Values of points -> a few colours and a legend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import natural_order
from bilderatlas.arrays import ClusterLabels

N_COLOURS = 12  # of a palette; a thirteenth would be taken for one of them
# From cool to warm; all hold on paper and on cloth.
RAMP = ("#4b4a9c", "#3f74b0", "#3f9e95", "#6b9a58", "#b0a13f", "#d98b3f", "#c8553d")

Value = str | float | datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend."""

    label: int  # -1 is grey
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Colouring:
    """A label for every point; the colour of label i is colour i of the palette, in turn."""

    title: str
    labels: ClusterLabels  # (N,), -1 = grey
    legend: tuple[Entry, ...]
    is_ramp: bool = False  # the labels are steps of a number: RAMP, not the palette
    is_of_clusters: bool = False  # points of a label lie together, where its name can be written
    run: str | None = None  # the clustering that the labels are of


def by_cluster(labels: ClusterLabels, names: dict[int, str], run: str | None = None) -> Colouring:
    """One colour a cluster of a run, the largest first; noise is grey."""
    numbers, sizes = np.unique(labels, return_counts=True)
    counted = dict(zip(numbers.tolist(), sizes.tolist(), strict=True))
    noise = counted.pop(-1, 0)
    order = sorted(counted, key=lambda label: (-counted[label], label))
    legend = [Entry(label, names.get(label, f"cluster {label}"), counted[label]) for label in order]
    legend += _grey("noise", noise)
    return Colouring("cluster", labels, tuple(legend), is_of_clusters=True, run=run)


def by_value(title: str, values: Sequence[Value]) -> Colouring:
    """One colour a value, the most frequent first.

    Of more than 12 different texts, the 12 most frequent have a colour and the others share grey;
    more than 12 different numbers are cut into 7 steps with as many points in each. Times count
    by their year. Points without a value are grey.
    """
    plain = [value.year if isinstance(value, datetime) else value for value in values]
    kinds = Counter(value for value in plain if value is not None)
    are_numbers = all(isinstance(value, (int, float)) for value in kinds)
    if are_numbers and len(kinds) > N_COLOURS:
        return _by_steps(title, plain)
    return _by_kind(title, plain, kinds, in_order=are_numbers)


def _by_kind(
    title: str, values: Sequence[Any], kinds: Counter[Any], *, in_order: bool
) -> Colouring:
    frequent = sorted(kinds, key=lambda value: (-kinds[value], natural_order.key(str(value))))[
        :N_COLOURS
    ]
    if in_order:
        frequent.sort()
    number = {value: label for label, value in enumerate(frequent)}
    labels = np.array([number.get(value, -1) for value in values], np.int32)
    legend = [Entry(label, _text(value), kinds[value]) for value, label in number.items()]
    n_other = sum(kinds.values()) - sum(entry.size for entry in legend)
    n_none = len(values) - sum(kinds.values())
    grey = _grey(_others(len(kinds) - len(frequent), n_none), n_other + n_none)
    return Colouring(title, labels, (*legend, *grey))


def _by_steps(title: str, values: Sequence[Any]) -> Colouring:
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    known = numbers[np.isfinite(numbers)]
    shares = np.linspace(0, 1, len(RAMP) + 1)[1:-1]
    borders: NDArray[np.float64] = np.unique(np.quantile(known, shares))
    labels = np.searchsorted(borders, numbers, side="right").astype(np.int32)
    labels[~np.isfinite(numbers)] = -1
    legend = []
    for label in range(len(borders) + 1):
        members = numbers[labels == label]
        if len(members):
            span = f"{_text(members.min())} to {_text(members.max())}"
            legend.append(Entry(label, span, len(members)))
    grey = _grey("no value", int((labels == -1).sum()))
    return Colouring(title, labels, (*legend, *grey), is_ramp=True)


def _grey(name: str, size: int) -> tuple[Entry, ...]:
    return (Entry(-1, name, size),) if size else ()


def _others(n_values: int, n_none: int) -> str:
    parts = [f"{n_values:,} other values"] if n_values else []
    return " and ".join([*parts, *(["no value"] if n_none else [])])


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.3g}"
