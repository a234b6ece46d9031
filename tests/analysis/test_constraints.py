"""Labels that honour decisions: tiny arrays, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bilderatlas.analysis import constraints
from bilderatlas.analysis.constraints import ABSENT, NOISE, Link


def labels(*values: int) -> NDArray[np.int32]:
    return np.array(values, np.int32)


def firm(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def group(n: int, *places: int) -> NDArray[np.bool_]:
    mask = np.zeros(n, bool)
    mask[list(places)] = True
    return mask


ALL = np.ones(6, bool)


def test_a_group_is_the_cluster_that_it_shares_most_with() -> None:
    new = labels(4, 4, 4, 7, 7, 7)
    assert constraints.counterpart(group(6, 0, 1), ALL, new) == 4  # 2 of 3
    assert constraints.counterpart(group(6, 2, 3, 4, 5), ALL, new) == 7  # 3 of 4 against 1 of 6


def test_half_of_two_equal_groups_is_enough_and_less_is_not() -> None:
    new = labels(0, 0, 1, 1, 2, 2)
    assert constraints.counterpart(group(6, 0, 2), ALL, new) == 0  # 1 of 3, the first of two
    assert constraints.counterpart(group(6, 0, 2, 4), ALL, new) is None  # 1 of 4 each
    assert constraints.counterpart(group(6, 0), ALL, labels(-1, 0, 0, 0, 0, 0)) is None


def test_what_only_one_of_two_runs_is_over_does_not_count() -> None:
    new = labels(0, 0, 0, 0, 0, 1)  # places 2 to 4 were added since
    old_run = group(6, 0, 1, 5)
    assert constraints.counterpart(group(6, 0, 1), old_run, new) == 0  # 2 of 2
    left = labels(0, ABSENT, ABSENT, ABSENT, 1, 1)  # places 1 to 3 have left
    assert constraints.counterpart(group(6, 0, 1, 2, 3), ALL, left) == 0  # 1 of 1


def test_groups_are_assigned_one_to_one_as_well_as_possible_overall() -> None:
    new = labels(0, 0, 0, 0, 1, 1)
    # Each for itself would take cluster 0: the first shares 3 of 4, the second 2 of 5.
    first, second = group(6, 0, 1, 2), group(6, 2, 3, 4)
    assert constraints.assign([first, second], [ALL, ALL], new) == [0, None]  # 1 of 4 is too little
    assert constraints.assign([first, group(6, 3, 4, 5)], [ALL, ALL], new) == [0, 1]
    assert constraints.assign([], [], new) == []


def test_a_group_is_at_home_where_at_least_half_of_its_clustered_members_are() -> None:
    assert constraints.home(group(6, 0, 1, 2), labels(5, 5, 6, 0, 0, 0)) == 5
    assert constraints.home(group(6, 0, 1, 2), labels(5, NOISE, ABSENT, 0, 0, 0)) == 5
    assert constraints.home(group(6, 0, 1, 2), labels(5, 6, 7, 0, 0, 0)) is None
    assert constraints.home(group(6, 0), labels(NOISE, 0, 0, 0, 0, 0)) is None


def test_linked_regions_join_the_cluster_of_the_firmest() -> None:
    found = constraints.link(labels(0, 1, 1), firm(0.4, 0.9, 0.8), [Link(0, 1)], [])
    assert found.labels.tolist() == [1, 1, 1]
    assert found.firmness.tolist() == firm(1, 0.9, 0.8).tolist()


def test_links_reach_through_each_other() -> None:
    musts = [Link(0, 1), Link(2, 3), Link(1, 2)]
    found = constraints.link(labels(0, 1, 2, 3), firm(0.1, 0.2, 0.3, 0.9), musts, [])
    assert found.labels.tolist() == [3, 3, 3, 3]


def test_noise_that_must_be_together_becomes_a_cluster_and_with_a_clustered_one_joins_it() -> None:
    alone = constraints.link(labels(-1, -1, 0), firm(0, 0, 1), [Link(0, 1, number=9)], [])
    assert alone.labels.tolist() == [9, 9, 0]
    joined = constraints.link(labels(-1, -1, 0), firm(0, 0, 0.1), [Link(0, 2)], [])
    assert joined.labels.tolist() == [0, -1, 0]


def test_of_two_that_cannot_be_together_the_less_firm_one_becomes_noise() -> None:
    found = constraints.link(labels(0, 0, 0), firm(0.9, 0.5, 0.7), [], [Link(0, 1)])
    assert found.labels.tolist() == [0, NOISE, 0]
    assert found.firmness[1] == 0


def test_who_must_be_with_the_one_that_leaves_leaves_with_it() -> None:
    musts = [Link(0, 1), Link(2, 3)]
    firmness = firm(0.5, 0.4, 0.9, 0.8, 1)
    found = constraints.link(labels(0, 0, 0, 0, 0), firmness, musts, [Link(1, 2, number=6)])
    assert found.labels.tolist() == [6, 6, 0, 0, 0]


def test_of_unequal_sides_the_fewer_leave() -> None:
    found = constraints.link(labels(0, 0, 0), firm(0.1, 0.1, 0.9), [Link(0, 1)], [Link(1, 2)])
    assert found.labels.tolist() == [0, 0, NOISE]


def test_those_that_are_apart_or_noise_already_stay_as_they_are() -> None:
    given = labels(0, 1, -1, -1)
    found = constraints.link(given, firm(1, 1, 0, 0), [], [Link(0, 1), Link(2, 3), Link(0, 2)])
    assert found.labels.tolist() == given.tolist()


def test_the_labels_given_are_not_changed() -> None:
    given = labels(0, 0)
    constraints.link(given, firm(1, 0.5), [], [Link(0, 1)])
    assert given.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("musts", "cannots", "wrong"),
    [
        ([(0, 1)], [(1, 0)], True),
        ([(0, 1), (1, 2)], [(0, 2)], True),
        ([(0, 1), (2, 3)], [(1, 2)], False),
        ([], [(0, 1)], False),
    ],
)
def test_a_pair_that_must_and_cannot_be_together_is_found_through_others_too(
    musts: list[tuple[int, int]], cannots: list[tuple[int, int]], wrong: bool
) -> None:
    found = constraints.contradiction([Link(*m) for m in musts], [Link(*c) for c in cannots])
    assert (found is not None) == wrong
