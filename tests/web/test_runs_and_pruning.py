"""Clusters and maps outlive some of their images, and are missed before they are made."""

from __future__ import annotations

from pathlib import Path

import pytest

import bilderatlas
from bilderatlas.collection import Collection
from bilderatlas.web.address import Address, Desk
from bilderatlas.web.query_pictures import QueryPictures
from bilderatlas.web.views import cluster, clusters, home
from bilderatlas.web.views import map as map_page
from tests.server.coloured import COLOURS, N_OF_EACH, make_collection


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """One whose picture red-3 left after it was clustered and mapped."""
    folder = tmp_path_factory.mktemp("left")
    collection = make_collection(folder)
    (folder / "pictures" / "red-3.png").unlink()
    collection.index(folder / "pictures" / "pictures.csv", column="path", prune=True)
    return collection


def _desk(collection: Collection) -> Desk:
    return Desk(collection, QueryPictures())


def test_the_map_leaves_out_what_has_left(collection: Collection) -> None:
    said = str(map_page.page(_desk(collection), Address("/map", {})).children)
    assert f"{N_OF_EACH * len(COLOURS) - 1} points in" in said


def test_a_cluster_shows_the_members_that_are_left(collection: Collection) -> None:
    sheets = str(clusters.page(_desk(collection), Address("/clusters", {})).children)
    assert "red-4.png" in sheets
    assert "red-3.png" not in sheets
    pages = [
        str(cluster.page(_desk(collection), Address("/clusters", {}), str(number)).children)
        for number in range(4)
    ]
    left = [f"red-{n}.png" for n in range(1, N_OF_EACH) if n != 3]
    assert any(all(name in page for name in left) for page in pages)
    assert not any("red-3.png" in page for page in pages)


def test_a_collection_without_runs_is_told_the_commands(tmp_path: Path) -> None:
    desk = _desk(bilderatlas.create(tmp_path / "my pictures.atlas"))
    quoted = f"'{desk.collection.path}'"  # as the shell wants a blank
    assert f"bilderatlas index {quoted} FOLDER" in str(home.page(desk, Address("/", {})))
    assert f"bilderatlas cluster {quoted}" in str(clusters.page(desk, Address("/clusters", {})))
    assert f"bilderatlas project {quoted}" in str(map_page.page(desk, Address("/map", {})))
