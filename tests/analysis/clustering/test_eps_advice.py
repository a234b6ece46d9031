import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from bilderatlas.analysis import clustering
from bilderatlas.analysis.clustering import eps_advice
from bilderatlas.analysis.clustering.eps_advice import measure, recommend
from tests.analysis.clustering.rows import at_degrees, groups, random_rows


def distance(degrees: float) -> float:
    return float(1 - np.cos(np.radians(degrees)))


def test_the_curves_of_five_rows_are_those_worked_out_by_hand() -> None:
    curves = measure(at_degrees(0, 2, 40, 44, 90))
    joins = [distance(2), distance(4), distance(38), distance(46)]
    assert curves.eps == pytest.approx(joins, abs=1e-6)
    assert curves.noise == pytest.approx([0.6, 0.2, 0.2, 0])
    assert curves.n_clusters.tolist() == [1, 2, 1, 1]
    assert curves.largest == pytest.approx([0.4, 0.4, 0.8, 1])
    # of the pairs (i, j), also i = j: 2 x 3 rows; 2 x 2 x 3; 4 x 1; 0
    assert curves.separation == pytest.approx([6 / 25, 12 / 25, 4 / 25, 0])
    assert curves.distances == pytest.approx([joins[0]] * 2 + [joins[1]] * 2 + [joins[3]], abs=1e-6)


def test_the_recommended_eps_lies_in_the_middle_of_the_best_stretch() -> None:
    advised = recommend(measure(at_degrees(0, 2, 40, 44, 90)))
    assert advised.eps == pytest.approx((distance(4) + distance(38)) / 2)
    assert "48% of the pairs of items are set apart" in advised.reason
    assert "in 2 clusters with 20% noise" in advised.reason
    assert "Try hdbscan or kmeans." in advised.reason


@pytest.mark.parametrize("min_samples", [1, 2, 3, 6])
def test_the_curves_say_what_dbscan_does(min_samples: int) -> None:
    rows = groups(30, 60, 40, spread=0.12)
    curves = measure(rows, min_samples=min_samples)
    for i in range(0, len(curves.eps) - 1, 17):
        eps = float(curves.eps[i] + curves.eps[i + 1]) / 2
        labels = DBSCAN(eps=eps, min_samples=min_samples, metric="cosine").fit(rows).labels_
        sizes = np.bincount(labels[labels >= 0])
        assert curves.noise[i] == pytest.approx((labels < 0).mean())
        assert curves.n_clusters[i] == (sizes > 1).sum()
        # a border row between two clusters may join either
        assert curves.largest[i] == pytest.approx(sizes.max(initial=0) / len(rows), abs=0.01)


def test_three_groups_are_found_without_saying_how_far_to_reach() -> None:
    rows = groups(20, 40, 30)
    labels = clustering.cluster(rows, method="dbscan", eps="auto").labels
    assert labels.tolist() == [2] * 20 + [0] * 40 + [1] * 30


def test_a_merger_of_large_clusters_is_a_cliff_and_a_row_that_joins_is_none() -> None:
    angles = [*np.linspace(0, 5, 20), *np.linspace(30, 35, 20), 80]
    (cliff,) = (c for c in measure(at_degrees(*angles)).cliffs if c.largest_before > 0.3)
    assert cliff.eps == pytest.approx(distance(25), abs=1e-6)
    assert cliff.largest_before == pytest.approx(20 / 41)
    assert cliff.largest_after == pytest.approx(40 / 41)


def test_far_rows_make_a_knee_in_the_distances_and_even_ones_do_not() -> None:
    near = np.arange(60) * 0.1
    knee = recommend(measure(at_degrees(*near, 90, 140, 180))).knee
    assert knee is not None
    assert knee < distance(1)
    even = np.cumsum(np.sqrt(np.linspace(1, 4, 60)))  # distances grow as the angle squared
    assert recommend(measure(at_degrees(*even))).knee is None


def test_a_sample_leads_to_the_eps_that_suits_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = groups(400, 300, 300, spread=0.12)
    of_all = recommend(measure(rows))
    monkeypatch.setattr(eps_advice, "_N_SAMPLE", 250)
    of_sample = measure(rows)
    assert of_sample.n_rows == 250
    labels = clustering.cluster(rows, method="dbscan", eps=recommend(of_sample).eps).labels
    assert (np.bincount(labels[labels >= 0]) > 100).sum() == 3
    assert recommend(of_sample).eps == pytest.approx(of_all.eps, rel=0.5)
    assert of_sample.distances.max() <= measure(rows).distances.max() + 1e-6


def test_curves_hold_a_few_hundred_points_however_many_rows_there_are() -> None:
    curves = measure(random_rows(900))
    assert len(curves.eps) <= 202
    assert (np.diff(curves.eps) > 0).all()


def test_rows_that_are_all_equal_are_one_cluster_at_the_advised_eps() -> None:
    rows = np.repeat(random_rows(1), 12, axis=0)
    assert clustering.cluster(rows, method="dbscan", eps="auto").labels.tolist() == [0] * 12


def test_another_min_samples_makes_other_curves() -> None:
    rows = random_rows(60)
    assert (measure(rows, min_samples=5).distances > measure(rows).distances).all()
