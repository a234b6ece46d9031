"""Four pictures on a line of likeness, and what captions find among them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from bilderatlas.analysis.evaluation import Retrieval, retrieval
from bilderatlas.arrays import to_unit_length

LINE = to_unit_length(np.array([[10, 0], [10, 3], [10, 6], [10, 9]], np.float32))


def found_by(query: list[float], *relevant: int) -> Retrieval:
    asked = to_unit_length(np.array([query], np.float32))
    return retrieval(LINE, asked, [np.array(relevant)])


def test_a_caption_finds_its_picture_first() -> None:
    found = found_by([10, 0], 0)
    assert found.recall_at == {1: 1, 5: 1, 10: 1}
    assert (found.mean_average_precision, found.median_rank) == (1, 1)


def test_a_picture_at_rank_three_counts_a_third() -> None:
    found = found_by([10, 0], 2)
    assert found.recall_at == {1: 0, 5: 1, 10: 1}
    assert (found.mean_average_precision, found.median_rank) == (pytest.approx(1 / 3), 3)


def test_two_pictures_of_a_caption_at_ranks_one_and_four() -> None:
    found = found_by([10, 0], 0, 3)
    assert found.mean_average_precision == pytest.approx((1 / 1 + 2 / 4) / 2)
    assert found.recall_at[1] == 1


def test_equal_scores_are_no_merit() -> None:
    same = np.repeat(LINE[:1], 4, axis=0)
    found = retrieval(same, LINE[:1], [np.array([1])])
    assert found.median_rank == 4


def test_scikit_learn_finds_the_same_mean() -> None:
    generator = np.random.default_rng(0)
    images, texts = (to_unit_length(generator.normal(size=(n, 8))) for n in (40, 15))
    relevant = [generator.permutation(40)[: 1 + i % 4] for i in range(15)]
    slow = [
        average_precision_score(np.isin(np.arange(40), own), scores)
        for own, scores in zip(relevant, texts @ images.T, strict=True)
    ]
    found = retrieval(images, texts, relevant)
    assert found.mean_average_precision == pytest.approx(np.mean(slow))


def test_more_scores_than_are_held_at_once_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    images, texts = (to_unit_length(generator.normal(size=(n, 8))) for n in (40, 15))
    relevant = [np.array([i]) for i in range(15)]
    at_once = retrieval(images, texts, relevant)
    monkeypatch.setattr("bilderatlas.analysis.evaluation.caption_search._N_SCORES", 100)
    assert retrieval(images, texts, relevant) == at_once
    assert (at_once.n_queries, at_once.n_images) == (15, 40)
