"""The body of `browse_problems`: what was skipped, counted by reason, a stretch of it at a time."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas.errors import QueryError
from bilderatlas.results import Problem, ProblemPage
from bilderatlas.store import Store

COLUMNS = ["uri", "source", "stage", "reason", "when"]
ANY = "…"  # what stands for every number in a reason, so that like ones are one
BY = [(column, "ascending") for column in ("uri", "stage", "when")]


def page(
    store: Store,
    *,
    stage: str | None,
    reason: str | None,
    query: str | None,
    n: int | None,
    start: int,
) -> ProblemPage:
    """Some problems by path. Counts of stages and reasons are of all that `query` leaves."""
    if start < 0 or (n is not None and n < 1):
        raise QueryError(f"{n} problems from number {start} were asked for; ask for 1 from 0 on.")
    rows = store.read("problems", COLUMNS)
    rows = rows.append_column("kind", pc.replace_substring_regex(rows["reason"], r"\d+", ANY))
    if query:
        rows = rows.filter(pc.match_substring(rows["uri"], query, ignore_case=True))
    stages = _counts(rows, "stage")
    rows = _only(rows, "stage", stage)
    reasons = _counts(rows, "kind")
    rows = _only(rows, "kind", reason)
    n_problems, sources = len(rows), sorted(rows["source"].unique().to_pylist())
    some = rows.sort_by(BY).slice(start, n).drop_columns(["source", "kind"]).to_pylist()
    return ProblemPage(
        [Problem(**row) for row in some], n_problems, stages, reasons, tuple(sources)
    )


def _only(rows: pa.Table, column: str, value: str | None) -> pa.Table:
    return rows if value is None else rows.filter(pc.equal(rows[column], value))


def _counts(rows: pa.Table, column: str) -> dict[str, int]:
    """How many rows have each value, the most frequent first."""
    counts = rows[column].value_counts().to_pylist()
    ordered = sorted(counts, key=lambda row: (-row["counts"], row["values"]))
    return {row["values"]: row["counts"] for row in ordered}
