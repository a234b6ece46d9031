"""`export --map` and `--figure`: what is on them, and what is refused."""

import csv
from pathlib import Path

import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError, RunNotFound, StoreError
from bilderatlas.indexing import texts
from bilderatlas.storage import Store
from tests.pictures import collect, plain, put
from tests.toy_encoder import ToyEncoder


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("pile")
    rows = []
    for n in range(6):
        for colour in ("red", "blue"):
            put(folder / colour / f"{n}.png", plain(colour, side=16 + n))
            rows.append([f"{colour}/{n}.png", n, f"{colour}ish", "x"])
    with (folder / "pictures.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "price", "mood", "kind"], *rows])
    made = collect(tmp_path_factory.mktemp("atlas"), folder / "pictures.csv", column="path")
    made.project("pca")
    made.project("pca", dims=3)
    return made


def legend(atlas: Collection, color_by: str | None) -> list[str]:
    figure = atlas.map_figure(run="pca-1", color_by=color_by)
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize(
    ("color_by", "told"),
    [
        (None, ["blue  6", "red  6"]),  # by folder, while there is no clustering
        ("kind", ["image  12"]),
        ("metadata_kind", ["x  12"]),
        ("mood", ["blueish  6", "redish  6"]),
        ("price", [f"{n}  2" for n in range(6)]),
        ("width", [f"{16 + n}  2" for n in range(6)]),
        ("media_type", ["image/png  12"]),
        ("taken_at", ["no value  12"]),
    ],
)
def test_maps_are_coloured_by(atlas: Collection, color_by: str | None, told: list[str]) -> None:
    assert legend(atlas, color_by) == told


def test_the_newest_clustering_or_a_named_one_colours_a_map(tmp_path: Path) -> None:
    for colour in ("red", "blue", "lime"):
        for n in range(3):
            put(tmp_path / "pile" / f"{colour}{n}.png", plain(colour, side=16 + n))
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.project("pca")
    atlas.cluster("kmeans", k=2)
    atlas.cluster("kmeans", k=3)
    written = {
        color_by: [text.get_text() for text in atlas.map_figure(color_by=color_by).axes[0].texts]
        for color_by in (None, "cluster", "kmeans-1")
    }
    assert len(written[None]) == len(written["cluster"]) == 3
    assert len(written["kmeans-1"]) == 2


@pytest.fixture(scope="module")
def titled(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Three colours with titles of two; pictures are clustered first, then titles."""
    folder = tmp_path_factory.mktemp("titled")
    rows = []
    for colour in ("red", "blue", "lime"):
        for n in range(3):
            put(folder / f"{colour}{n}.png", plain(colour, side=16 + n))
            rows.append([f"{colour}{n}.png", "blue" if n else "red"])
    with (folder / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "title"], *rows])
    made = collect(folder, folder / "t.csv", column="path")
    list(texts.reindex(Store.open(made.path), ToyEncoder(), "title"))
    made.project("pca")
    made.project("pca", space="title-toy")
    made.cluster("kmeans", k=3)
    made.cluster("kmeans", k=2, space="title-toy")
    return made


def test_a_map_has_the_colours_of_a_clustering_of_what_it_shows(
    titled: Collection, tmp_path: Path
) -> None:
    for run, clustering, n in (("pca-1", "kmeans-1", 3), ("pca-2", "kmeans-2", 2)):
        for color_by in (None, "cluster"):
            colours = titled.map_colours(run, color_by=color_by).of_all
            assert (colours.run, len(colours.legend)) == (clustering, n)
            assert len(titled.map_figure(run=run, color_by=color_by).axes[0].texts) == n
        page = titled.map_page(tmp_path / f"{run}.html", run=run).path.read_text("utf-8")
        names = [cluster.name for cluster in titled.clustering(clustering).clusters]
        assert all(f"{name}<" in page for name in names)
    assert titled.map_colours("pca-1", color_by="kmeans-2").of_all.run == "kmeans-2"  # as asked


def test_a_map_of_what_is_not_clustered_has_the_colours_of_its_folders(tmp_path: Path) -> None:
    for colour in ("red", "blue"):
        put(tmp_path / f"{colour}.png", plain(colour))
    (tmp_path / "t.csv").write_text("path,title\nred.png,red\nblue.png,blue\n")
    atlas = collect(tmp_path, tmp_path / "t.csv", column="path")
    list(texts.reindex(Store.open(atlas.path), ToyEncoder(), "title"))
    atlas.cluster("kmeans", k=2, space="title-toy")
    atlas.project("pca")
    assert atlas.map_colours().of_all.title == "folder"
    with pytest.raises(
        RunNotFound, match=r"'pca-1' shows.*in space 'toy'.*cluster COLLECTION --sp"
    ):
        atlas.map_colours(color_by="cluster")


def test_labels_that_people_gave_colour_a_map(atlas: Collection) -> None:
    red = atlas.select(where="mood = 'redish'")
    atlas.label(red, "warm")
    atlas.label(red[:2], "small")
    assert legend(atlas, "labels") == ["warm  4", "small + warm  2", "no value  6"]


def test_a_column_that_is_not_there_is_refused_with_those_that_are(atlas: Collection) -> None:
    with pytest.raises(
        QueryError, match=r"no column 'nosuch'.*cluster, labels, kind.*tables: price, mood"
    ):
        atlas.map_figure(color_by="nosuch")
    with pytest.raises(RunNotFound, match="bilderatlas cluster"):
        atlas.map_figure(color_by="cluster")


def test_pictures_stand_on_a_flat_figure_alone(atlas: Collection) -> None:
    figure = atlas.map_figure(run="pca-1", with_pictures=True)
    assert len(figure.axes[0].artists) > len(atlas.map_figure(run="pca-1").axes[0].artists)
    with pytest.raises(QueryError, match="has 3 dimensions"):
        atlas.map_figure(run="pca-2", with_pictures=True)


def test_a_page_says_what_it_holds_and_keeps_to_its_limit(
    atlas: Collection, tmp_path: Path
) -> None:
    made = atlas.map_page(tmp_path / "new" / "map.html", run="pca-1")
    assert (made.run, made.color_by, made.n_points) == ("pca-1", "folder", 12)
    assert made.n_bytes == made.path.stat().st_size < 64e6
    assert made.thumbnail_side == 224
    small = atlas.map_page(tmp_path / "small.html", run="pca-1", max_mb=0.0525)
    assert small.thumbnail_side < made.thumbnail_side
    with pytest.raises(QueryError, match="--max-mb"):
        atlas.map_page(tmp_path / "none.html", run="pca-1", max_mb=0.05)
    assert not (tmp_path / "none.html").exists()


def test_a_page_asks_nothing_of_the_network(atlas: Collection, tmp_path: Path) -> None:
    text = atlas.map_page(tmp_path / "map.html").path.read_text("utf-8")
    assert "default-src 'none'" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text


def test_a_file_that_cannot_be_written_is_said(atlas: Collection, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match="cannot be written"):
        atlas.map_page(tmp_path / "taken" / "map.html")


def test_images_that_left_are_not_on_the_map(tmp_path: Path) -> None:
    for n in range(4):
        put(tmp_path / "pile" / f"{n}.png", plain("red", side=16 + n))
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.project("pca")
    (tmp_path / "pile" / "0.png").unlink()
    atlas.index(tmp_path / "pile", prune=True)
    assert atlas.map_page(tmp_path / "map.html").n_points == 3
