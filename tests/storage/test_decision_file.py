"""The second form of decisions: exact, complete after a kill, and any damage of it is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bilderatlas.errors import CollectionDamaged
from bilderatlas.storage import Store, decision_file, decisions


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "toy.atlas")


def decide(store: Store, n: int = 3) -> None:
    for number in range(n):
        decisions.append(
            store,
            "name",
            image_ids=[f"{number:032x}"],
            payload={"name": 'Größe "x" \u2028', "share": 0.1 + number},
            who="Anna",
        )


def rows(store: Store) -> list[Any]:
    return decision_file.sorted_rows(store.read("decisions").to_pylist())


def test_the_file_says_what_the_table_says(store: Store) -> None:
    decide(store)
    kept = decision_file.read(store.path)
    assert [*kept.rows] == rows(store)
    assert not kept.faults


def test_a_line_can_be_read_by_people(store: Store) -> None:
    decide(store, 1)
    text = (store.path / "decisions.jsonl").read_text("utf-8")
    said = json.loads(text)
    assert text.count("\n") == 1
    assert 'Größe \\"x\\"' in text
    assert (said["number"], said["who"], said["verb"]) == (1, "Anna", "name")


def test_text_that_is_no_unicode_is_kept_too(store: Store) -> None:
    decisions.append(store, "name", payload={"name": "half \ud800"}, who="Anna")
    assert [*decision_file.read(store.path).rows] == rows(store)


def test_lines_of_many_images_are_found_again(store: Store) -> None:
    many = [f"{n:032x}" for n in range(20_000)]  # a line of 700 kB
    for _ in range(2):
        decisions.append(store, "label", image_ids=many, payload={"label": "x"})
    assert decision_file.n_kept(store.path) == 2
    assert [*decision_file.read(store.path).rows] == rows(store)


def test_a_collection_from_before_gets_its_file_with_the_next_decision(store: Store) -> None:
    decide(store)
    (store.path / "decisions.jsonl").unlink()
    assert len(decisions.read(store)) == 3
    decide(store, 1)
    assert [*decision_file.read(store.path).rows] == rows(store)


@pytest.mark.parametrize("n_left", [0, 1, 40])
def test_what_a_kill_left_out_is_added_with_the_next_decision(store: Store, n_left: int) -> None:
    decide(store)
    file = store.path / "decisions.jsonl"
    *whole, last, _ = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join([*whole, last[:n_left]]))  # in the middle of the last line
    assert len(decisions.read(store)) == 3
    decide(store, 1)
    assert [*decision_file.read(store.path).rows] == rows(store)
    assert len(rows(store)) == 4


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_garbled_line_is_found_and_spoils_no_other(store: Store, line: int) -> None:
    decide(store)
    file = store.path / "decisions.jsonl"
    lines = file.read_bytes().split(b"\n")
    lines[line] = lines[line].replace(b"Anna", b"Emma")
    file.write_bytes(b"\n".join(lines))
    kept = decision_file.read(store.path)
    assert len(kept.rows) == 2
    assert [*kept.faults] == [f"line {line + 1} of decisions.jsonl is garbled"]
    assert len(decisions.read(store)) == 3  # the table is sound


def test_a_line_that_was_taken_out_is_missed(store: Store) -> None:
    decide(store)
    file = store.path / "decisions.jsonl"
    lines = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join([lines[0], *lines[2:]]))
    assert [*decision_file.read(store.path).faults] == ["line 2 of decisions.jsonl has number 3"]


def test_a_table_that_lacks_what_was_written_is_not_asked(store: Store) -> None:
    decide(store)
    store.delete("decisions", "decision", [rows(store)[0]["decision"]])
    for ask in (decisions.read, decisions.history, decide):
        with pytest.raises(CollectionDamaged, match=r"2 rows, 3 were.*bilderatlas doctor toy"):
            ask(store)
