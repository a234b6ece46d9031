"""Agreement of clusters and classes: tables worked out by hand, and scikit-learn's figures."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from bilderatlas.analysis.evaluation import agreement, matching, renumbered, without_noise
from bilderatlas.analysis.evaluation.agreement import Agreement

# Three apples and three pears; one pear lies among the apples.
FRUIT = np.array([0, 0, 0, 1, 1, 1])
BASKETS = np.array([1, 1, 1, 1, 0, 0], dtype=np.int32)


def random_case(seed: int, *, with_noise: bool) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    classes = generator.integers(0, 5, 200)
    labels = np.where(generator.random(200) < 0.7, classes * 2 % 7, generator.integers(0, 9, 200))
    if with_noise:
        labels[generator.random(200) < 0.2] = -1
    return classes, labels.astype(np.int32)


def test_six_fruits_in_two_baskets() -> None:
    made = agreement(FRUIT, BASKETS)
    assert (made.n_rows, made.n_classes, made.n_clusters, made.n_noise) == (6, 2, 2, 0)
    assert made.purity == made.accuracy == pytest.approx(5 / 6)
    # pairs: 6 + 1 are put together, 3 + 3 belong together, 3 + 1 are right
    assert made.pair_precision == pytest.approx(4 / 7)
    assert made.pair_recall == pytest.approx(4 / 6)
    assert made.pair_f1 == pytest.approx(2 * 4 / (7 + 6))
    assert made.ari == pytest.approx((4 - 6 * 7 / 15) / (6.5 - 6 * 7 / 15))


def test_the_same_groups_by_other_numbers_agree_wholly() -> None:
    made = agreement(np.array([0, 0, 1, 1, 2]), np.array([7, 7, 0, 0, 3]))
    shares = ("purity", "accuracy", "nmi", "ari", "homogeneity", "completeness", "pair_f1")
    assert {name: getattr(made, name) for name in shares} == dict.fromkeys(shares, 1.0)


def test_one_cluster_of_everything_says_nothing() -> None:
    made = agreement(FRUIT, np.zeros(6, np.int32))
    assert (made.purity, made.nmi, made.ari, made.homogeneity) == (0.5, 0, 0, 0)
    assert (made.completeness, made.pair_recall, made.pair_precision) == (1, 1, 6 / 15)


def test_calling_everything_noise_earns_nothing() -> None:
    made = agreement(FRUIT, np.full(6, -1, np.int32))
    assert (made.n_clusters, made.n_noise) == (0, 6)
    assert (made.purity, made.accuracy, made.nmi, made.ari, made.pair_f1) == (0, 0, 0, 0, 0)
    assert without_noise(FRUIT, np.full(6, -1, np.int32)) is None


def test_noise_lowers_recall_and_not_precision() -> None:
    labels = np.array([1, 1, -1, 0, 0, -1], dtype=np.int32)
    made = agreement(FRUIT, labels)
    assert (made.purity, made.pair_precision, made.pair_recall) == (1, 1, pytest.approx(2 / 6))
    assert made.accuracy == pytest.approx(4 / 6)
    clustered = without_noise(FRUIT, labels)
    assert clustered is not None
    assert (clustered.n_rows, clustered.ari, clustered.nmi) == (4, 1, 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("with_noise", [False, True])
def test_scikit_learn_finds_the_same(seed: int, with_noise: bool) -> None:
    classes, labels = random_case(seed, with_noise=with_noise)
    made = agreement(classes, labels)
    information = metrics.homogeneity_completeness_v_measure(classes, labels)
    assert (made.homogeneity, made.completeness, made.v_measure) == pytest.approx(information)
    assert made.nmi == pytest.approx(metrics.normalized_mutual_info_score(classes, labels))
    alone = labels.copy()
    alone[labels < 0] = np.arange(100, 100 + (labels < 0).sum())  # each noise row by itself
    assert made.ari == pytest.approx(metrics.adjusted_rand_score(classes, alone))
    (_, wrong), (missed, right) = metrics.pair_confusion_matrix(classes, alone)
    assert made.pair_precision == pytest.approx(right / (right + wrong))
    assert made.pair_recall == pytest.approx(right / (right + missed))


def test_random_clusters_have_an_adjusted_index_near_zero() -> None:
    generator = np.random.default_rng(0)
    made = agreement(generator.integers(0, 4, 4000), generator.integers(0, 4, 4000))
    assert abs(made.ari) < 0.005
    assert made.purity > 0.25  # which says why purity is not enough


def test_clusters_are_matched_to_classes_as_a_whole() -> None:
    # Cluster 0 holds 4 of each class, cluster 1 one of class 0: so cluster 0 is class 1.
    classes, labels = np.array([0] * 5 + [1] * 4), np.array([0] * 4 + [1] + [0] * 4, np.int32)
    assert matching(classes, labels) == {0: 1, 1: 0}


def test_surplus_clusters_get_numbers_after_the_classes_and_noise_keeps_its_own() -> None:
    classes = np.array([0, 0, 0, 1, 1, 1, 1])
    labels = np.array([4, 4, 9, 2, 2, -1, 9], dtype=np.int32)
    assert renumbered(classes, labels).tolist() == [0, 0, 2, 1, 1, -1, 2]


def test_one_row_is_enough() -> None:
    assert isinstance(agreement(np.array([0]), np.array([0], np.int32)), Agreement)
