from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from bilderatlas.analysis import clustering
from bilderatlas.analysis.clustering import density, neighborhoods
from bilderatlas.arrays import to_unit_length
from bilderatlas.errors import MissingExtra, QueryError
from tests.analysis.clustering.rows import at_degrees, groups, random_rows

HAS_FAST = find_spec("evoc") is not None and find_spec("fast_hdbscan") is not None
needs_fast = pytest.mark.skipif(not HAS_FAST, reason="pip install 'bilderatlas[fast]'")
METHODS = [
    "hdbscan",
    "dbscan",
    "kmeans",
    "minibatch-kmeans",
    "agglomerative",
    pytest.param("fast-hdbscan", marks=[needs_fast, pytest.mark.slow]),
]


@pytest.mark.parametrize("method", METHODS)
def test_ten_random_rows_get_a_label_and_a_probability_each(method: str) -> None:
    result = clustering.cluster(random_rows(), method=method)
    assert result.labels.shape == result.probabilities.shape == (10,)
    assert result.labels.dtype == np.int32
    assert result.probabilities.dtype == np.float32
    assert ((result.probabilities >= 0) & (result.probabilities <= 1)).all()
    assert (result.probabilities[result.labels == -1] == 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_labels(method: str) -> None:
    rows = random_rows(200)
    first = clustering.cluster(rows, method=method, seed=3)
    second = clustering.cluster(rows, method=method, seed=3)
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.probabilities, second.probabilities)


@pytest.mark.parametrize("method", METHODS)
def test_separate_groups_are_found_and_the_largest_is_0(method: str) -> None:
    labels = clustering.cluster(groups(20, 40, 30), method=method).labels
    assert labels.tolist() == [2] * 20 + [0] * 40 + [1] * 30


@pytest.mark.parametrize("method", METHODS)
def test_rows_that_are_all_equal_are_one_cluster(method: str) -> None:
    labels = clustering.cluster(np.repeat(random_rows(1), 12, axis=0), method=method).labels
    assert labels.tolist() == [0] * 12


@pytest.mark.parametrize("method", METHODS)
def test_exact_copies_share_a_cluster(method: str) -> None:
    labels = clustering.cluster(np.repeat(random_rows(4), 10, axis=0), method=method).labels
    assert labels.reshape(4, 10).tolist() == [[i] * 10 for i in range(4)]


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_cluster_is_refused(method: str) -> None:
    with pytest.raises(QueryError, match="0 items"):
        clustering.cluster(np.zeros((0, 8), np.float32), method=method)


def test_one_row_is_a_cluster_for_kmeans_and_noise_for_dbscan() -> None:
    assert clustering.cluster(random_rows(1), method="kmeans").labels.tolist() == [0]
    assert clustering.cluster(random_rows(1), method="dbscan").labels.tolist() == [-1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"method": "kmeans", "k": 11}, "k is 11, and there are 10 items"),
        ({"method": "kmeans", "k": 0}, "k is 0"),
        ({"method": "kmeans", "k": "many"}, "k is 'many'"),
        ({"method": "dbscan", "eps": 0}, "eps is 0;"),
        ({"method": "dbscan", "eps": 2.5}, "eps is 2.5;"),
        ({"method": "dbscan", "eps": "far"}, "eps is far;"),
        ({"method": "agglomerative", "distance_threshold": 0}, "distance_threshold is 0;"),
        ({"method": "dbscan", "eps": float("nan")}, "eps is nan;"),
        ({"method": "hdbscan", "min_cluster_size": 1}, "min_cluster_size is 1"),
        ({"method": "hdbscan", "min_samples": 11}, "min_samples is 11, and there are 10 items"),
        ({"method": "dbscan", "min_samples": 0}, "min_samples is 0"),
        ({"method": "spectral"}, "'spectral'. Use hdbscan, fast-hdbscan, evoc, dbscan"),
    ],
)
def test_a_value_without_an_answer_is_refused_with_the_value(
    asked: dict[str, object], said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        clustering.cluster(random_rows(), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"method": "hdbscan", "k": 3}, "k is for kmeans, minibatch-kmeans, not for hdbscan"),
        ({"method": "kmeans", "eps": 0.1}, "eps is for dbscan, not for kmeans, which reads k"),
        ({"method": "dbscan", "min_cluster_size": 4}, "min_cluster_size is for hdbscan,"),
        ({"method": "agglomerative", "min_samples": 4}, "min_samples is for hdbscan,"),
        ({"method": "kmeans", "distance_threshold": 1}, "distance_threshold is for agglomerative"),
    ],
)
def test_an_option_that_the_method_does_not_read_is_refused(
    asked: dict[str, object], said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        clustering.cluster(random_rows(), **asked)  # type: ignore[arg-type]


def test_hdbscan_refuses_two_rows() -> None:
    with pytest.raises(QueryError, match="3 items or more, and there are 2"):
        clustering.cluster(random_rows(2))


def test_a_method_of_the_extra_is_refused_by_name_where_the_extra_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(density, "find_spec", lambda name: None)
    for method in ("fast-hdbscan", "evoc"):
        with pytest.raises(MissingExtra, match=r"pip install 'bilderatlas\[fast\]'"):
            clustering.cluster(groups(10, 10), method=method)


def test_a_result_says_what_it_went_by() -> None:
    rows = groups(*[12] * 7)
    by_centres = clustering.cluster(rows, method="kmeans")
    assert by_centres.parameters == {"k": 7}
    assert clustering.cluster(rows).parameters == {"min_samples": 2, "min_cluster_size": 5}
    by_reach = clustering.cluster(rows, method="dbscan", eps="auto", min_samples=3)
    assert by_reach.parameters.keys() == {"eps", "min_samples"}
    assert isinstance(by_reach.parameters["eps"], float)


def test_kmeans_makes_as_many_clusters_as_asked_for() -> None:
    for k in (1, 2, 7, 10):
        labels = clustering.cluster(random_rows(), method="kmeans", k=k).labels
        assert sorted(set(labels.tolist())) == list(range(k))


def test_kmeans_makes_fewer_clusters_where_fewer_rows_differ() -> None:
    rows = np.repeat(random_rows(2), 5, axis=0)
    rows[::2] += np.float32(1e-8)  # as rounding does, on some processors more than on others
    for method in ("kmeans", "minibatch-kmeans"):
        assert set(clustering.cluster(rows, method=method, k=6).labels.tolist()) == {0, 1}


def test_k_auto_finds_seven_groups() -> None:
    labels = clustering.cluster(groups(*[12] * 7), method="kmeans", k="auto").labels
    assert len(set(labels.tolist())) == 7


def test_a_row_on_the_border_of_two_kmeans_clusters_is_less_firm() -> None:
    rows = np.vstack([groups(20, 20), to_unit_length(np.eye(16)[:1] + 0.9 * np.eye(16)[1:2])])
    result = clustering.cluster(rows, method="kmeans", k=2)
    assert result.probabilities[-1] < result.probabilities[:-1].min()


def test_small_batches_give_other_centres_than_all_rows_at_once() -> None:
    rows = random_rows(300)
    at_once = clustering.cluster(rows, method="kmeans", k=9)
    in_batches = clustering.cluster(rows, method="minibatch-kmeans", k=9)
    assert not np.array_equal(at_once.labels, in_batches.labels)


def test_a_smaller_distance_threshold_makes_more_clusters() -> None:
    rows = groups(30, 30, 30, spread=0.2)
    wide = clustering.cluster(rows, method="agglomerative", distance_threshold=1.0)
    narrow = clustering.cluster(rows, method="agglomerative", distance_threshold=0.3)
    assert wide.labels.max() < narrow.labels.max()


def test_what_joins_nothing_is_noise_in_an_agglomeration() -> None:
    alone = np.eye(16, dtype=np.float32)[[9]]
    result = clustering.cluster(np.vstack([groups(10, 10), alone]), method="agglomerative")
    assert result.labels.tolist() == [0] * 10 + [1] * 10 + [-1]
    assert result.probabilities[-1] == 0


def test_agglomeration_refuses_more_rows_than_it_can_pair() -> None:
    rows = np.zeros((20_001, 2), np.float32)
    with pytest.raises(QueryError, match=r"20,001 items have 0\.2 billion; it takes up to 20,000"):
        clustering.cluster(rows, method="agglomerative")


def test_half_precision_gives_the_same_clusters() -> None:
    rows = groups(20, 40, 30)
    for method in ("kmeans", "hdbscan", "minibatch-kmeans"):
        single = clustering.cluster(rows, method=method)
        half = clustering.cluster(rows.astype(np.float16), method=method)  # type: ignore[arg-type]
        assert np.array_equal(single.labels, half.labels)


def test_dbscan_eps_is_a_cosine_distance() -> None:
    rows = at_degrees(0, 30, 60)  # 1 - cos 30° = 0.134
    assert clustering.cluster(rows, method="dbscan", eps=0.135).labels.tolist() == [0, 0, 0]
    assert clustering.cluster(rows, method="dbscan", eps=0.133).labels.tolist() == [-1, -1, -1]


@pytest.mark.parametrize(("eps", "min_samples"), [(0.05, 2), (0.1, 4), (0.2, 6), (0.5, 2)])
def test_dbscan_in_chunks_agrees_with_scikit_learn(
    monkeypatch: pytest.MonkeyPatch, eps: float, min_samples: int
) -> None:
    monkeypatch.setattr(neighborhoods, "_N_SCORES", 1000)
    rows = groups(30, 60, 40, spread=0.12)
    ours = clustering.cluster(rows, method="dbscan", eps=eps, min_samples=min_samples)
    theirs = DBSCAN(eps=eps, min_samples=min_samples, metric="cosine").fit(rows)
    assert np.array_equal(ours.labels == -1, theirs.labels_ == -1)
    is_core = np.isin(np.arange(len(rows)), theirs.core_sample_indices_)
    assert np.array_equal(ours.probabilities == 1, is_core)
    pairs = set(zip(ours.labels[is_core], theirs.labels_[is_core], strict=True))
    assert len(pairs) == len(set(theirs.labels_[is_core]))  # one to one


def test_a_larger_min_cluster_size_makes_fewer_clusters() -> None:
    rows = groups(30, 30, 6)
    assert clustering.cluster(rows, min_cluster_size=5).labels.max() == 2
    assert clustering.cluster(rows, min_cluster_size=12).labels.max() == 1


@needs_fast
@pytest.mark.slow
def test_evoc_finds_clusters_that_no_two_groups_share() -> None:
    rows = groups(60, 80, 70)
    first = clustering.cluster(rows, method="evoc", min_cluster_size=10, seed=3)
    group = np.repeat([0, 1, 2], [60, 80, 70])
    assert first.labels.max() >= 2
    for cluster in range(first.labels.max() + 1):
        assert len(set(group[first.labels == cluster].tolist())) == 1
    again = clustering.cluster(rows, method="evoc", min_cluster_size=10, seed=3)
    assert np.array_equal(first.labels, again.labels)


@needs_fast
@pytest.mark.slow
def test_evoc_asks_five_for_a_dense_place_and_not_two() -> None:
    rows = groups(30, 30)
    assert clustering.cluster(rows, method="evoc").parameters["min_samples"] == 5
    assert clustering.cluster(rows, method="evoc", min_samples=2).parameters["min_samples"] == 2


@needs_fast
@pytest.mark.parametrize("method", ["evoc", "fast-hdbscan"])
def test_a_method_that_is_compiled_first_says_so(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    told = density.first_use(method)
    assert told is not None
    assert "is compiled for this machine before its first run" in told
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "tree-1.py311.nbi").touch()
    assert density.first_use(method) is None
    assert density.first_use("hdbscan") is None


@needs_fast
def test_evoc_refuses_fewer_than_twenty_rows() -> None:
    with pytest.raises(QueryError, match="evoc needs 20 items or more, and there are 10"):
        clustering.cluster(random_rows(10), method="evoc")


@needs_fast
@pytest.mark.slow
def test_both_hdbscans_find_the_same_groups() -> None:
    rows = groups(20, 40, 30, spread=0.1)
    ours, fast = (clustering.cluster(rows, method=m).labels for m in ("hdbscan", "fast-hdbscan"))
    is_clustered = (ours >= 0) & (fast >= 0)
    assert is_clustered.mean() > 0.8
    assert len(set(zip(ours[is_clustered], fast[is_clustered], strict=True))) == 3
