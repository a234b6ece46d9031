"""What to label next."""

from __future__ import annotations

import numpy as np
import pytest

from bilderatlas.analysis.classification import active_learning
from bilderatlas.arrays import to_unit_length


def test_the_best_label_and_how_much_likelier_it_is_than_the_second() -> None:
    best = active_learning.best(np.array([[0.1, 0.7, 0.2], [0.4, 0.4, 0.0]], np.float32))
    assert best.label.tolist() == [1, 0]
    assert best.probability == pytest.approx([0.7, 0.4])
    assert best.margin == pytest.approx([0.5, 0.0])


def test_of_one_label_the_margin_is_its_probability() -> None:
    assert active_learning.best(np.array([[0.3]], np.float32)).margin == pytest.approx([0.3])


def test_the_most_different_come_first() -> None:
    rows = to_unit_length(np.array([[1, 0, 0], [1, 0.1, 0], [0, 1, 0], [0, 0, 1]], np.float32))
    assert set(active_learning.diverse(rows, 3).tolist()) in ({0, 2, 3}, {1, 2, 3})
    known = rows[2:3]
    assert active_learning.diverse(rows, 2, known).tolist() == [0, 3]
    assert sorted(active_learning.diverse(rows, 9).tolist()) == [0, 1, 2, 3]
