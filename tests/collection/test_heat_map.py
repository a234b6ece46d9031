"""Heat maps and sheets of neighbors, on coloured squares whose cosines are known."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bilderatlas.collection import Collection
from bilderatlas.errors import ImageNotFound, QueryError, RunNotFound
from tests.pictures import collect, plain, put

HALF = float(np.sqrt(0.5))  # the cosine of red and yellow, and of yellow and lime


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pile")
    for n, colour in enumerate(["red", "red", "yellow", "blue", "blue", "blue"]):
        put(folder / f"{n}-{colour}.png", plain(colour, side=16 + n))
    return folder


@pytest.fixture(scope="module")
def atlas(pile: Path, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    made = collect(tmp_path_factory.mktemp("atlas"), pile)
    made.cluster("kmeans", k=3)
    made.cluster("dbscan", eps=0.1)  # the yellow is noise
    return made


def test_images_are_compared_in_the_order_asked_for(atlas: Collection, pile: Path) -> None:
    asked = [str(pile / name) for name in ("2-yellow.png", "3-blue.png", "0-red.png")]
    made = atlas.heat_map(asked)
    assert made.names == ["2-yellow.png", "3-blue.png", "0-red.png"]
    assert made.matrix == pytest.approx(np.array([[1, 0, HALF], [0, 1, 0], [HALF, 0, 1]]), abs=1e-6)
    with Image.open(BytesIO(made.pictures[1])) as thumbnail:
        assert thumbnail.getpixel((3, 3))[2] > 250  # the blue one
    assert made.to_dict()["matrix"][0][0] == pytest.approx(1)


def test_clusters_are_compared_by_their_members(atlas: Collection) -> None:
    made = atlas.heat_map(run="kmeans-1")
    sizes = {cluster.name: cluster.size for cluster in atlas.clustering("kmeans-1").clusters}
    of_size = {sizes[name]: i for i, name in enumerate(made.names)}
    blue, red, yellow = of_size[3], of_size[2], of_size[1]
    assert made.matrix[blue, blue] == pytest.approx(1, abs=1e-6)
    assert made.matrix[red, yellow] == pytest.approx(HALF, abs=1e-6)
    assert made.matrix[red, blue] == pytest.approx(0, abs=1e-6)
    assert np.isnan(made.matrix[yellow, yellow])
    assert abs(red - yellow) == 1  # like ones stand side by side
    assert made.to_dict()["matrix"][yellow][yellow] is None


def test_the_newest_run_is_shown_and_noise_is_not(atlas: Collection) -> None:
    made = atlas.heat_map()
    assert made.title == "Clusters of dbscan-1"
    assert len(made.names) == 2


def test_members_that_have_left_are_left_out(tmp_path: Path) -> None:
    for n in range(6):
        colour = "red" if n < 3 else "blue"
        put(tmp_path / "pile" / f"{n}.png", plain(colour, side=16 + n))
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.cluster("kmeans", k=2)
    for n in range(3):
        (tmp_path / "pile" / f"{n}.png").unlink()
    atlas.index(tmp_path / "pile", prune=True)
    assert atlas.heat_map().matrix == pytest.approx(np.array([[1]]), abs=1e-6)
    for n in range(3, 6):
        (tmp_path / "pile" / f"{n}.png").unlink()
    put(tmp_path / "pile" / "later.png", plain("lime"))
    atlas.index(tmp_path / "pile", prune=True)
    with pytest.raises(QueryError, match="None of the clusters of run 'kmeans-1' has members"):
        atlas.heat_map()


def test_what_cannot_be_drawn_is_refused(atlas: Collection, pile: Path, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="2 to 100 images; 1 were named"):
        atlas.heat_map([str(pile / "0-red.png")])
    with pytest.raises(QueryError, match="name one of the two"):
        atlas.heat_map([str(pile / "0-red.png")], run="kmeans-1")
    with pytest.raises(ImageNotFound, match=r"nobody\.png"):
        atlas.heat_map([str(pile / "0-red.png"), "nobody.png"])
    with pytest.raises(RunNotFound, match="There is no clustering 'x'"):
        atlas.heat_map(run="x")


def test_a_run_of_noise_alone_has_nothing_to_compare(pile: Path, tmp_path: Path) -> None:
    atlas = collect(tmp_path, pile)
    atlas.cluster("dbscan", eps=0.001, min_samples=4)
    with pytest.raises(QueryError, match="Run 'dbscan-1' has no clusters, only noise"):
        atlas.heat_map()


# -- neighbors


def test_neighbors_follow_the_picture_that_was_asked_for(atlas: Collection, pile: Path) -> None:
    asked = str(pile / "3-blue.png")
    with Image.open(BytesIO(atlas.similar(asked, k=1).to_png())) as sheet:
        two = sheet.convert("RGB")
    with Image.open(BytesIO(atlas.search("blue", k=1).to_png())) as sheet:
        without = sheet.convert("RGB")
    assert two.width > without.width
    middle = two.height // 2
    first = np.array([two.getpixel((x, middle)) for x in range(two.width // 2)])
    assert (first == (0x8C, 0x3C, 0x1F)).all(axis=1).sum() >= 4  # its frame


def test_what_found_nothing_shows_nothing(atlas: Collection) -> None:
    hits = atlas.search("blue", where="width < 1")
    assert len(hits) == 0
    assert hits._repr_png_() is None
