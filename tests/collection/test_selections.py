"""Images that are kept together."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.csv
import pytest

from bilderatlas.collection import Collection, selections
from bilderatlas.errors import ImageNotFound, QueryError, SelectionNotFound
from tests.pictures import collect, plain, put


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    for colour in ("red", "green", "blue"):
        for side in (8, 9):
            put(tmp_path / "pile" / f"{colour}-{side}.png", plain(colour, side=side))
    return collect(tmp_path, tmp_path / "pile")


def reds(atlas: Collection) -> list[str]:
    return [hit.image_id for hit in atlas.search("red", k=2)]


def test_the_same_images_have_the_same_id_whatever_their_order(atlas: Collection) -> None:
    one, other = reds(atlas)
    kept = atlas.keep_selection([one, other, one])
    assert atlas.keep_selection([other, one]) == kept
    assert atlas.selection(kept) == sorted([one, other])
    assert atlas.keep_selection([one]) != kept


def test_paths_and_regions_mean_their_images(atlas: Collection) -> None:
    image = atlas.image(reds(atlas)[0])
    assert atlas.keep_selection([image.path]) == atlas.keep_selection([image.image_id])


def test_a_selection_narrows_search_select_and_export(atlas: Collection, tmp_path: Path) -> None:
    kept = atlas.keep_selection(reds(atlas))
    assert {hit.image_id for hit in atlas.search("green", k=6, selection=kept)} == set(reds(atlas))
    assert set(atlas.select(selection=kept)) == set(reds(atlas))
    assert atlas.select(selection=kept, where="path LIKE '%green%'") == []
    atlas.export(tmp_path / "images.csv", selection=kept)
    assert set(pyarrow.csv.read_csv(tmp_path / "images.csv")["image_id"].to_pylist()) == set(
        reds(atlas)
    )


def test_a_selection_is_there_after_opening_again(atlas: Collection) -> None:
    kept = atlas.keep_selection(reds(atlas))
    assert Collection(atlas._store).selection(kept) == sorted(reds(atlas))


def test_nothing_and_unknown_images_are_refused(atlas: Collection) -> None:
    with pytest.raises(QueryError, match="needs images"):
        atlas.keep_selection([])
    with pytest.raises(ImageNotFound):
        atlas.keep_selection(["nowhere.png"])


@pytest.mark.parametrize("name", ["0" * 16, "", "../atlas.json", "/etc/passwd", "\0", "x" * 5000])
def test_what_was_never_kept_is_not_found(atlas: Collection, name: str) -> None:
    with pytest.raises(SelectionNotFound, match="Select the images again"):
        atlas.selection(name)


def test_the_selection_used_least_lately_makes_room(tmp_path: Path) -> None:
    ids = [f"{number:032x}" for number in range(4)]
    first, second = (selections.keep(tmp_path, [each]) for each in ids[:2])
    for age, kept in enumerate((first, second), start=1):
        os.utime(tmp_path / "selections" / kept, (age, age))
    assert selections.read(tmp_path, first) == ids[:1]  # so the second is the one to go
    third = selections.keep(tmp_path, ids[2:3], max_bytes=32)
    assert [selections.read(tmp_path, kept) for kept in (first, third)] == [ids[:1], ids[2:3]]
    with pytest.raises(SelectionNotFound):
        selections.read(tmp_path, second)
