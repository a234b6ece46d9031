"""Pairs -> groups, in which no two are together that somebody parted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


def groups(
    left: NDArray[np.intp],
    right: NDArray[np.intp],
    strengths: NDArray[np.floating],
    *,
    apart: Iterable[tuple[int, int]] = (),
) -> list[list[int]]:
    """Join rows that P pairs connect, the strongest pair first; each group's rows in their order.

    A pair that would bring two rows of `apart` into one group is passed over.
    """
    group_of: dict[int, list[int]] = {}
    strangers: dict[int, set[int]] = {}
    for one, other in apart:
        strangers.setdefault(one, set()).add(other)
        strangers.setdefault(other, set()).add(one)
    for pair in np.argsort(-strengths, kind="stable").tolist():
        _join(int(left[pair]), int(right[pair]), group_of, strangers)
    found = {id(group): group for group in group_of.values() if len(group) > 1}
    return sorted(sorted(group) for group in found.values())


def _join(
    one: int, other: int, group_of: dict[int, list[int]], strangers: dict[int, set[int]]
) -> None:
    first, second = (group_of.setdefault(row, [row]) for row in (one, other))
    if first is second or _are_parted(first, second, strangers):
        return
    small, large = sorted((first, second), key=len)
    large += small
    for row in small:
        group_of[row] = large


def _are_parted(
    first: Sequence[int], second: Sequence[int], strangers: dict[int, set[int]]
) -> bool:
    return bool(strangers) and any(
        not strangers.get(row, set()).isdisjoint(second) for row in first
    )
