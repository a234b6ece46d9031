"""Probabilities of classes, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bilderatlas.analysis.classification import probabilities


def test_of_classes_of_which_at_most_one_is_right_odds_compare_to_one_for_none() -> None:
    shares = probabilities.at_most_one(np.array([[3.0, 1.0], [0.0, 0.0], [0.25, 0.25]]))
    assert shares == pytest.approx(np.array([[0.6, 0.2], [0, 0], [1 / 6, 1 / 6]]))


def test_logits_of_which_exactly_one_is_right_sum_to_one() -> None:
    shares = probabilities.softmax(np.log(np.array([[1.0, 3.0], [1e3, 1e3]])))
    assert shares == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5]]))


def test_the_likeliest_come_first_and_none_stands_among_them() -> None:
    found = probabilities.likeliest(np.array([[0.1, 0.6, 0.0], [0.2, 0.1, 0.0]]), 2)
    assert found.labels.tolist() == [[1, -1], [-1, 0]]
    assert found.probabilities == pytest.approx(np.array([[0.6, 0.3], [0.7, 0.2]]))


def test_where_all_is_said_none_is_last_and_no_more_classes_are_given_than_there_are() -> None:
    found = probabilities.likeliest(np.array([[0.25, 0.75]], np.float32), 5)
    assert found.labels.tolist() == [[1, 0]]
