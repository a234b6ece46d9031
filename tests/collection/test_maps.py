"""Which points of a map are drawn, and in which colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bilderatlas.collection.maps import drawn
from bilderatlas.errors import QueryError
from tests.pictures import collect, plain, put


def test_all_points_are_drawn_once_in_a_random_order() -> None:
    order = drawn(np.zeros((50, 2), np.float32), 100)
    assert sorted(order.tolist()) == list(range(50))
    assert order.tolist() != list(range(50))
    assert order.tolist() == drawn(np.zeros((50, 2), np.float32), 100).tolist()


def test_of_too_many_points_the_crowded_place_loses_some_and_the_lonely_stay() -> None:
    crowd = np.zeros((10_000, 2), np.float32)
    lonely = np.linspace((0.1, 0.1), (1, 1), 50, dtype=np.float32)
    kept = drawn(np.concatenate([crowd, lonely]), 500)
    assert len(kept) == 500
    assert set(range(10_000, 10_050)) <= set(kept.tolist())


@pytest.mark.parametrize("dims", [2, 3])
def test_a_million_points_are_thinned_to_as_many_as_asked(dims: int) -> None:
    many = np.random.default_rng(1).normal(size=(1_000_000, dims)).astype(np.float32)
    kept = drawn(many, 200_000)
    assert len(kept) == len(set(kept.tolist())) == 200_000


def test_the_colours_of_a_map_are_those_of_its_points(tmp_path: Path) -> None:
    for colour in ("red", "blue"):
        for n in range(3):
            put(tmp_path / "pile" / colour / f"{n}.png", plain(colour, side=16 + n))
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.project("pca", dims=2)
    points, colours = atlas.map_points(), atlas.map_colours(color_by="folder")
    names = {entry.label: entry.name for entry in colours.of_all.legend}
    folders = [Path(path or "").parent.name for path in atlas.paths(points.region_ids)]
    assert [names[label] for label in colours.labels.tolist()] == folders
    assert points.n_all == len(points.coordinates) == 6
    atlas.label(points.region_ids[:1], "mine")
    changed = atlas.map_colours(color_by="labels")
    assert changed.labels.tolist() == [0, -1, -1, -1, -1, -1]
    atlas.label(points.region_ids[1:2], "mine")
    assert atlas.map_colours(color_by="labels").labels.tolist() == [0, 0, -1, -1, -1, -1]
    with pytest.raises(QueryError, match="no column"):
        atlas.map_colours(color_by="nothing")


def test_the_columns_to_colour_by_are_those_of_the_tables(tmp_path: Path) -> None:
    put(tmp_path / "red.png", plain("red"))
    table = tmp_path / "pictures.csv"
    table.write_text("path,mood,width\nred.png,calm,3\n")
    atlas = collect(tmp_path, table, column="path")
    assert atlas.metadata_columns() == ["mood", "metadata_width"]
