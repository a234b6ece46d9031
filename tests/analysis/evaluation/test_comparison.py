import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from bilderatlas.analysis.evaluation import Match, compare


def labels(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def test_renumbered_clusters_are_the_same_clusters() -> None:
    found = compare(labels(0, 0, 0, 1, 1, -1), labels(1, 1, 1, 0, 0, -1))
    assert (found.ari, found.nmi, found.n_moved) == (1, 1, 0)
    assert found.matches == (Match(0, 1, 3, 3, 3), Match(1, 0, 2, 2, 2))
    assert (found.n_noise_first, found.n_noise_second) == (1, 1)


def test_a_row_that_changes_its_cluster_has_moved() -> None:
    found = compare(labels(0, 0, 0, 1, 1), labels(0, 0, 1, 1, 1))
    assert found.n_moved == 1
    assert (found.n_into_noise, found.n_out_of_noise) == (0, 0)
    assert found.matches == (Match(0, 0, 3, 2, 2), Match(1, 1, 2, 3, 2))
    assert found.ari == pytest.approx(adjusted_rand_score([0, 0, 0, 1, 1], [0, 0, 1, 1, 1]))


def test_ways_into_noise_and_out_of_it_are_counted() -> None:
    found = compare(labels(0, 0, 0, -1, -1), labels(0, 0, -1, -1, 0))
    assert (found.n_moved, found.n_into_noise, found.n_out_of_noise) == (2, 1, 1)


def test_rows_of_noise_are_not_together() -> None:
    one_group = compare(labels(0, 0, 0, 0), labels(-1, -1, -1, -1))
    assert one_group.ari == 0
    assert one_group.n_moved == one_group.n_into_noise == 4
    assert one_group.only_first == (0,)


def test_a_split_cluster_goes_on_in_its_larger_half_and_the_other_is_new() -> None:
    found = compare(labels(*[0] * 5), labels(0, 0, 1, 1, 1))
    assert found.matches == (Match(0, 1, 5, 3, 3),)
    assert (found.n_moved, found.only_first, found.only_second) == (2, (), (0,))


def test_no_rows_agree_wholly() -> None:
    assert (compare(labels(), labels()).ari, compare(labels(), labels()).n_moved) == (1, 0)
