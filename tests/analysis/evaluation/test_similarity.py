"""How alike classes are: four arrows in a plane, and scikit-learn's figures."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bilderatlas.analysis.evaluation import class_means, likeness_order, separation, similarity
from bilderatlas.arrays import Embeddings, to_unit_length

# East, 3-4-5 north of it, north, west. The cosines: .6, 0, -1, .8, -.6, 0.
ARROWS = np.array([[1, 0], [0.6, 0.8], [0, 1], [-1, 0]], dtype=np.float32)
CLASSES = np.array([0, 0, 1, 1])


def blobs(n: int, *, spread: float = 0.5) -> tuple[Embeddings, np.ndarray]:
    generator = np.random.default_rng(3)
    classes = generator.integers(0, 4, n)
    rows = np.eye(4, 16)[classes] + generator.normal(0, spread, (n, 16))
    return to_unit_length(rows), classes


def test_four_arrows_by_hand() -> None:
    means = class_means(ARROWS, CLASSES)
    between = (0 - 1 + 0.8 - 0.6) / 4
    assert means == pytest.approx(np.array([[0.6, between], [between, 0]]), abs=1e-6)


def test_a_class_of_one_has_no_likeness_within() -> None:
    means = class_means(ARROWS[:3], np.array([0, 0, 1]))
    assert np.isnan(means[1, 1])
    assert means[0, 1] == pytest.approx((0 + 0.8) / 2)


def test_means_over_sums_are_means_over_pairs() -> None:
    rows, classes = blobs(60)
    scores = rows @ rows.T
    np.fill_diagonal(scores, np.nan)
    slow = [
        [np.nanmean(scores[np.ix_(classes == a, classes == b)]) for b in range(4)] for a in range(4)
    ]
    assert class_means(rows, classes) == pytest.approx(np.array(slow), abs=1e-5)


def test_the_threshold_lies_between_what_it_separates() -> None:
    # Of the same class .6 and 0; others 0, -1, .8, -.6: at 0 both of the one and two of the other
    found = separation(ARROWS, CLASSES)
    assert found is not None
    assert (found.n_same, found.n_different) == (2, 4)
    assert (found.same_above, found.different_above) == (1, 0.5)
    assert found.threshold == pytest.approx(-0.3)  # half way from 0 down to -.6
    assert found.balanced_accuracy == pytest.approx(0.75)
    # .6 is above 3 of 4 others, 0 above 2 and level with 1
    assert found.auc == pytest.approx((3 + 2.5) / 8)
    assert (found.mean_same, found.mean_different) == pytest.approx((0.3, -0.2), abs=1e-6)


def test_far_classes_are_told_apart_without_a_fault() -> None:
    rows = to_unit_length(np.repeat(np.eye(3), 4, axis=0))
    found = separation(rows, np.repeat(np.arange(3), 4))
    assert found is not None
    assert (found.threshold, found.balanced_accuracy, found.auc) == (0.5, 1, 1)


def test_scikit_learn_finds_the_same_area() -> None:
    rows, classes = blobs(80)
    left, right = np.triu_indices(80, 1)
    scores = np.clip(rows @ rows.T, -1, 1)[left, right]
    found = separation(rows, classes)
    assert found is not None
    assert found.auc == pytest.approx(roc_auc_score(classes[left] == classes[right], scores))


def test_histograms_hold_every_pair() -> None:
    found = separation(*blobs(50))
    assert found is not None
    assert found.same.sum() == pytest.approx(1)
    assert found.different.sum() == pytest.approx(1)
    middles = (found.edges[1:] + found.edges[:-1]) / 2
    assert found.same @ middles == pytest.approx(found.mean_same, abs=0.01)


def test_drawn_pairs_say_what_all_pairs_say(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, classes = blobs(400)
    whole = separation(rows, classes)
    monkeypatch.setattr(similarity, "N_FOR_ALL_PAIRS", 100)
    drawn = separation(rows, classes)
    assert whole is not None
    assert drawn is not None
    assert drawn.n_same == similarity.N_DRAWN
    for name in ("auc", "mean_same", "mean_different", "balanced_accuracy"):
        assert getattr(drawn, name) == pytest.approx(getattr(whole, name), abs=0.01)
    assert separation(rows, classes, seed=1) != drawn


def test_drawn_pairs_are_of_two_rows_of_one_class(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = np.array([0, 1, 0, 2, 1, 0])
    left, right = similarity._draw_same(classes, np.random.default_rng(0))
    assert (left != right).all()
    assert (classes[left] == classes[right]).all()
    # of class 0 there are three pairs, of class 1 one
    assert (classes[left] == 0).mean() == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("classes", [[0, 0, 0, 0], [0, 1, 2, 3]])
def test_one_sort_of_pair_cannot_be_separated(classes: list[int]) -> None:
    assert separation(ARROWS, np.array(classes)) is None


def test_like_classes_stand_side_by_side() -> None:
    # 0 and 2 are alike, 1 and 3 are; two classes need no order
    means = np.array([[1, 0.1, 0.9, 0.2], [0, 1, 0.1, 0.8], [0, 0, 1, 0.2], [0, 0, 0, 1]])
    order = likeness_order(np.triu(means) + np.triu(means, 1).T).tolist()
    assert abs(order.index(0) - order.index(2)) == abs(order.index(1) - order.index(3)) == 1
    assert likeness_order(means[:2, :2]).tolist() == [0, 1]
