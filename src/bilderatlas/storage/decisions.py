"""What people decided <-> rows of a collection's `decisions` table, which only grows.

A decision is taken back by a later one of the verb "undo". What programs compute is never written
here, and nothing here is ever deleted: `docs/decisions.md` lists the verbs. Every decision is kept
a second time, in a file: `decision_file.py`.

Of several people at once each decides alone: what is looked at and then written is done within
`Store.deciding`.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bilderatlas import characters
from bilderatlas.errors import DecisionError
from bilderatlas.results import Decision
from bilderatlas.storage import Store, decision_file
from bilderatlas.storage.damage import damaged
from bilderatlas.storage.tables import one_of

N_ID_BYTES = 12  # no two of 10^12 decisions are likely to share an id
UNDO = "undo"
NAME, MERGE, SPLIT, MOVE = "name", "merge", "split", "move"
MUST, CANNOT = "must-link", "cannot-link"
OF_CLUSTERS = (NAME, MERGE, SPLIT, MOVE, MUST, CANNOT)
LABEL, UNLABEL = "label", "unlabel"


def append(
    store: Store,
    verb: str,
    *,
    image_ids: Sequence[str] = (),
    region_ids: Sequence[str] = (),
    payload: Mapping[str, Any] | None = None,
    who: str | None = None,
) -> Decision:
    """Write a decision down; `who` is the name that this process is logged in with, if not given.

    Raises StoreError, CollectionBusy.
    """
    who = who or _login_name()
    characters.check_name(who, "The name of who decides", DecisionError)
    decision = Decision(
        secrets.token_hex(N_ID_BYTES),
        verb,
        tuple(image_ids),
        tuple(region_ids),
        dict(payload or {}),
        who,
        datetime.now(UTC),
    )
    with store.deciding():
        decision_file.complete(store)
        store.add_later("decisions", [_row(decision)])
        decision_file.append(store.path, [_row(decision)])
    return decision


def undo(store: Store, decision: str, *, who: str | None = None) -> Decision:
    """Take a decision back, or take such an "undo" back. Raises DecisionError."""
    with store.deciding():
        known = history(store)
        if decision not in {each.decision for each in known}:
            raise DecisionError(
                f"There is no decision {decision!r}. 'bilderatlas decisions COLLECTION' lists them."
            )
        if decision not in {each.decision for each in in_force(known)}:
            raise DecisionError(f"Decision {decision} is not in force: it was undone already.")
        return append(store, UNDO, payload={"decision": decision}, who=who)


def read(store: Store, *verbs: str) -> list[Decision]:
    """The decisions that are in force (of some verbs), oldest first."""
    return [each for each in in_force(history(store, *verbs)) if each.verb != UNDO]


def history(store: Store, *verbs: str) -> list[Decision]:
    """Every decision that was ever written down (of some verbs, and every undo), oldest first.

    Raises CollectionDamaged where the table lacks some that the file has.
    """
    n_written = decision_file.n_known(store.path)
    n_there = store.count("decisions") if store.has("decisions") else 0
    if n_there < n_written:
        raise damaged(store.path, "table decisions", f"{n_there} rows, {n_written} were written")
    where = next(one_of("verb", [*verbs, UNDO])) if verbs else None
    rows = store.read_later("decisions", where)
    rows = rows.sort_by([("when", "ascending"), ("decision", "ascending")])
    return [_decision(row) for row in rows.to_pylist()]


def in_force(decisions: Sequence[Decision]) -> list[Decision]:
    """Those of some decisions that no other took back, whatever the clock said; in their order."""
    undos: dict[str, list[Decision]] = {}
    for each in decisions:
        if each.verb == UNDO:
            undos.setdefault(each.payload["decision"], []).append(each)

    def stands(decision: Decision) -> bool:
        return not any(stands(undo) for undo in undos.get(decision.decision, ()))

    return [each for each in decisions if stands(each)]


def in_words(decision: Decision) -> str:
    """A decision as a person would say it."""
    payload, run = decision.payload, decision.payload.get("run")
    regions = _listed(decision.region_ids)
    return {
        NAME: lambda: f"cluster {payload['cluster']} of {run} is called {payload['name']!r}",
        MERGE: lambda: f"clusters {_listed(payload['clusters'])} of {run} are one",
        SPLIT: lambda: f"{len(decision.region_ids)} leave cluster {payload['cluster']} of {run}",
        MOVE: lambda: f"{regions} {_belongs(payload['cluster'])} of {run}",
        MUST: lambda: f"{regions} must be together",
        CANNOT: lambda: f"{regions} cannot be together",
        LABEL: lambda: f"{_counted(decision)} called {payload['label']!r}",
        UNLABEL: lambda: f"{_counted(decision)} no longer called {payload['label']!r}",
        UNDO: lambda: f"decision {payload['decision']} is undone",
    }.get(decision.verb, lambda: f"{decision.verb} {_listed(decision.image_ids)}")()


def _counted(decision: Decision) -> str:
    n, what = (
        (len(decision.region_ids), "region")
        if decision.region_ids
        else (len(decision.image_ids), "image")
    )
    return f"1 {what} is" if n == 1 else f"{n:,} {what}s are"


def _belongs(cluster: int) -> str:
    return f"belongs to cluster {cluster}" if cluster >= 0 else "belongs to no cluster"


def _listed(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))


def version(store: Store) -> int:
    """A number that changes when something is decided."""
    return store.version("decisions") if store.has("decisions") else 0


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # containers run as users that nobody named
        return f"uid {os.getuid()}"


def _row(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.decision,
        "verb": decision.verb,
        "image_ids": list(decision.image_ids),
        "region_ids": list(decision.region_ids),
        "payload": json.dumps(decision.payload),
        "who": decision.who,
        "when": decision.when,
    }


def _decision(row: Mapping[str, Any]) -> Decision:
    return Decision(
        row["decision"],
        row["verb"],
        tuple(row["image_ids"]),
        tuple(row["region_ids"]),
        json.loads(row["payload"]),
        row["who"],
        row["when"],
    )
