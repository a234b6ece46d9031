"""Labels from Python: given, taken, undone, counted, imported; and which images are meant."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import bilderatlas as ba
from bilderatlas.collection import Collection
from bilderatlas.errors import ImageNotFound, LabelsError, QueryError
from tests.pictures import collect, plain, put

COLOURS = ("blue", "green", "red")


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pile")
    for colour in COLOURS:
        for side in (8, 9):
            put(folder / colour / f"{colour}-{side}.png", plain(colour, side=side))
    return folder


@pytest.fixture
def atlas(tmp_path: Path, pile: Path) -> Collection:
    return collect(tmp_path, pile)


def path(pile: Path, colour: str, side: int = 8) -> str:
    return str(pile / colour / f"{colour}-{side}.png")


def names(atlas: Collection, image_ids: list[str]) -> list[str]:
    return [Path(each or "").name for each in atlas.paths(image_ids)]


def test_an_image_may_have_several_labels(atlas: Collection, pile: Path) -> None:
    made = atlas.label([path(pile, "red"), path(pile, "red", 9)], "warm", who="Anna")
    atlas.label([path(pile, "red")], "small")
    assert (made.n_regions, made.label) == (2, "warm")
    assert made.decision is not None
    assert made.decision.who == "Anna"
    counts = ba.open(atlas.path).labels()
    assert [(each.label, each.n_images) for each in counts] == [("warm", 2), ("small", 1)]
    assert (counts.n_labelled, counts.n_images) == (2, 6)
    (image,) = atlas.labelled("small")
    assert atlas.labels_of([image, "nobody"]) == [("small", "warm"), ()]


def test_who_has_a_label_already_is_passed_over(atlas: Collection, pile: Path) -> None:
    atlas.label([path(pile, "red")], "warm")
    assert atlas.label([path(pile, "red")], "warm").decision is None
    assert atlas.label([path(pile, "red"), path(pile, "blue")], "warm").n_regions == 1
    assert len(atlas.decisions()) == 2


def test_a_label_is_taken_away_and_a_decision_undone(atlas: Collection, pile: Path) -> None:
    atlas.label([path(pile, "red"), path(pile, "blue")], "warm")
    taken = atlas.unlabel([path(pile, "blue"), path(pile, "green")], "warm")
    assert taken.n_regions == 1
    assert names(atlas, atlas.labelled("warm")) == ["red-8.png"]
    assert taken.decision is not None
    undone = atlas.decide("undo", taken.decision.decision)  # there is no clustering to show
    assert undone.clustering is None
    assert names(atlas, atlas.labelled("warm")) == ["blue-8.png", "red-8.png"]


def test_a_label_follows_its_picture_to_another_place(tmp_path: Path) -> None:
    picture = put(tmp_path / "pile" / "a.png", plain("red"))
    put(tmp_path / "pile" / "b.png", plain("blue"))
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.label([str(picture)], "warm")
    picture.rename(tmp_path / "pile" / "z.png")
    atlas.index(tmp_path / "pile")
    assert names(atlas, atlas.labelled("warm")) == ["z.png"]
    (tmp_path / "pile" / "z.png").unlink()
    atlas.index(tmp_path / "pile", prune=True)
    assert atlas.labelled() == []
    assert atlas.labels().n_labelled == len(atlas.labels()) == 0


@pytest.mark.parametrize("by", ["id", "path", "both"])
def test_images_are_named_by_id_or_path_and_count_once(
    atlas: Collection, pile: Path, by: str
) -> None:
    (image_id,) = [f.image_id for f in atlas.all_images() if f.path == path(pile, "red")]
    given = {"id": [image_id], "path": [path(pile, "red")]}
    given["both"] = given["id"] + given["path"]
    assert atlas.label(given[by], "warm").n_regions == 1
    assert atlas.labelled("warm") == [image_id]


def test_what_cannot_be_labelled_is_refused(atlas: Collection, pile: Path) -> None:
    with pytest.raises(ImageNotFound, match="nowhere"):
        atlas.label([path(pile, "red"), "nowhere.png"], "warm")
    with pytest.raises(LabelsError, match="0 characters"):
        atlas.label([path(pile, "red")], " ")
    with pytest.raises(LabelsError, match="There are no labels yet"):
        atlas.unlabel([path(pile, "red")], "warm")
    atlas.label([path(pile, "red")], "warm")
    with pytest.raises(LabelsError, match="'cold'\\. There are: warm"):
        atlas.labelled("cold")
    assert len(atlas.decisions()) == 1


def test_labels_of_folders_are_one_decision_each(atlas: Collection) -> None:
    made = atlas.import_labels("folders")
    assert [(each.label, each.n_regions) for each in made.labels] == [(c, 2) for c in COLOURS]
    assert len(atlas.decisions()) == 3
    assert atlas.unlabelled() == []
    assert atlas.import_labels("folders").n_new == 0


def test_a_table_may_name_an_image_more_than_once(
    atlas: Collection, pile: Path, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    rows = [[path(pile, "red"), "warm"], ["red-9.png", "warm"], [path(pile, "red"), "small"]]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["path", "label"], *rows, ["gone.png", "warm"]])
    made = atlas.import_labels(table)
    assert (made.n_new, made.unknown) == (3, ("gone.png",))
    assert names(atlas, atlas.labelled("warm")) == ["red-8.png", "red-9.png"]
    assert names(atlas, atlas.labelled("small")) == ["red-8.png"]


def test_exported_labels_come_back_the_same(atlas: Collection, pile: Path, tmp_path: Path) -> None:
    atlas.label([path(pile, "red"), path(pile, "green")], "warm, or hot")
    atlas.label([path(pile, "red")], 'a "small" one')
    atlas.export(tmp_path / "labels.csv", table="labels")
    other = collect(tmp_path / "other", pile)
    other.import_labels(tmp_path / "labels.csv")
    assert other.region_labels() == atlas.region_labels()
    assert len(other.region_labels()) == 2


def test_all_images_that_answer_a_search_are_meant_the_closest_first(atlas: Collection) -> None:
    meant = names(atlas, atlas.select("red"))
    hits = [Path(hit.path).name for hit in atlas.search("red", k=None) if hit.relevance >= 0.25]
    assert meant == hits
    assert meant[:2] == ["red-8.png", "red-9.png"]
    assert len(meant) < 6


def test_only_images_of_a_label_are_searched(atlas: Collection, pile: Path) -> None:
    atlas.label([path(pile, "red", 9), path(pile, "blue")], "known")
    hits = atlas.search("red", label="known", k=None)
    assert [Path(hit.path).name for hit in hits] == ["red-9.png", "blue-8.png"]
    kept = atlas.keep_selection([path(pile, "blue"), path(pile, "green")])
    (hit,) = atlas.search("red", label="known", selection=kept)
    assert Path(hit.path).name == "blue-8.png"
    with pytest.raises(LabelsError, match="No image is labelled 'unheard of'"):
        atlas.search("red", label="unheard of")


def test_what_is_said_together_must_all_hold(atlas: Collection, pile: Path) -> None:
    atlas.cluster("kmeans", k=3)
    (number,) = {
        label
        for region, label in zip(
            atlas.clustering().region_ids, atlas.clustering().labels.tolist(), strict=True
        )
        if names(atlas, [region]) == ["red-8.png"]
    }
    atlas.label([path(pile, "red"), path(pile, "blue")], "known")
    assert names(atlas, atlas.select()) == [f"{c}-{s}.png" for c in COLOURS for s in (8, 9)]
    assert sorted(names(atlas, atlas.select(cluster=number))) == ["red-8.png", "red-9.png"]
    assert names(atlas, atlas.select(cluster=number, unlabelled=True)) == ["red-9.png"]
    assert names(atlas, atlas.select("red", label="known"))[0] == "red-8.png"
    assert names(atlas, atlas.select(where="width = 9", unlabelled=True))[0] == "blue-9.png"
    with pytest.raises(QueryError, match="Name one of its clusters too"):
        atlas.select(run="kmeans-1")
