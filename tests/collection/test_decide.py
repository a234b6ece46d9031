"""Deciding about clusters from Python: kept, carried to later runs, and every refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import bilderatlas as ba
from bilderatlas.collection import Collection
from bilderatlas.errors import DecisionError, ImageNotFound, RunNotFound
from tests.pictures import collect, plain, put

COLOURS = ("red", "green", "blue", "white")
N_OF_EACH = 3


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pile")
    for colour in COLOURS:
        for side in range(8, 8 + N_OF_EACH):
            put(folder / f"{colour}-{side}.png", plain(colour, side=side))
    return folder


@pytest.fixture
def atlas(tmp_path: Path, pile: Path) -> Collection:
    """One cluster of each colour, numbered by the order of their paths: 0 blue, 1 green, ..."""
    made = collect(tmp_path, pile)
    made.cluster("kmeans", k=len(COLOURS))
    return made


def number(atlas: Collection, pile: Path, colour: str, side: int = 8) -> int:
    """The cluster that a picture is in."""
    stands = atlas.clustering()
    ids = dict(zip(atlas.paths(stands.region_ids), stands.labels.tolist(), strict=True))
    return int(ids[str(pile / f"{colour}-{side}.png")])


def test_what_was_decided_is_there_in_the_next_run(atlas: Collection, pile: Path) -> None:
    red, green = (number(atlas, pile, colour) for colour in ("red", "green"))
    atlas.decide("name", red, "Poppies")
    atlas.decide("merge", red, green)
    atlas.decide("move", str(pile / "blue-8.png"), number(atlas, pile, "white"))
    atlas.cluster("kmeans", k=len(COLOURS), seed=7)
    assert number(atlas, pile, "red") == number(atlas, pile, "green")
    assert number(atlas, pile, "blue", 8) == number(atlas, pile, "white")
    assert number(atlas, pile, "blue", 8) != number(atlas, pile, "blue", 9)
    assert "Poppies" in [cluster.name for cluster in atlas.clustering().clusters]
    assert [o.status for o in atlas.clustering().outcomes] == ["carried"] * 3


def test_links_between_images_hold_in_the_next_run(atlas: Collection, pile: Path) -> None:
    atlas.decide("must-link", str(pile / "red-8.png"), str(pile / "green-8.png"))
    atlas.decide("cannot-link", str(pile / "blue-8.png"), str(pile / "blue-9.png"))
    atlas.cluster("kmeans", k=len(COLOURS), seed=7)
    assert number(atlas, pile, "red", 8) == number(atlas, pile, "green", 8)
    assert sorted(number(atlas, pile, "blue", side) for side in (8, 9)).count(-1) == 1


def test_images_named_leave_their_cluster_and_without_any_its_smaller_half_does(
    atlas: Collection, pile: Path
) -> None:
    red, green = (number(atlas, pile, colour) for colour in ("red", "green"))
    atlas.decide("split", red, str(pile / "red-8.png"))
    assert number(atlas, pile, "red", 8) != number(atlas, pile, "red", 9) == red
    atlas.decide("merge", red, green)
    atlas.decide("split", red)
    assert number(atlas, pile, "red", 9) != number(atlas, pile, "green", 9)


def test_a_cluster_is_split_into_parts_that_a_later_run_has_too(
    atlas: Collection, pile: Path
) -> None:
    red, green, blue = (number(atlas, pile, colour) for colour in ("red", "green", "blue"))
    atlas.decide("merge", red, green, blue)
    made = atlas.decide("split", red, parts=3)
    assert len({number(atlas, pile, colour) for colour in ("red", "green", "blue")}) == 3
    assert made.decision.payload["sizes"] == [N_OF_EACH, N_OF_EACH]
    before = {cluster.cluster for cluster in atlas.clustering().clusters}
    atlas.decide("split", number(atlas, pile, "white"), str(pile / "white-8.png"))
    after = {cluster.cluster for cluster in atlas.clustering().clusters}
    assert len(after - before) == 1  # its number is none that the parts have
    atlas.cluster("kmeans", k=2)
    names = [o.status for o in atlas.clustering().outcomes if o.verb == "split"]
    assert "lost" not in names


def test_images_move_out_of_all_clusters_here_and_in_the_next_run(
    atlas: Collection, pile: Path
) -> None:
    atlas.decide("move", str(pile / "red-8.png"), "out")
    assert number(atlas, pile, "red", 8) == -1
    assert atlas.clustering().n_noise == 1
    atlas.cluster("kmeans", k=len(COLOURS), seed=7)
    assert number(atlas, pile, "red", 8) == -1
    assert [o.about.split(" ", 1)[1] for o in atlas.clustering().outcomes] == [
        "belongs to no cluster of kmeans-1"
    ]


def test_a_cluster_may_be_said_by_its_name(atlas: Collection, pile: Path) -> None:
    red, green = (number(atlas, pile, colour) for colour in ("red", "green"))
    atlas.decide("name", red, "Poppies")
    atlas.decide("merge", "poppies", green)
    assert number(atlas, pile, "red") == number(atlas, pile, "green")


def test_a_decision_is_kept_with_who_and_the_images_it_is_about(
    atlas: Collection, pile: Path
) -> None:
    picture = str(pile / "red-8.png")
    made = atlas.decide("move", picture, number(atlas, pile, "blue"), who="Anna")
    (kept,) = ba.open(atlas.path).decisions()
    assert kept == made.decision
    assert (kept.verb, kept.who) == ("move", "Anna")
    assert kept.image_ids == kept.region_ids == (_id(atlas, picture),)


def test_undoing_takes_a_decision_back_and_leaves_it_in_the_log(
    atlas: Collection, pile: Path
) -> None:
    before = atlas.clustering().clusters
    made = atlas.decide("merge", 0, 1)
    undone = atlas.decide("undo", made.decision.decision)
    assert undone.clustering.clusters == before
    assert len(atlas.decisions()) == 0
    assert [each.verb for each in atlas.decisions(with_undone=True)] == ["merge", "undo"]


def test_a_run_may_be_named_and_a_later_one_is_untouched(atlas: Collection) -> None:
    atlas.cluster("kmeans", k=2)
    atlas.decide("merge", 0, 1, run="kmeans-1")
    assert len(atlas.clustering("kmeans-1").clusters) == 3
    assert len(atlas.clustering("kmeans-2").clusters) == 2


@pytest.mark.parametrize(
    ("verb", "what", "error", "why"),
    [
        ("rename", [0, "a"], DecisionError, "Use one of: name, merge"),
        ("name", [0], DecisionError, "Expected: name CLUSTER NAME"),
        ("name", [0, " "], DecisionError, "0 characters"),
        ("name", [0, "x" * 201], DecisionError, "201 characters"),
        ("name", [9, "a"], RunNotFound, "no cluster 9; it has: 0, 1, 2, 3"),
        ("name", [-1, "a"], RunNotFound, "no cluster -1"),
        ("name", ["red", "a"], DecisionError, "'red' is not a cluster"),
        ("name", [0, "Cluster 1"], DecisionError, "called 'cluster 1' already"),
        ("merge", [0, 0], DecisionError, "there twice"),
        ("merge", [0], DecisionError, "was given 1 things"),
        ("split", [0, "{red}", "{green}"], DecisionError, "is not in cluster"),
        ("split", ["{red number}", "{red}", "{red 9}", "{red 10}"], DecisionError, "some must"),
        ("move", ["nowhere.png", 0], ImageNotFound, "nowhere.png"),
        ("must-link", ["{red}", "{red}"], DecisionError, "two different images"),
        ("must-link", ["{red}"], DecisionError, "must-link IMAGE IMAGE"),
        ("name", ["no such name", "a"], DecisionError, "or its name in full"),
        ("undo", ["beef"], DecisionError, "no decision 'beef'"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_is_kept(
    atlas: Collection, pile: Path, verb: str, what: list[Any], error: type[Exception], why: str
) -> None:
    said = {"{red number}": number(atlas, pile, "red")}
    said |= {"{red}": str(pile / "red-8.png"), "{green}": str(pile / "green-8.png")}
    said |= {f"{{red {side}}}": str(pile / f"red-{side}.png") for side in (9, 10)}
    with pytest.raises(error, match=why):
        atlas.decide(verb, *(said.get(each, each) for each in what))
    assert len(atlas.decisions(with_undone=True)) == 0


@pytest.mark.parametrize(
    ("what", "parts", "why"),
    [
        ([0], 4, "3 members and cannot be split into 4 parts"),
        ([0], 1, "2 or more"),
        ([0, "{red}"], 2, "without naming images"),
    ],
)
def test_parts_that_cannot_be_are_refused(
    atlas: Collection, pile: Path, what: list[Any], parts: int, why: str
) -> None:
    said = [str(pile / "red-8.png") if each == "{red}" else each for each in what]
    with pytest.raises(DecisionError, match=why):
        atlas.decide("split", *said, parts=parts)
    assert len(atlas.decisions(with_undone=True)) == 0


def test_an_unknown_run_is_refused(atlas: Collection) -> None:
    with pytest.raises(RunNotFound, match="'kmeans-9'; there are: kmeans-1"):
        atlas.decide("merge", 0, 1, run="kmeans-9")


def test_links_that_contradict_each_other_are_refused(atlas: Collection, pile: Path) -> None:
    red, green, blue = (str(pile / f"{colour}-8.png") for colour in ("red", "green", "blue"))
    atlas.decide("must-link", red, green)
    atlas.decide("must-link", green, blue)
    with pytest.raises(DecisionError, match="together and apart"):
        atlas.decide("cannot-link", blue, red)
    assert len(atlas.decisions()) == 2


def test_a_decision_that_an_earlier_one_overrules_is_refused(atlas: Collection, pile: Path) -> None:
    blue, white = (number(atlas, pile, colour) for colour in ("blue", "white"))
    pair = (str(pile / f"{colour}-8.png") for colour in ("green", "red"))
    order = atlas.clustering().region_ids  # of two as firm, the first leads
    first, second = sorted(pair, key=lambda path: order.index(_id(atlas, path)))
    atlas.decide("must-link", first, second)
    atlas.decide("move", first, blue)
    with pytest.raises(DecisionError, match="no effect: a link"):
        atlas.decide("move", second, white)


def test_an_image_that_a_run_does_not_know_is_refused(
    atlas: Collection, pile: Path, tmp_path: Path
) -> None:
    new = put(tmp_path / "more" / "new.png", plain("yellow"))
    atlas.index(tmp_path / "more")
    with pytest.raises(DecisionError, match="does not include"):
        atlas.decide("move", str(new), 0)


def _id(atlas: Collection, path: str) -> str:
    return str(next(f.image_id for f in atlas.all_images() if path in f.paths))
