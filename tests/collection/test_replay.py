"""Runs written by hand, decisions on one of them, and what becomes of them in the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilderatlas.analysis.naming import Name
from bilderatlas.collection import replay
from bilderatlas.results import Clustering
from bilderatlas.storage import Store, decisions, runs

Make = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "toy.atlas")


@pytest.fixture
def make(store: Store) -> Make:
    """Keep a run with these labels of images a, b, c, ...; its name."""

    def make(*labels: int, firmness: list[float] | None = None, images: str = "abcdefghij") -> str:
        ids = list(images[: len(labels)])
        about = runs.describe(
            store, "cluster", "kmeans", {}, seed=0, space="toy", kind="image", n_regions=len(ids)
        )
        firm = np.array(firmness or [0.5] * len(labels), np.float32)
        runs.keep_clustering(store, about, ids, np.array(labels, np.int32), firm)
        return about.run

    return make


def decide(store: Store, verb: str, run: str, regions: str = "", **payload: Any) -> str:
    """Write a decision as `decide` does; its id."""
    kept = decisions.append(
        store, verb, region_ids=list(regions), payload=payload | {"run": run, "kind": "image"}
    )
    return kept.decision


def named(clustering: Clustering) -> dict[int, str]:
    return {cluster.cluster: cluster.name for cluster in clustering.clusters}


def statuses(clustering: Clustering) -> list[str]:
    return [outcome.status for outcome in clustering.outcomes]


def test_without_decisions_a_run_stands_as_it_was_made(store: Store, make: Make) -> None:
    run = make(0, 0, 1, -1)
    stands = replay.read(store, run)
    assert stands.labels.tolist() == [0, 0, 1, -1]
    assert named(stands) == {0: "cluster 0", 1: "cluster 1"}
    assert stands.outcomes == ()


def test_what_a_person_says_wins_over_what_a_program_found(store: Store, make: Make) -> None:
    run = make(0, 0, 0, 1, 1)
    runs.keep_names(store, run, {0: Name("dog", 0.8, "vocabulary"), 1: Name("cat", 0.7, "words")})
    decide(store, "name", run, cluster=0, name="Rex")
    first, second = replay.read(store, run).clusters
    assert (first.name, first.source, first.confidence) == ("Rex", "person", 1)
    assert (second.name, second.source, second.confidence) == ("cat", "words", 0.7)


def test_a_programs_name_gives_way_where_a_person_gave_it_to_another(
    store: Store, make: Make
) -> None:
    run = make(0, 0, 0, 1, 1)
    runs.keep_names(store, run, {1: Name("Dog", 0.8, "vocabulary")})
    decide(store, "name", run, cluster=0, name="dog")
    assert named(replay.read(store, run)) == {0: "dog", 1: "Dog (1)"}


def test_merge_split_and_move_change_the_labels_of_their_run(store: Store, make: Make) -> None:
    run = make(0, 0, 0, 1, 1, 2)
    decide(store, "merge", run, clusters=[1, 2])
    assert replay.read(store, run).labels.tolist() == [0, 0, 0, 1, 1, 1]
    decide(store, "split", run, "ab", cluster=0)  # a new number: 3 clusters, the second decision
    assert replay.read(store, run).labels.tolist() == [4, 4, 0, 1, 1, 1]
    decide(store, "move", run, "c", cluster=4)
    stands = replay.read(store, run)
    assert stands.labels.tolist() == [4, 4, 4, 1, 1, 1]
    assert stands.probabilities[2] == 1
    assert statuses(stands) == ["applied"] * 3


def test_the_runs_table_keeps_what_the_program_computed(store: Store, make: Make) -> None:
    run = make(0, 0, 1, 1)
    decide(store, "merge", run, clusters=[0, 1])
    assert runs.read_clustering(store, run).labels.tolist() == [0, 0, 1, 1]


def test_undoing_brings_back_what_was_and_keeps_later_numbers(store: Store, make: Make) -> None:
    run = make(0, 0, 0, 0)
    first = decide(store, "split", run, "a", cluster=0)
    decide(store, "split", run, "b", cluster=0)
    assert replay.read(store, run).labels.tolist() == [1, 2, 0, 0]
    decisions.undo(store, first)
    assert replay.read(store, run).labels.tolist() == [0, 2, 0, 0]


def test_a_name_follows_its_cluster_to_a_run_with_other_numbers(store: Store, make: Make) -> None:
    decide(store, "name", make(0, 0, 0, 1, 1, 1), cluster=1, name="cats")
    stands = replay.read(store, make(0, 0, 1, 0, 0, 0))  # d, e, f with a, b
    assert named(stands) == {0: "cats", 1: "cluster 1"}
    assert statuses(stands) == ["carried"]


def test_names_are_assigned_one_to_one(store: Store, make: Make) -> None:
    run = make(0, 0, 0, 1, 1, 1)
    decide(store, "name", run, cluster=0, name="dogs")
    decide(store, "name", run, cluster=1, name="cats")
    stands = replay.read(store, make(0, 0, 0, 0, 0, 0))
    assert named(stands) == {0: "dogs"}
    assert statuses(stands) == ["carried", "lost"]
    assert [o.about for o in stands.not_carried] == ["cluster 1 of kmeans-1 is called 'cats'"]


def test_a_name_waits_for_a_run_that_has_its_cluster_again(store: Store, make: Make) -> None:
    decide(store, "name", make(0, 0, 0, 1, 1, 1), cluster=1, name="cats")
    scattered = replay.read(store, make(0, 1, 2, 0, 1, 2))
    assert "cats" not in named(scattered).values()
    assert statuses(scattered) == ["lost"]
    assert named(replay.read(store, make(1, 1, 1, 0, 0, 0)))[0] == "cats"


def test_a_name_given_to_a_carried_cluster_replaces_the_old_one_for_good(
    store: Store, make: Make
) -> None:
    decide(store, "name", make(0, 0, 1, 1), cluster=0, name="cats")
    second = make(0, 0, 1, 1)
    decide(store, "name", second, cluster=0, name="kittens")
    assert named(replay.read(store, second))[0] == "kittens"
    assert named(replay.read(store, make(1, 1, 0, 0)))[1] == "kittens"


def test_of_two_names_given_in_one_run_the_last_counts(store: Store, make: Make) -> None:
    run = make(0, 0, 1, 1)
    decide(store, "name", run, cluster=0, name="cats")
    decide(store, "name", run, cluster=0, name="dogs")
    assert named(replay.read(store, run))[0] == "dogs"


def test_a_decision_does_not_reach_runs_made_before_it(store: Store, make: Make) -> None:
    before, run = make(0, 0, 1, 1), make(0, 0, 1, 1)
    decide(store, "merge", run, clusters=[0, 1])
    decide(store, "must-link", run, "ac")
    assert replay.read(store, before).labels.tolist() == [0, 0, 1, 1]
    assert replay.read(store, run).labels.tolist() == [0, 0, 0, 0]


def test_clusters_that_are_one_are_one_in_the_next_run(store: Store, make: Make) -> None:
    decide(store, "merge", make(0, 0, 1, 1, 2, 2), clusters=[0, 2])
    stands = replay.read(store, make(1, 1, 2, 2, 0, 0))
    assert stands.labels.tolist() == [1, 1, 2, 2, 1, 1]
    assert statuses(stands) == ["carried"]


def test_a_merge_that_a_run_makes_by_itself_is_fulfilled(store: Store, make: Make) -> None:
    decide(store, "merge", make(0, 0, 0, 0, 1, 2), clusters=[0, 1])
    stands = replay.read(store, make(0, 0, 0, 0, 0, 1))
    assert stands.labels.tolist() == [0, 0, 0, 0, 0, 1]
    assert statuses(stands) == ["fulfilled"]


def test_a_merge_of_clusters_that_are_no_more_is_lost(store: Store, make: Make) -> None:
    decide(store, "merge", make(0, 0, 0, 1, 1, 1), clusters=[0, 1])
    stands = replay.read(store, make(0, 1, 2, 0, 1, 2))
    assert stands.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert statuses(stands) == ["lost"]


def test_a_split_parts_its_cluster_in_the_next_run_too(store: Store, make: Make) -> None:
    decide(store, "split", make(0, 0, 0, 0, 1, 1), "ab", cluster=0)
    stands = replay.read(store, make(1, 1, 1, 1, 0, 0))
    assert stands.labels.tolist() == [2, 2, 1, 1, 0, 0]
    assert statuses(stands) == ["carried"]
    apart = replay.read(store, make(0, 0, 1, 1, 2, 2))
    assert (apart.labels.tolist(), statuses(apart)) == ([0, 0, 1, 1, 2, 2], ["fulfilled"])


def test_a_moved_image_goes_to_the_cluster_that_is_the_same_in_the_next_run(
    store: Store, make: Make
) -> None:
    decide(store, "move", make(0, 0, 0, 1, 1, 1), "a", cluster=1)
    stands = replay.read(store, make(1, 1, 1, 0, 0, 0))
    assert stands.labels.tolist() == [0, 1, 1, 0, 0, 0]
    lost = replay.read(store, make(0, 1, 2, 0, 1, 2))
    assert (lost.labels.tolist(), statuses(lost)) == ([0, 1, 2, 0, 1, 2], ["lost"])


def test_links_hold_in_every_later_run(store: Store, make: Make) -> None:
    run = make(0, 0, 1, 1)
    decide(store, "must-link", run, "ac")
    decide(store, "cannot-link", run, "bd")
    firmness = [0.9, 0.9, 0.2, 0.3]
    stands = replay.read(store, make(0, 1, 1, 1, firmness=firmness))
    assert stands.labels.tolist() == [0, 1, 0, -1]
    assert stands.probabilities[3] == 0


def test_what_is_gone_or_not_in_a_run_is_said_to_be_lost(store: Store, make: Make) -> None:
    run = make(0, 0, 1, 1)
    decide(store, "must-link", run, "ac")
    decide(store, "move", run, "b", cluster=1)
    stands = replay.read(store, make(0, 0, images="cd"))
    assert statuses(stands) == ["lost", "lost"]
    assert "does not include" in stands.outcomes[0].reason


def test_a_moved_image_takes_along_what_must_be_with_it(store: Store, make: Make) -> None:
    run = make(0, 0, 1, 1, 2, firmness=[0.5, 0.9, 0.5, 0.5, 0.5])
    decide(store, "must-link", run, "ab")
    decide(store, "move", run, "a", cluster=1)
    assert replay.read(store, run).labels.tolist() == [1, 1, 1, 1, 2]


def test_a_move_that_a_link_takes_back_is_said_to_be_overruled(store: Store, make: Make) -> None:
    run = make(0, 0, 1, 1, 2)
    decide(store, "must-link", run, "ab")
    decide(store, "move", run, "a", cluster=1)
    decide(store, "move", run, "b", cluster=2)  # a, as firm, comes first
    stands = replay.read(store, run)
    assert stands.labels.tolist() == [1, 1, 1, 1, 2]
    assert statuses(stands) == ["applied", "applied", "overruled"]


def test_decisions_of_another_kind_of_region_say_nothing_here(store: Store, make: Make) -> None:
    run = make(0, 0, 1, 1)
    decisions.append(
        store, "name", payload={"run": "dbscan-9", "kind": "person", "cluster": 0, "name": "Anna"}
    )
    assert replay.read(store, run).outcomes == ()
    assert replay.read(store, make(0, 0, 1, 1)).outcomes == ()


def test_many_decisions_are_gone_through_in_their_order(store: Store, make: Make) -> None:
    first = make(0, 0, 1, 1, 2, 2)
    decide(store, "merge", first, clusters=[0, 1])
    decide(store, "name", first, cluster=0, name="pets")
    second = make(2, 2, 1, 1, 0, 0)
    assert named(replay.read(store, second)) == {2: "pets", 0: "cluster 0"}
    decide(store, "split", second, "ab", cluster=2)  # number 3 + 2
    decide(store, "name", second, cluster=5, name="dogs")
    third = replay.read(store, make(0, 0, 1, 1, 2, 2))
    assert sorted(named(third).values()) == ["cluster 2", "dogs", "pets"]
    assert third.labels[0] == third.labels[1] != third.labels[2] == third.labels[3]


def test_a_move_into_a_cluster_whose_split_was_taken_back_is_lost(store: Store, make: Make) -> None:
    run = make(0, 0, 0, 0, 1)
    split = decide(store, "split", run, "cd", cluster=0)
    made = int(replay.read(store, run).labels[2])
    decide(store, "move", run, "e", cluster=made)
    assert replay.read(store, run).labels.tolist() == [0, 0, made, made, made]
    decisions.undo(store, split)
    stands = replay.read(store, run)
    assert statuses(stands) == ["lost"]
    assert stands.labels.tolist() == [0, 0, 0, 0, 1]
