"""Regions are found while indexing, remembered, and found anew when something else is asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import bilderatlas
from bilderatlas.cli import app
from bilderatlas.collection import Collection
from bilderatlas.errors import DetectorError
from bilderatlas.storage import Store, schema
from tests.indexing.pile import new_collection, open_collection, state
from tests.models.detectors.detectors import write_seeing_yolox, write_yolox
from tests.pictures import BLUE, GREEN, RED, put, quarters, saved

PLACES = {  # anchor 0 of the 4 x 4 grid is the upper left cell; log 2 doubles its 8 pixels
    0: (1, 1, np.log(2), np.log(2), 0.9, 16),  # the upper left quarter: a dog
    2: (1, 1, np.log(2), np.log(2), 0.8, 0),  # the upper right quarter: a person
}


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    """Sees a dog in the upper left quarter of every square picture, a person in the upper right."""
    return write_yolox(tmp_path / "quarters.onnx", PLACES)


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """Two pictures of four colours each: red and green above; blue and white, or black, below."""
    other = quarters(64, 64)
    other.paste((0, 0, 0), (0, 32, 64, 64))
    put(tmp_path / "pile" / "a.png", saved(quarters(64, 64), "PNG"))
    put(tmp_path / "pile" / "b.png", saved(other, "PNG"))
    return tmp_path / "pile"


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    return new_collection(tmp_path / "c.atlas")


def regions_of(atlas: Collection) -> list[tuple[str, str, str | None]]:
    """Region id without the image's, kind and label of every part."""
    rows = Store.open(atlas.path).read("regions").to_pylist()
    parts = [row for row in rows if row["kind"] != "image"]
    return sorted(
        (r["region_id"].removeprefix(r["image_id"]), r["kind"], r["label"]) for r in parts
    )


def test_every_region_is_a_row_with_an_embedding(
    atlas: Collection, pile: Path, detector: Path
) -> None:
    summary = atlas.index(pile, find=["objects"], detector=detector)
    assert (summary.n_images, summary.n_regions, summary.finders) == (2, 6, ("quarters",))
    assert regions_of(atlas) == [("-1", "animal", "dog")] * 2 + [("-2", "person", "person")] * 2
    assert len(atlas.embeddings("animal")[0]) == 2


def test_a_query_by_a_crop_finds_the_part_and_its_box(
    atlas: Collection, pile: Path, detector: Path
) -> None:
    atlas.index(pile, find=["objects"], detector=detector)
    hit = atlas.search(image=Image.new("RGB", (16, 16), GREEN))[0]
    assert (hit.regions[0].kind, hit.score) == ("person", pytest.approx(1, abs=1e-3))
    assert hit.regions[0].box == pytest.approx((0.5, 0, 1, 0.5))
    assert [region.kind for region in hit.regions][-1] != "person"
    only_dogs = atlas.search("red", kinds=["animal"])
    assert {region.kind for hit in only_dogs for region in hit.regions} == {"animal"}
    assert only_dogs[0].score == pytest.approx(1, abs=1e-3)


def test_weights_kinds_left_out_and_the_mean_change_the_ranking(
    atlas: Collection, pile: Path, detector: Path
) -> None:
    """b.png has a red dog and a green person above, and is black below."""
    atlas.index(pile, find=["objects"], detector=detector)
    this = "path LIKE '%b.png'"
    hit = atlas.search("red", where=this)[0]
    relevance = {region.kind: region.relevance for region in hit.regions}
    assert hit.regions[0].kind == "animal"
    assert hit.regions[0].relevance == hit.relevance == max(relevance.values())
    total = sum(relevance.values())
    assert [r.share for r in hit.regions] == pytest.approx(
        [relevance[region.kind] / total for region in hit.regions]
    )
    lifted = atlas.search("red", where=this, weights={"image": 1e6})[0]
    assert lifted.regions[0].kind == "image"
    assert lifted.relevance == pytest.approx(relevance["image"])
    assert lifted.score == pytest.approx(0.25, abs=1e-3)  # (0.5 + 0.5) / (2 * 2)
    without = atlas.search("red", where=this, without=["animal"])[0]
    assert {region.kind for region in without.regions} == {"image", "person"}
    assert atlas.search("red", where=this, weights={"animal": 0})[0] == without
    by_mean = atlas.search("red", where=this, aggregate="mean")[0]
    assert by_mean.relevance == pytest.approx(total / 3)
    assert by_mean.score == hit.score == pytest.approx(1, abs=1e-3)


def test_the_command_line_says_which_part_matched(
    tmp_path: Path, pile: Path, detector: Path
) -> None:
    collection = str(tmp_path / "c.atlas")
    atlas = bilderatlas.create(collection)
    atlas.index(pile, find=["objects"], detector=detector, encoder="builtin")

    def shown(*options: str) -> str:
        done = CliRunner().invoke(app, ["search", collection, "snow", "-k", "1", *options])
        assert done.exception is None, done.exception
        return done.stdout

    hit = atlas.search("snow", weights={"animal": 100}, k=1)[0]
    dog = f"animal dog ({hit.regions[0].share:.2f} of it)"
    assert shown("--weight", "animal=100").strip().endswith(f"{hit.path}  {dog}")
    only = shown("--without", "animal", "--weight", "person=0")
    assert only.strip().endswith(".png")  # nothing but the whole image is left
    [by_mean] = json.loads(shown("--aggregate", "mean", "--json"))["results"]
    mean = sum(region["relevance"] for region in by_mean["regions"]) / 3
    assert by_mean["relevance"] == pytest.approx(mean)
    assert sum(region["share"] for region in by_mean["regions"]) == pytest.approx(1)


def test_the_whole_image_is_embedded_as_without_detectors(
    tmp_path: Path, pile: Path, detector: Path
) -> None:
    photograph = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    ).resize((3000, 2000))
    put(pile / "large.jpg", saved(photograph, "JPEG"))
    vectors = []
    for name, find in (("plain", []), ("found", ["objects"])):
        atlas = new_collection(tmp_path / f"{name}.atlas")
        atlas.index(pile, find=find, detector=detector)
        vectors.append(dict(zip(*atlas.embeddings(), strict=True)))
    for image_id, vector in vectors[0].items():
        assert vector @ vectors[1][image_id] > 0.9999


def test_what_was_asked_is_remembered(atlas: Collection, pile: Path, detector: Path) -> None:
    atlas.index(pile, find=["objects"], detector=detector, max_regions=1)
    put(pile / "new.png", saved(quarters(80, 80), "PNG"))
    summary = open_collection(atlas.path).index(pile)
    assert (summary.n_new, summary.n_refound, summary.n_regions) == (1, 0, 6)
    assert open_collection(atlas.path).info().finding.max_regions == 1


def test_known_images_are_searched_when_finding_is_asked_for_later(
    tmp_path: Path, atlas: Collection, pile: Path, detector: Path
) -> None:
    atlas.index(pile)
    summary = atlas.index(pile, find=["objects"], detector=detector)
    assert (summary.n_refound, summary.n_unchanged, summary.n_new) == (2, 2, 0)
    at_once = new_collection(tmp_path / "at-once.atlas")
    at_once.index(pile, find=["objects"], detector=detector)
    assert state(atlas.path) == state(at_once.path)
    assert atlas.index(pile).n_refound == 0


def test_other_detectors_replace_the_regions_of_the_old_ones(
    tmp_path: Path, atlas: Collection, pile: Path, detector: Path
) -> None:
    atlas.index(pile, find=["objects"], detector=detector)
    other = write_yolox(tmp_path / "other.onnx", {0: (*PLACES[0][:5], 2)})
    atlas.index(pile, detector=other)
    assert regions_of(atlas) == [("-1", "vehicle", "car")] * 2
    ids = Store.open(atlas.path).read("embeddings/toy", ["region_id"]).num_rows
    assert ids == 4


def test_finding_none_leaves_old_regions_and_finds_no_more(
    atlas: Collection, pile: Path, detector: Path
) -> None:
    atlas.index(pile, find=["objects"], detector=detector)
    put(pile / "new.png", saved(quarters(80, 80), "PNG"))
    summary = atlas.index(pile, find=[])
    assert (summary.n_regions, summary.finders, summary.n_refound) == (7, (), 0)


def test_a_copy_is_searched_once(atlas: Collection, pile: Path, detector: Path) -> None:
    atlas.index(pile)
    put(pile / "copy.png", (pile / "a.png").read_bytes())
    summary = atlas.index(pile, find=["objects"], detector=detector)
    assert (summary.n_copies, summary.n_refound, summary.n_regions) == (1, 2, 6)


def test_images_of_other_sources_are_told_of(
    tmp_path: Path, atlas: Collection, pile: Path, detector: Path
) -> None:
    atlas.index(pile)
    put(tmp_path / "more" / "c.png", saved(quarters(90, 90), "PNG"))
    summary = atlas.index(tmp_path / "more", find=["objects"], detector=detector)
    assert (summary.n_new, summary.n_unfound) == (1, 2)
    assert atlas.index(pile).n_unfound == 0


def test_a_detector_that_fails_is_a_problem_of_an_image_that_is_indexed(
    tmp_path: Path, atlas: Collection
) -> None:
    pile = tmp_path / "pile"
    put(pile / "red.png", saved(Image.new("RGB", (64, 64), RED), "PNG"))
    put(pile / "blue.png", saved(Image.new("RGB", (64, 64), BLUE), "PNG"))
    breaks_on_blue = write_seeing_yolox(tmp_path / "seeing.onnx")
    summary = atlas.index(pile, find=["objects"], detector=breaks_on_blue)
    assert (summary.n_images, summary.n_new, summary.n_problems) == (2, 2, 1)
    (problem,) = atlas.problems()
    assert (Path(problem.uri).name, problem.stage) == ("blue.png", "find")
    assert problem.reason.startswith("seeing: ")
    again = atlas.index(pile)
    assert (again.n_unchanged, again.n_refound, again.n_problems) == (2, 0, 0)
    assert len(atlas.problems()) == 1  # it is still so
    sound = write_yolox(tmp_path / "sound.onnx", PLACES)
    atlas.index(pile, detector=sound)
    assert len(atlas.problems()) == 0


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"find": ["dogs"]}, "Nothing here finds 'dogs'"),
        ({"find": ["objects"], "min_area": 1.5}, "smallest area is 1.5"),
        ({"find": ["objects"], "max_regions": 0}, "At most 0 regions"),
        ({"find": ["objects"], "detector": "nowhere.onnx"}, "There is nothing at"),
    ],
)
def test_what_cannot_be_found_is_refused_and_not_remembered(
    atlas: Collection, pile: Path, how: dict, told: str
) -> None:
    with pytest.raises(DetectorError, match=told):
        atlas.index(pile, **how)
    assert atlas.index(pile).finders == ()


def test_a_detector_that_was_moved_is_the_same_one(
    tmp_path: Path, atlas: Collection, pile: Path, detector: Path
) -> None:
    atlas.index(pile, find=["objects"], detector=detector)
    moved = detector.rename(tmp_path / "moved.onnx")
    with pytest.raises(DetectorError, match="There is nothing at"):
        atlas.index(pile)
    assert atlas.index(pile, detector=moved).n_refound == 0


def test_the_command_line_finds_and_says_what_found(
    tmp_path: Path, pile: Path, detector: Path
) -> None:
    runner, name = CliRunner(), str(tmp_path / "c")
    asked = ["index", name, str(pile), "--find", "objects"]
    told = runner.invoke(app, asked)
    assert "Objects are found by class activation of the built-in encoder" in told.stdout
    answer = runner.invoke(app, [*asked, "--detector", str(detector), "--json"])
    summary = json.loads(answer.stdout)
    assert (summary["n_regions"], summary["finders"], summary["n_refound"]) == (6, ["quarters"], 2)
    assert json.loads(runner.invoke(app, ["info", name, "--json"]).stdout)["finding"] == {
        "names": ["objects"], "detector": str(detector), "min_area": 0.02, "max_regions": 10
    }  # fmt: skip
    assert (
        json.loads(runner.invoke(app, [*asked[:3], "--find", "none", "--json"]).stdout)["finders"]
        == []
    )


def test_min_area_leaves_small_objects_out(atlas: Collection, pile: Path, detector: Path) -> None:
    assert atlas.index(pile, find=["objects"], detector=detector, min_area=0.3).n_regions == 2


def test_a_collection_of_schema_version_1_is_brought_to_this_one(
    tmp_path: Path, atlas: Collection, pile: Path, detector: Path
) -> None:
    atlas.index(pile)
    store = Store.open(atlas.path)
    store._dataset("images").drop_columns(["finding"])
    file = atlas.path / "atlas.json"
    described = json.loads(file.read_text()) | {"schema_version": 1}
    del described["finding"], described["checksum"]
    file.write_text(json.dumps(described))
    old = open_collection(atlas.path)
    assert len(old.search("red")) == 2
    assert old.index(pile, find=["objects"], detector=detector).n_refound == 2
    assert Store.open(atlas.path).schema_version == schema.SCHEMA_VERSION
