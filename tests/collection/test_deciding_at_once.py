"""Several people deciding in the same moment: of two that exclude each other, one is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bilderatlas._open import open_folder
from bilderatlas.collection import Collection
from bilderatlas.errors import BilderatlasError
from bilderatlas.storage import Store, decision_file, decisions
from tests.pictures import collect, plain, put

N_ROUNDS = 12
N_IN_PROCESSES = 8
COLOURS = ("red", "green", "blue", "white")
DECIDER = """
import sys
from bilderatlas._open import open_folder
from bilderatlas.errors import BilderatlasError
atlas = open_folder(sys.argv[1])
atlas.clustering()
print("ready", flush=True)
for line in sys.stdin:
    verb, *what = line.split()
    try:
        atlas.decide(verb, *what)
        print("kept", flush=True)
    except BilderatlasError as error:
        print(type(error).__name__, flush=True)
"""


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    for colour in COLOURS:
        for side in (8, 9):
            put(tmp_path / "pile" / f"{colour}-{side}.png", plain(colour, side=side))
    made = collect(tmp_path, tmp_path / "pile")
    made.cluster("kmeans", k=len(COLOURS))
    return made


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each came to, started together: what it returned, or the refusal."""
    start = threading.Barrier(len(acts))

    def come_to(act: Callable[[], object]) -> object:
        start.wait()
        try:
            return act()
        except BilderatlasError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(come_to, acts))


def n_refused(outcomes: Sequence[object]) -> int:
    return sum(isinstance(outcome, BilderatlasError) for outcome in outcomes)


def undo_all(atlas: Collection) -> None:
    for each in atlas.decisions():
        atlas.decide("undo", each.decision)


def test_of_two_opposite_merges_one_is_refused(atlas: Collection) -> None:
    other = open_folder(atlas.path)
    for _ in range(N_ROUNDS):
        both = at_once(lambda: atlas.decide("merge", 0, 1), lambda: other.decide("merge", 1, 0))
        assert n_refused(both) == 1
        assert "has no cluster" in str(next(o for o in both if isinstance(o, BilderatlasError)))
        assert len(atlas.clustering().clusters) == len(COLOURS) - 1
        assert [outcome.status for outcome in atlas.clustering().outcomes] == ["applied"]
        undo_all(atlas)


def test_a_name_is_given_to_one_cluster_only(atlas: Collection) -> None:
    other = open_folder(atlas.path)
    for n in range(N_ROUNDS):
        name = f"Poppies {n}"
        both = at_once(
            lambda name=name: atlas.decide("name", 0, name),
            lambda name=name: other.decide("name", 1, name),
        )
        assert n_refused(both) == 1
        assert [c.name for c in atlas.clustering().clusters].count(name) == 1


def test_of_two_that_undo_the_same_one_is_refused(atlas: Collection) -> None:
    other = open_folder(atlas.path)
    for _ in range(N_ROUNDS):
        made = atlas.decide("merge", 0, 1).decision.decision
        both = at_once(*[lambda a=a, m=made: a.decide("undo", m) for a in (atlas, other)])
        assert n_refused(both) == 1
        assert not len(atlas.decisions())


def test_links_that_exclude_each_other_are_not_both_kept(atlas: Collection, tmp_path: Path) -> None:
    other = open_folder(atlas.path)
    pair = [str(tmp_path / "pile" / f"{colour}-8.png") for colour in ("red", "green")]
    for _ in range(N_ROUNDS):
        both = at_once(
            lambda: atlas.decide("must-link", *pair), lambda: other.decide("cannot-link", *pair)
        )
        assert n_refused(both) == 1
        undo_all(atlas)


def test_a_label_given_twice_at_once_is_one_decision(atlas: Collection, tmp_path: Path) -> None:
    other = open_folder(atlas.path)
    picture = str(tmp_path / "pile" / "red-8.png")
    for n in range(N_ROUNDS):
        label = f"poppy {n}"
        at_once(
            lambda label=label: atlas.label([picture], label),
            lambda label=label: other.label([picture], label),
        )
        assert [each.payload["label"] for each in atlas.decisions()].count(label) == 1


def test_two_runs_made_at_once_have_names_of_their_own(atlas: Collection) -> None:
    other = open_folder(atlas.path)
    for _ in range(4):
        at_once(*[lambda a=a: a.project("pca") for a in (atlas, other)])
    names = [run.run for run in atlas.runs("project")]
    assert sorted(names) == sorted(f"pca-{n}" for n in range(1, 9))


def test_of_what_two_processes_decide_at_once_one_is_refused(atlas: Collection) -> None:
    command = [sys.executable, "-c", DECIDER, str(atlas.path)]
    people = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        assert [_heard(person) for person in people] == ["ready", "ready"]
        for n in range(N_IN_PROCESSES):
            told = _tell(people, "merge 0 1", "merge 1 0")
            assert sorted(told) == ["RunNotFound", "kept"]
            merge = atlas.decisions()[0].decision
            assert sorted(_tell(people, *[f"undo {merge}"] * 2)) == ["DecisionError", "kept"]
            told = _tell(people, f"name 2 Poppies{n}", f"name 3 Poppies{n}")
            assert sorted(told) == ["DecisionError", "kept"]
            undo_all(atlas)
    finally:
        for person in people:
            person.communicate(timeout=30)
    store = Store.open(atlas.path)
    rows = decision_file.sorted_rows(store.read("decisions").to_pylist())
    kept = decision_file.read(atlas.path)
    assert not kept.faults
    assert [*kept.rows] == rows  # two routes, one answer
    assert len({row["decision"] for row in rows}) == len(rows)


def _tell(people: Sequence[subprocess.Popen[str]], *orders: str) -> list[str]:
    for person, order in zip(people, orders, strict=True):
        assert person.stdin is not None
        person.stdin.write(f"{order}\n")
    for person in people:
        assert person.stdin is not None
        person.stdin.flush()
    return [_heard(person) for person in people]


def _heard(person: subprocess.Popen[str]) -> str:
    assert person.stdout is not None
    return person.stdout.readline().strip()


def test_ids_of_decisions_have_96_bits(atlas: Collection) -> None:
    made = [decisions.append(atlas._store, "merge").decision for _ in range(3)]
    assert {len(bytes.fromhex(decision)) * 8 for decision in made} == {96}
    assert len(set(made)) == 3
