"""Suggestions from the nearest labelled images."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError
from tests.pictures import collect, put, saved
from tests.server.coloured import COLOURS, paint

N_OF_EACH = 5


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    for colour in COLOURS:
        for seed in range(N_OF_EACH):
            put(tmp_path / "pile" / colour / f"{seed}.png", saved(paint(colour, seed), "PNG"))
    return collect(tmp_path, tmp_path / "pile")


def colour_of(atlas: Collection, image_id: str) -> str:
    (path,) = atlas.paths([image_id])
    return Path(path or "").parent.name


def label_one_of_each(atlas: Collection, *colours: str) -> None:
    for colour in colours:
        atlas.label([atlas.select(where=f"path LIKE '%/{colour}/%'")[0]], colour)


def test_images_are_taken_for_what_they_look_like(atlas: Collection) -> None:
    label_one_of_each(atlas, *COLOURS)
    found = atlas.suggest_labels()
    assert len(found) == len(COLOURS) * (N_OF_EACH - 1)
    assert all(each.label == colour_of(atlas, each.image_id) for each in found)
    confidences = [each.confidence for each in found]
    assert confidences == sorted(confidences, reverse=True)
    assert min(confidences) > 0.8


def test_what_looks_like_no_example_is_suggested_with_little_confidence(atlas: Collection) -> None:
    label_one_of_each(atlas, "red", "green")
    sure = {colour_of(atlas, each.image_id): each.confidence for each in atlas.suggest_labels()}
    assert sure["blue"] < 0.1 < 0.9 < min(sure["red"], sure["green"])


def test_the_least_sure_and_the_most_different_come_first_if_asked(atlas: Collection) -> None:
    label_one_of_each(atlas, "red", "green")
    unsure = atlas.suggest_labels(n=5, order="unsure")
    assert {colour_of(atlas, each.image_id) for each in unsure} <= {"blue", "yellow"}
    margins = [each.margin for each in unsure]
    assert margins == sorted(margins)
    different = atlas.suggest_labels(n=2, order="diverse")
    assert {colour_of(atlas, each.image_id) for each in different} == {"blue", "yellow"}


def test_without_labels_the_most_different_can_still_be_asked_for(atlas: Collection) -> None:
    found = atlas.suggest_labels(n=4, order="diverse")
    assert {colour_of(atlas, each.image_id) for each in found} == set(COLOURS)
    assert {(each.label, each.confidence) for each in found} == {(None, 0.0)}


def test_an_image_is_not_offered_a_label_that_it_has(atlas: Collection) -> None:
    red = atlas.select(where="path LIKE '%/red/%'")
    atlas.label(red[:2], "red")
    atlas.label(red[:1], "small")
    (found,) = atlas.suggest_labels(red[1:2])
    assert found.label == "small"
    assert atlas.suggest_labels([]).to_dict() == {"suggestions": []}


def test_what_cannot_be_asked_is_refused(atlas: Collection) -> None:
    with pytest.raises(QueryError, match="no order 'best'"):
        atlas.suggest_labels(order="best")
    with pytest.raises(QueryError, match="0 suggestions"):
        atlas.suggest_labels(n=0)
