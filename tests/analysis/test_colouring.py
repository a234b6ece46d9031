from datetime import datetime

import numpy as np

from bilderatlas.analysis import colouring
from bilderatlas.analysis.colouring import Entry


def test_the_most_frequent_value_has_the_first_colour() -> None:
    made = colouring.by_value("brand", ["b", "a", "b", None])
    assert made.labels.tolist() == [0, 1, 0, -1]
    assert made.legend == (Entry(0, "b", 2), Entry(1, "a", 1), Entry(-1, "no value", 1))


def test_as_frequent_values_come_in_the_order_in_which_people_read() -> None:
    made = colouring.by_value("volume", ["v 10", "v 2", "v 1"])
    assert [entry.name for entry in made.legend] == ["v 1", "v 2", "v 10"]


def test_more_values_than_colours_share_grey() -> None:
    made = colouring.by_value("name", [*"aabbccddeeffgghhiijjkkll", "m", "n", None])
    assert made.labels.max() == 11
    assert made.legend[-1] == Entry(-1, "2 other values and no value", 3)


def test_few_numbers_are_in_their_order() -> None:
    made = colouring.by_value("rooms", [3, 1, 3, 2.5])
    assert [entry.name for entry in made.legend] == ["1", "2.5", "3"]
    assert made.labels.tolist() == [2, 0, 2, 1]
    assert not made.is_ramp


def test_many_numbers_are_cut_into_steps_of_equal_size() -> None:
    made = colouring.by_value("price", [*range(70), None])
    assert made.is_ramp
    assert [entry.size for entry in made.legend] == [10] * 7 + [1]
    assert made.legend[0] == Entry(0, "0 to 9", 10)
    assert made.legend[-1] == Entry(-1, "no value", 1)
    assert (np.diff(made.labels[:-1]) >= 0).all()


def test_times_count_by_year() -> None:
    made = colouring.by_value("taken_at", [datetime(2019, 5, 1), datetime(2019, 8, 2), None])
    assert made.legend == (Entry(0, "2019", 2), Entry(-1, "no value", 1))


def test_clusters_keep_their_numbers_and_noise_is_last() -> None:
    made = colouring.by_cluster(np.array([1, 1, -1, 0], np.int32), {1: "cats", 0: "dogs"})
    assert made.legend == (Entry(1, "cats", 2), Entry(0, "dogs", 1), Entry(-1, "noise", 1))
    assert made.is_of_clusters
