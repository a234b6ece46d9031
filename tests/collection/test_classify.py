"""What images show: by prompts, by the built-in classes, by people's labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import bilderatlas as ba
from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError, RunNotFound
from bilderatlas.results import Classification
from tests.assets import assets
from tests.pictures import collect, put, saved
from tests.server.coloured import COLOURS, paint

N_OF_EACH = 6
N_IMAGES = N_OF_EACH * len(COLOURS)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pile")
    for colour in COLOURS:
        for seed in range(N_OF_EACH):
            put(folder / colour / f"{seed}.png", saved(paint(colour, seed), "PNG"))
    return folder


@pytest.fixture
def atlas(tmp_path: Path, pile: Path) -> Collection:
    return collect(tmp_path, pile)


def folders(atlas: Collection, made: Classification, label: str) -> set[str]:
    """The folders of the pictures that are called so."""
    ids = [made.region_ids[place] for place in made.members(label)]
    return {Path(path or "").parent.name for path in atlas.paths(ids)}


def test_prompts_find_what_they_say_and_the_run_is_remembered(atlas: Collection) -> None:
    made = atlas.classify(prompts=[*COLOURS, "red"])
    assert all(folders(atlas, made, colour) == {colour} for colour in COLOURS)
    assert {each.label: each.n_regions for each in made.counts} == dict.fromkeys(COLOURS, N_OF_EACH)
    read = ba.open(atlas.path).classification(made.run)
    assert read.to_dict() == made.to_dict()
    assert np.array_equal(read.labels, made.labels)
    assert np.array_equal(read.probabilities, made.probabilities)
    assert [run.run for run in atlas.runs("classify")] == ["prompts-1"]


def test_what_no_prompt_says_is_none_of_them(atlas: Collection) -> None:
    made = atlas.classify(prompts=["red"], top=1)
    assert folders(atlas, made, "red") <= {"red", "yellow"}
    none = {made.region_ids[place] for place in made.members(None)}
    blue = atlas.select(where="path LIKE '%/blue/%'")
    assert set(blue) <= none


def test_labelled_examples_say_what_the_others_are(atlas: Collection) -> None:
    for colour in COLOURS:
        atlas.label(atlas.select(where=f"path LIKE '%/{colour}/%'")[:2], colour)
    voted, fitted = atlas.classify(), atlas.classify(method="logistic")
    for made in (voted, fitted):
        assert all(folders(atlas, made, colour) == {colour} for colour in COLOURS)
    assert (voted.about.method, fitted.about.method) == ("neighbors", "logistic")
    assert fitted.probabilities[:, 0].max() < voted.probabilities[:, 0].max()


def test_trying_on_a_sample_remembers_nothing(atlas: Collection) -> None:
    made = atlas.classify(prompts=["red", "blue"], sample=5, seed=1)
    assert len(made.region_ids) == 5
    assert made.region_ids == atlas.classify(prompts=["red"], sample=5, seed=1).region_ids
    assert made.region_ids != atlas.classify(prompts=["red"], sample=5, seed=2).region_ids
    assert atlas.runs("classify") == []
    with pytest.raises(RunNotFound, match="No classification was made yet"):
        atlas.classification()


def test_as_many_labels_are_kept_as_asked_for_and_exported(
    atlas: Collection, tmp_path: Path
) -> None:
    made = atlas.classify(prompts=[*COLOURS], top=2)
    assert made.labels.shape == (N_IMAGES, 2)
    atlas.export(tmp_path / "classes.csv", table="classes")
    with (tmp_path / "classes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * N_IMAGES
    firsts = [row for row in rows if row["rank"] == "1"]
    assert all(f"/{row['label']}/" in row["path"] for row in firsts)


def test_what_cannot_be_classified_is_refused(atlas: Collection) -> None:
    with pytest.raises(QueryError, match="say one of the three"):
        atlas.classify(prompts=["red"], model="builtin")
    with pytest.raises(QueryError, match="0 prompts were given"):
        atlas.classify(prompts=[" "])
    with pytest.raises(QueryError, match="space 'toy' holds those of 'toy'"):
        atlas.classify(model="builtin")
    with pytest.raises(QueryError, match="no classifier 'resnet'"):
        atlas.classify(model="resnet")
    with pytest.raises(QueryError, match="Different labels so far: 0"):
        atlas.classify()
    with pytest.raises(QueryError, match="cannot be compared by 'forest'"):
        atlas.classify(method="forest")
    with pytest.raises(QueryError, match="top is 0"):
        atlas.classify(prompts=["red"], top=0)
    with pytest.raises(QueryError, match="no regions of kind 'person'"):
        atlas.classify(prompts=["red"], kind="person")
    made = atlas.classify(prompts=["red", "blue"])
    with pytest.raises(RunNotFound, match="calls no region 'pink'"):
        made.members("pink")


@pytest.mark.model
def test_the_built_in_classes_are_those_that_the_classifier_itself_says(tmp_path: Path) -> None:
    from bilderatlas.indexing import images
    from bilderatlas.models import encoders
    from bilderatlas.models.encoders import builtin_classes
    from bilderatlas.models.encoders.towers import Tower

    photographs = sorted((assets() / "data" / "coco" / "images").glob("*.jpg"))[:12]
    encoder = encoders.load("builtin")
    decoded = [images.decode(path.read_bytes()).image for path in photographs]
    pixels = np.stack([encoder.prepare(picture) for picture in decoded])
    (own,) = Tower(builtin_classes.MODEL).run({"pixels": pixels}, "logits")
    ours = builtin_classes.logits(encoder.embed_images(pixels).vectors)
    assert (own.argmax(1) == ours.argmax(1)).mean() >= 11 / 12
    assert len(builtin_classes.names()) == ours.shape[1] == 1000
