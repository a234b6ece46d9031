import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from bilderatlas.analysis.clustering import directions, k_advice
from bilderatlas.analysis.clustering.k_advice import KCurves, measure, recommend
from bilderatlas.arrays import to_unit_length
from tests.analysis.clustering.rows import groups, random_rows


def random_cloud(n: int) -> np.ndarray:
    rows = np.random.default_rng(5).normal(size=(n, 30))
    return to_unit_length(rows).astype(np.float64)


@pytest.fixture(scope="module")
def seven() -> KCurves:
    return measure(directions.main(groups(*[12] * 7), 0), 0, with_stability=True)


@pytest.fixture(scope="module")
def cloud() -> KCurves:
    """The curves of rows without groups."""
    return measure(random_cloud(100), 0, with_stability=True)


def test_every_curve_points_at_seven_groups(seven: KCurves) -> None:
    advised = recommend(seven)
    assert (advised.k, advised.inertia_knee, advised.distortion_knee) == (7, 7, 7)
    assert (advised.best_silhouette, advised.gap_first, advised.most_stable) == (7, 7, 7)
    assert advised.reason.startswith("k = 7: there the silhouette (0.")
    assert "inertia has its knee at 7, distortion at 7; subsamples agree with an ARI of 1.00" in (
        advised.reason
    )


def test_the_candidates_end_at_half_of_the_rows(seven: KCurves) -> None:
    assert seven.k.tolist() == [2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 18, 22, 27, 33, 40]


def test_the_curves_agree_with_their_definitions() -> None:
    rows = random_cloud(40)
    curves = measure(rows, 0)
    model = k_advice.centroids.fit(rows, 2, 0)
    assert curves.k[0] == 2
    assert curves.inertia[0] == pytest.approx(model.inertia_)
    assert curves.distortion[0] == pytest.approx(model.transform(rows).min(axis=1).mean())
    assert curves.silhouette[0] == pytest.approx(silhouette_score(rows, model.labels_))
    assert curves.stability is None


def test_a_cloud_without_groups_is_one_cluster_and_has_no_knee(cloud: KCurves) -> None:
    advised = recommend(cloud)
    assert advised.k == 1
    assert advised.inertia_knee is None
    assert advised.distortion_knee is None
    assert advised.reason.startswith("k = 1: the items form no clusters")
    assert "neither inertia nor distortion has a knee" in advised.reason


def test_groups_lie_farther_above_the_gap_than_its_error_and_a_cloud_does_not(
    seven: KCurves, cloud: KCurves
) -> None:
    assert seven.gap.max() > 1
    assert abs(cloud.gap).max() < 0.1


def test_stability_is_low_where_there_are_no_groups(seven: KCurves, cloud: KCurves) -> None:
    assert seven.stability is not None
    assert cloud.stability is not None
    assert seven.stability.max() == pytest.approx(1)
    assert cloud.stability[:10].max() < 0.3


def test_the_best_of_the_last_candidates_is_said_to_be_the_last() -> None:
    rows = directions.main(groups(*[2] * 5), 0)
    advised = recommend(measure(rows, 0))
    assert advised.k == 5
    assert advised.reason.endswith("It is the most that was tried.")


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_rows_are_one_cluster(n: int) -> None:
    advised = recommend(measure(random_rows(n).astype(np.float64), 0))
    assert (advised.k, advised.reason) == (1, "k = 1: too few of the items differ.")


def test_rows_that_are_all_equal_are_one_cluster() -> None:
    rows = directions.main(np.repeat(random_rows(1), 12, axis=0), 0)
    assert not rows.any()
    assert recommend(measure(rows, 0)).k == 1


def test_no_more_than_two_thousand_rows_are_looked_at() -> None:
    assert len(k_advice.sample(1_000_000, 0)) == 2_000
    assert k_advice.sample(5, 0).tolist() == [0, 1, 2, 3, 4]
