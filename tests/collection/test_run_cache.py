"""A run that is looked at: members from core to edge, and what is kept between two looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bilderatlas.collection import Collection
from bilderatlas.errors import RunNotFound
from tests.pictures import collect, put, saved


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    """Reds that have more and more white in them, and blues; clusters 0 and 1."""
    for n, level in enumerate((0, 10, 60, 120)):
        put(tmp_path / "pile" / f"red-{n}.png", _plain(255, level, level))
    for n, level in enumerate((0, 10, 60)):
        put(tmp_path / "pile" / f"blue-{n}.png", _plain(level, level, 255))
    made = collect(tmp_path, tmp_path / "pile")
    made.cluster("kmeans", k=2)
    return made


def _plain(red: int, green: int, blue: int) -> bytes:
    return saved(Image.new("RGB", (16, 16), (red, green, blue)), "PNG")


def names(atlas: Collection, cluster: int, **window: int) -> list[str]:
    ids = [member.image_id for member in atlas.members(cluster, **window)]
    return [str(path).rsplit("/", 1)[-1] for path in atlas.paths(ids)]


def test_members_come_from_core_to_edge_a_window_at_a_time(atlas: Collection) -> None:
    members = atlas.members(0)
    assert members.n_all == len(members) == 4
    closeness = [member.closeness for member in members]
    assert closeness == sorted(closeness, reverse=True)
    assert names(atlas, 0)[-1] == "red-3.png"
    assert names(atlas, 0, start=1, n=2) == names(atlas, 0)[1:3]
    assert names(atlas, 0, start=9) == []


def test_tightness_is_the_mean_closeness_of_the_members(atlas: Collection) -> None:
    red, blue = atlas.cluster_shapes()
    assert red.tightness == pytest.approx(np.mean([m.closeness for m in atlas.members(0)]))
    assert blue.tightness > red.tightness  # the palest red is farthest from its centre
    assert [near.cluster for near in red.nearest] == [1]


def test_what_is_decided_is_seen_at_once(atlas: Collection) -> None:
    assert atlas.clustering() is atlas.clustering("kmeans-1")
    paler = names(atlas, 0)[-1]
    moved = atlas.members(0)[-1].region_id
    atlas.decide("move", moved, 1)
    assert paler not in names(atlas, 0)
    assert paler in names(atlas, 1)
    assert len(atlas.cluster_shapes()) == 2


def test_images_that_have_left_are_no_members(atlas: Collection, tmp_path: Path) -> None:
    (tmp_path / "pile" / "red-3.png").unlink()
    atlas.index(tmp_path / "pile", prune=True)
    assert atlas.members(0).n_all == 3
    assert atlas.clustering().clusters[0].size == 4  # the run is of its time


def test_the_noise_is_members_too_and_an_unknown_cluster_is_refused(atlas: Collection) -> None:
    assert atlas.members(-1).n_all == 0
    with pytest.raises(RunNotFound, match="no cluster 7"):
        atlas.members(7)
