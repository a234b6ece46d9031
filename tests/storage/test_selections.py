"""Images that are kept together."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.csv
import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import (
    CollectionNotFound,
    DiskFull,
    ImageNotFound,
    QueryError,
    SelectionNotFound,
)
from bilderatlas.storage.selections import Memory, Selections
from tests.disks import full_disk
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
    kept = Selections(tmp_path, max_bytes=32)
    first, second = (kept.keep([each]) for each in ids[:2])
    for age, each in enumerate((first, second), start=1):
        os.utime(tmp_path / "selections" / each, (age, age))
    assert kept.read(first) == ids[:1]  # so the second is the one to go
    third = kept.keep(ids[2:3])
    assert [kept.read(each) for each in (first, third)] == [ids[:1], ids[2:3]]
    with pytest.raises(SelectionNotFound):
        kept.read(second)


def test_in_memory_nothing_is_written_and_what_lies_there_is_found(tmp_path: Path) -> None:
    ids = [f"{number:032x}" for number in range(2)]
    before = Selections(tmp_path).keep(ids[:1])
    os.utime(tmp_path / "selections" / before, (1, 1))

    kept = Selections(tmp_path)
    kept.write_nothing()
    new = kept.keep(ids[1:])

    assert [kept.read(each) for each in (before, new)] == [ids[:1], ids[1:]]
    assert [file.name for file in (tmp_path / "selections").iterdir()] == [before]
    assert (tmp_path / "selections" / before).stat().st_mtime == 1
    with pytest.raises(SelectionNotFound):
        Selections(tmp_path).read(new)  # it ends with the process


def test_the_selection_used_least_lately_makes_room_in_memory() -> None:
    memory = Memory(max_bytes=32)
    memory.keep("first", bytes(16))
    memory.keep("second", bytes(16))
    assert memory.read("first") == bytes(16)  # so the second is the one to go
    memory.keep("third", bytes(16))
    assert [memory.read(each) for each in ("first", "second", "third")] == [
        bytes(16),
        None,
        bytes(16),
    ]
    memory.keep("large", bytes(100))
    assert memory.read("large") == bytes(100)
    assert memory.read("third") is None


def test_selections_are_kept_from_many_threads_at_once(tmp_path: Path) -> None:
    kept = Selections(tmp_path, max_bytes=64)
    ids = [f"{number:032x}" for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda one: kept.keep([one]), ids))
    assert len(set(made)) == 200


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    kept = Selections(tmp_path)
    with full_disk(), pytest.raises(DiskFull, match=r"disk of .* is full.*make room"):
        kept.keep(["0" * 32])
    assert list((tmp_path / "selections").iterdir()) == []
    assert kept.read(kept.keep(["0" * 32])) == ["0" * 32]


def test_a_folder_that_was_moved_is_not_made_anew(tmp_path: Path) -> None:
    kept = Selections(tmp_path / "moved.atlas")
    with pytest.raises(CollectionNotFound, match="is no longer there"):
        kept.keep(["0" * 32])
    assert list(tmp_path.iterdir()) == []
