"""`cluster`, `advise` and `compare`: runs that are remembered, and what is said of them."""

from pathlib import Path

import numpy as np
import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError, RunNotFound
from tests.models.detectors.detectors import write_yolox
from tests.pictures import collect, plain, put, quarters, saved

COLOURS = ("red", "lime", "blue")


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Six pictures of each of three colours."""
    folder = tmp_path_factory.mktemp("coloured")
    for colour in COLOURS:
        for n in range(6):
            put(folder / "pile" / f"{colour}-{n}.png", plain(colour, side=16 + 8 * n))
    return collect(folder, folder / "pile")


@pytest.mark.parametrize(
    ("method", "options", "kept"),
    [
        ("kmeans", {}, {"k": 3}),
        ("minibatch-kmeans", {"k": 3}, {"k": 3}),
        ("hdbscan", {"min_cluster_size": 4}, {"min_samples": 2, "min_cluster_size": 4}),
        ("dbscan", {}, {"eps": 0.2, "min_samples": 2}),
        ("agglomerative", {"distance_threshold": 0.3}, {"distance_threshold": 0.3}),
    ],
)
def test_a_run_is_kept_with_what_it_went_by(
    atlas: Collection, method: str, options: dict[str, float], kept: dict[str, float]
) -> None:
    made = atlas.cluster(method, seed=5, **options)  # type: ignore[arg-type]
    again = atlas.clustering(made.run)
    assert again.about.parameters == kept
    assert again.about.seed == 5
    assert [cluster.size for cluster in again.clusters] == [6, 6, 6]
    assert np.array_equal(made.labels, again.labels)


def test_an_option_of_another_method_is_refused_and_no_run_is_kept(atlas: Collection) -> None:
    before = len(atlas.runs())
    with pytest.raises(QueryError, match="eps is for dbscan, not for kmeans"):
        atlas.cluster("kmeans", eps=0.3)
    assert len(atlas.runs()) == before


def test_advice_is_on_these_pictures_and_keeps_no_run(atlas: Collection) -> None:
    before = len(atlas.runs())
    advised = atlas.advise()
    assert (advised.k.k, advised.n_regions, advised.kind) == (3, 18, "image")
    assert len(atlas.runs()) == before


def test_advice_is_measured_once_and_anew_when_pictures_have_come(tmp_path: Path) -> None:
    for side in (16, 24, 32):
        put(tmp_path / "pile" / f"red-{side}.png", plain("red", side=side))
        put(tmp_path / "pile" / f"blue-{side}.png", plain("blue", side=side))
    atlas = collect(tmp_path, tmp_path / "pile")
    first = atlas.advise()
    assert atlas.advise() is first
    assert atlas.advise(min_samples=3) is not first
    put(tmp_path / "pile" / "lime.png", plain("lime"))
    atlas.index(tmp_path / "pile")
    assert atlas.advise().n_regions == first.n_regions + 1


def test_two_runs_are_compared_by_what_became_of_their_clusters(atlas: Collection) -> None:
    three, two = atlas.cluster("kmeans", k=3), atlas.cluster("kmeans", k=2)
    found = atlas.compare(three.run, two.run).to_dict()
    assert (found["first"], found["second"]) == (three.run, two.run)
    assert (found["n_shared"], found["n_only_first"], found["n_only_second"]) == (18, 0, 0)
    assert found["n_moved"] == 6
    assert len(found["only_first"]) == 1
    assert 0 < found["ari"] < 1
    assert sorted(match["n_shared"] for match in found["matches"]) == [6, 6]


def test_runs_are_compared_as_people_left_them(tmp_path: Path) -> None:
    for colour in COLOURS:
        for n in range(3):
            put(tmp_path / "pile" / f"{colour}-{n}.png", plain(colour, side=16 + 8 * n))
    atlas = collect(tmp_path, tmp_path / "pile")
    three, two = atlas.cluster("kmeans", k=3), atlas.cluster("kmeans", k=2)
    assert atlas.compare(three.run, two.run).to_dict()["ari"] < 1
    joined = two.labels[0] == two.labels
    together = sorted({int(label) for label in three.labels[joined]})
    apart = sorted({int(label) for label in three.labels[~joined]})
    atlas.decide("merge", *max(together, apart, key=len), run=three.run)
    assert atlas.compare(three.run, two.run).to_dict()["ari"] == 1


def test_runs_are_compared_over_the_regions_that_both_know(tmp_path: Path) -> None:
    put(tmp_path / "pile" / "red.png", plain("red"))
    put(tmp_path / "pile" / "blue.png", plain("blue"))
    collection = collect(tmp_path, tmp_path / "pile")
    first = collection.cluster("kmeans", k=2)
    put(tmp_path / "pile" / "lime.png", plain("lime"))
    collection.index(tmp_path / "pile")
    second = collection.cluster("kmeans", k=3)
    found = collection.compare(first.run, second.run)
    assert (found.n_shared, found.n_only_first, found.n_only_second) == (2, 0, 1)
    assert (found.ari, found.n_moved) == (1, 0)


def test_a_run_that_was_not_made_cannot_be_compared(atlas: Collection) -> None:
    with pytest.raises(RunNotFound, match="no clustering 'x'"):
        atlas.compare("x", "kmeans-1")


def test_a_kind_that_is_not_there_is_refused_with_those_that_are(atlas: Collection) -> None:
    with pytest.raises(QueryError, match="no region of kind 'person'; there are image"):
        atlas.cluster(kind="person")
    with pytest.raises(QueryError, match="no region of kind 'person'; there are image"):
        atlas.advise(kind="person")


def test_one_kind_of_region_is_clustered_or_all_of_them(tmp_path: Path) -> None:
    size = np.log(2)  # doubles the 8 pixels of an anchor
    dog_and_person = {0: (1, 1, size, size, 0.9, 16), 2: (1, 1, size, size, 0.8, 0)}
    detector = write_yolox(tmp_path / "quarters.onnx", dog_and_person)
    for n in (64, 128):
        put(tmp_path / "pile" / f"{n}.png", saved(quarters(n, n), "PNG"))
    atlas = collect(tmp_path, tmp_path / "pile", find=["objects"], detector=detector)
    sizes = {
        kind: len(atlas.cluster("kmeans", k=2, kind=kind).region_ids)
        for kind in ("image", "person", "animal", "all")
    }
    assert sizes == {"image": 2, "person": 2, "animal": 2, "all": 6}
    of_all = atlas.clustering()
    assert (of_all.about.kind, of_all.about.n_regions) == ("all", 6)
    with pytest.raises(QueryError, match=r"is over image and .* over person"):
        atlas.compare("kmeans-1", "kmeans-2")


def test_what_stayed_left_and_came_is_told_image_by_image(atlas: Collection) -> None:
    coarse, fine = atlas.cluster("kmeans", k=2).run, atlas.cluster("kmeans", k=3).run
    both = next(c.cluster for c in atlas.clustering(coarse).clusters if c.size == 12)
    match = next(m for m in atlas.compare(coarse, fine).matches if m.first == both)
    (one,) = atlas.exchanges(coarse, fine, [(match.first, match.second)], n=9)
    assert (len(one.stayed), len(one.left), len(one.came)) == (6, 6, 0)
    stayed, left = (
        {str(path).rsplit("/", 1)[-1].split("-")[0] for path in atlas.paths(ids)}
        for ids in (one.stayed, one.left)
    )
    assert len(stayed) == len(left) == 1
    assert stayed != left
    (fewer,) = atlas.exchanges(fine, coarse, [(match.second, match.first)], n=4)
    assert (len(fewer.stayed), len(fewer.left), len(fewer.came)) == (4, 0, 4)
