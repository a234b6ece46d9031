import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from bilderatlas import clustering
from bilderatlas.arrays import Embeddings, to_unit_length
from bilderatlas.errors import QueryError

METHODS = clustering.METHODS


def groups(*sizes: int, spread: float = 0.05, n_dims: int = 16) -> Embeddings:
    """Rows around one axis each: group i has sizes[i] rows near axis i."""
    noise = np.random.default_rng(0).normal(0, spread, (sum(sizes), n_dims))
    return to_unit_length(np.repeat(np.eye(n_dims)[: len(sizes)], sizes, axis=0) + noise)


def random_rows(n: int = 10, seed: int = 1) -> Embeddings:
    return to_unit_length(np.random.default_rng(seed).normal(size=(n, 8)))


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
        ({"method": "dbscan", "eps": float("nan")}, "eps is nan;"),
        ({"method": "hdbscan", "min_cluster_size": 1}, "min_cluster_size is 1"),
        ({"method": "hdbscan", "min_samples": 11}, "min_samples is 11, and there are 10 items"),
        ({"method": "dbscan", "min_samples": 0}, "min_samples is 0"),
        ({"method": "spectral"}, "'spectral'. Use hdbscan, dbscan, kmeans"),
    ],
)
def test_a_value_without_an_answer_is_refused_with_the_value(
    asked: dict[str, object], said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        clustering.cluster(random_rows(), **asked)  # type: ignore[arg-type]


def test_hdbscan_refuses_two_rows() -> None:
    with pytest.raises(QueryError, match="3 items or more, and there are 2"):
        clustering.cluster(random_rows(2))


def test_kmeans_makes_as_many_clusters_as_asked_for() -> None:
    for k in (1, 2, 7, 10):
        labels = clustering.cluster(random_rows(), method="kmeans", k=k).labels
        assert sorted(set(labels.tolist())) == list(range(k))


def test_kmeans_makes_fewer_clusters_where_fewer_rows_differ() -> None:
    rows = np.repeat(random_rows(2), 5, axis=0)
    assert set(clustering.cluster(rows, method="kmeans", k=6).labels.tolist()) == {0, 1}


def test_k_auto_finds_seven_groups() -> None:
    labels = clustering.cluster(groups(*[12] * 7), method="kmeans", k="auto").labels
    assert len(set(labels.tolist())) == 7


def test_a_row_on_the_border_of_two_kmeans_clusters_is_less_firm() -> None:
    rows = np.vstack([groups(20, 20), to_unit_length(np.eye(16)[:1] + 0.9 * np.eye(16)[1:2])])
    result = clustering.cluster(rows, method="kmeans", k=2)
    assert result.probabilities[-1] < result.probabilities[:-1].min()


def test_many_rows_are_clustered_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "_N_MINIBATCH", 50)
    labels = clustering.cluster(groups(20, 40, 30), method="kmeans", k=3).labels
    assert labels.tolist() == [2] * 20 + [0] * 40 + [1] * 30


def test_dbscan_eps_is_a_cosine_distance() -> None:
    angles = np.radians([0, 30, 60])  # 1 - cos 30° = 0.134
    rows = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    assert clustering.cluster(rows, method="dbscan", eps=0.135).labels.tolist() == [0, 0, 0]
    assert clustering.cluster(rows, method="dbscan", eps=0.133).labels.tolist() == [-1, -1, -1]


@pytest.mark.parametrize(("eps", "min_samples"), [(0.05, 2), (0.1, 4), (0.2, 6), (0.5, 2)])
def test_dbscan_in_chunks_agrees_with_scikit_learn(
    monkeypatch: pytest.MonkeyPatch, eps: float, min_samples: int
) -> None:
    monkeypatch.setattr(clustering, "_N_PAIRS", 1000)
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
