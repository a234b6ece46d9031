"""The body of `browse_problems`: what was skipped, counted by reason, a stretch of it at a time."""

from __future__ import annotations

from typing import get_args

import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas.errors import QueryError
from bilderatlas.results import OTHER, SMALL, Problem, ProblemKind, ProblemPage, Problems
from bilderatlas.storage import Store

COLUMNS = ["uri", "source", "stage", "reason", "when"]
ANY = "…"  # what stands for every number in a reason, so that like ones are one
NO_PROBLEMS = (OTHER, SMALL)
KINDS = get_args(ProblemKind)
BY = [(column, "ascending") for column in ("uri", "stage", "when")]


def page(
    store: Store,
    *,
    kind: ProblemKind,
    stage: str | None,
    reason: str | None,
    query: str | None,
    n: int | None,
    start: int,
) -> ProblemPage:
    """Some problems by path. Counts of stages and reasons are of all that `query` leaves."""
    if start < 0 or (n is not None and n < 1):
        raise QueryError(
            f"{n} problems from number {start} were asked for; ask for 1 or more, from number 0 on."
        )
    rows = store.read("problems", COLUMNS)
    rows = rows.append_column("alike", pc.replace_substring_regex(rows["reason"], r"\d+", ANY))
    if query:
        rows = rows.filter(pc.match_substring(rows["uri"], query, ignore_case=True))
    kinds = kinds_of(rows)
    rows = of_kind(rows, kind)
    stages = _counts(rows, "stage")
    rows = _only(rows, "stage", stage)
    reasons = _counts(rows, "alike")
    rows = _only(rows, "alike", reason)
    n_problems, sources = len(rows), sorted(rows["source"].unique().to_pylist())
    some = rows.sort_by(BY).slice(start, n).drop_columns(["source", "alike"]).to_pylist()
    return ProblemPage(
        problems=tuple(Problem(**row) for row in some),
        n_problems=n_problems,
        kinds=kinds,
        stages=stages,
        reasons=reasons,
        sources=tuple(sources),
    )


def listed(store: Store, kind: ProblemKind) -> Problems:
    """Everything of a kind, by path."""
    rows = store.read("problems", ["uri", "stage", "reason", "when"])
    some = of_kind(rows, kind).sort_by(BY).to_pylist()
    return Problems.of([Problem(**row) for row in some], kinds_of(rows))


def kinds_of(rows: pa.Table) -> dict[str, int]:
    """How many rows there are of each kind: problems, other files, small pictures."""
    n_of = _counts(rows, "stage")
    n_problems = len(rows) - sum(n_of.get(stage, 0) for stage in NO_PROBLEMS)
    return {"problem": n_problems} | {stage: n_of.get(stage, 0) for stage in NO_PROBLEMS}


def of_kind(rows: pa.Table, kind: ProblemKind) -> pa.Table:
    """The rows of a kind. Raises QueryError where there is no such kind."""
    if kind not in KINDS:
        raise QueryError(f"There are no problems of kind {kind!r}. Ask for {', '.join(KINDS)}.")
    if kind == "all":
        return rows
    if kind == "problem":
        is_none = pc.is_in(rows["stage"], value_set=pa.array(NO_PROBLEMS))
        return rows.filter(pc.invert(is_none))
    return _only(rows, "stage", kind)


def _only(rows: pa.Table, column: str, value: str | None) -> pa.Table:
    return rows if value is None else rows.filter(pc.equal(rows[column], value))


def _counts(rows: pa.Table, column: str) -> dict[str, int]:
    """How many rows have each value, the most frequent first."""
    counts = rows[column].value_counts().to_pylist()
    ordered = sorted(counts, key=lambda row: (-row["counts"], row["values"]))
    return {row["values"]: row["counts"] for row in ordered}
