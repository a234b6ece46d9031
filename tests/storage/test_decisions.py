"""The log of what people decided: it only grows, and a later row takes an earlier one back."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bilderatlas.errors import DecisionError
from bilderatlas.storage import Store, decisions


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "toy.atlas")


def test_a_decision_is_read_again_as_it_was_written_by_another_process(store: Store) -> None:
    written = decisions.append(
        store, "move", image_ids=["a"], region_ids=["a", "a-1"], payload={"to": 3}, who="Anna"
    )
    assert decisions.read(Store.open(store.path)) == [written]
    assert (written.verb, written.image_ids, written.region_ids) == ("move", ("a",), ("a", "a-1"))
    assert (written.payload, written.who) == ({"to": 3}, "Anna")


def test_before_the_first_decision_there_is_no_table_and_nothing_was_decided(store: Store) -> None:
    assert not store.has("decisions")
    assert decisions.read(store) == decisions.history(store) == []
    assert decisions.version(store) == 0


def test_decisions_come_oldest_first_and_of_one_verb_where_one_is_asked_for(store: Store) -> None:
    first = decisions.append(store, "name", payload={"name": "cats"})
    second = decisions.append(store, "merge")
    third = decisions.append(store, "name", payload={"name": "dogs"})
    assert decisions.read(store) == [first, second, third]
    assert decisions.read(store, "name") == [first, third]


def test_an_undone_decision_is_out_of_force_and_still_in_the_history(store: Store) -> None:
    kept, taken_back = decisions.append(store, "merge"), decisions.append(store, "name")
    undone = decisions.undo(store, taken_back.decision, who="Anna")
    assert decisions.read(store) == [kept]
    assert decisions.history(store) == [kept, taken_back, undone]


def test_an_undone_undo_brings_the_decision_back(store: Store) -> None:
    decision = decisions.append(store, "merge")
    undone = decisions.undo(store, decision.decision)
    decisions.undo(store, undone.decision)
    assert decisions.read(store) == [decision]


def test_what_was_never_decided_or_is_undone_already_cannot_be_undone(store: Store) -> None:
    with pytest.raises(DecisionError, match="no decision 'beef'"):
        decisions.undo(store, "beef")
    decision = decisions.append(store, "merge")
    decisions.undo(store, decision.decision)
    with pytest.raises(DecisionError, match="undone already"):
        decisions.undo(store, decision.decision)


def test_the_version_changes_with_every_decision(store: Store) -> None:
    versions = [decisions.version(store)]
    for _ in range(2):
        decisions.append(store, "merge")
        versions.append(decisions.version(store))
    assert len(set(versions)) == 3


def test_a_collection_made_before_there_were_decisions_gets_the_table_with_the_first(
    store: Store,
) -> None:
    shutil.rmtree(store.path / "decisions.lance", ignore_errors=True)
    decisions.append(Store.open(store.path), "merge")
    assert [each.verb for each in decisions.read(Store.open(store.path))] == ["merge"]


def test_no_decision_is_lost_when_several_write_the_first_one_at_once(store: Store) -> None:
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda n: decisions.append(store, "merge", payload={"n": n}), range(12)))
    assert {each.payload["n"] for each in decisions.read(store)} == set(range(12))
    assert not list(store.path.glob(".decisions*"))


def test_decisions_may_be_written_while_another_process_indexes(store: Store) -> None:
    with Store.open(store.path).writing():
        decisions.append(store, "merge")
    assert len(decisions.read(store)) == 1


def test_tidying_keeps_every_decision_in_its_order(store: Store) -> None:
    made = [decisions.append(store, "name", payload={"n": n}) for n in range(5)]
    store.tidy()
    assert decisions.read(store) == made


def test_who_decided_is_the_login_name_where_nobody_says(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "grandma")
    assert decisions.append(store, "merge").who == "grandma"


def test_an_undo_counts_even_where_the_clock_was_set_back(store: Store) -> None:
    made = decisions.append(store, "merge")
    undo = decisions.undo(store, made.decision)
    earlier = replace(undo, when=made.when - timedelta(hours=1))
    assert decisions.in_force([earlier, made]) == [earlier]
