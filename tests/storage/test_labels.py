"""People's labels as they follow from the log of decisions."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilderatlas.errors import LabelsError
from bilderatlas.storage import Store, decisions, labels
from bilderatlas.storage.decisions import LABEL, UNLABEL


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "toy.atlas")


def _say(store: Store, verb: str, label: str, *image_ids: str) -> str:
    made = decisions.append(store, verb, image_ids=image_ids, payload={"label": label})
    return made.decision


def test_an_image_has_every_label_that_it_was_given(store: Store) -> None:
    _say(store, LABEL, "cat", "a", "b")
    _say(store, LABEL, "asleep", "b")
    read = labels.read(store)
    assert read.of_region == {"a": ("cat",), "b": ("asleep", "cat")}
    assert read.images_of("cat") == ["a", "b"]
    assert read.images_of("dog") == []


def test_of_two_decisions_about_an_image_the_later_counts(store: Store) -> None:
    _say(store, LABEL, "cat", "a", "b")
    _say(store, UNLABEL, "cat", "a")
    assert labels.read(store).of_region == {"b": ("cat",)}
    _say(store, LABEL, "cat", "a")
    assert labels.read(store).images_of("cat") == ["b", "a"]


def test_a_decision_that_is_taken_back_does_not_count(store: Store) -> None:
    given = _say(store, LABEL, "cat", "a")
    taken = _say(store, UNLABEL, "cat", "a")
    decisions.undo(store, taken)
    assert labels.read(store).images_of("cat") == ["a"]
    decisions.undo(store, given)
    assert labels.read(store).regions_of == {}


def test_a_part_has_labels_of_its_own(store: Store) -> None:
    decisions.append(store, LABEL, image_ids=["a"], region_ids=["a-1"], payload={"label": "handle"})
    read = labels.read(store)
    assert read.of_region == {"a-1": ("handle",)}
    assert read.images_of("handle") == ["a"]


def test_labels_are_kept_in_one_spelling() -> None:
    assert labels.checked("  red \n bicycle ") == "red bicycle"
    assert labels.checked("Ca\u0308sar") == "C\u00e4sar"


@pytest.mark.parametrize("label", ["a\0b", "\x1b[31mred", "half \ud800"])
def test_what_nobody_can_read_is_no_label(label: str) -> None:
    with pytest.raises(LabelsError, match="which cannot be shown"):
        labels.checked(label)


@pytest.mark.parametrize("label", ["\u202eevil", "<b>", "\u6771\u4eac", "\U0001f431"])
def test_every_writing_may_be_a_label(label: str) -> None:
    assert labels.checked(label) == label


@pytest.mark.parametrize("label", ["", " \n", "x" * 201])
def test_an_empty_or_endless_label_is_refused(label: str) -> None:
    with pytest.raises(LabelsError, match=r"may have 1 to 200"):
        labels.checked(label)
