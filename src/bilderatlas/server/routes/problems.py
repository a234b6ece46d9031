"""What was skipped, and why."""

from __future__ import annotations

import bisect
import io
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query, Response

from bilderatlas.output import files
from bilderatlas.results import ProblemKind
from bilderatlas.server.routes.dependencies import Count, Cursor, ServedCollection
from bilderatlas.server.routes.etag import of_tables
from bilderatlas.server.schemas.info import Problems
from bilderatlas.server.schemas.parameters import MAX_WORDS
from bilderatlas.storage import cursors
from bilderatlas.storage.cursors import Key

N_REASONS = 100  # that are counted in an answer
CSV = "text/csv; charset=utf-8"

routes = APIRouter()
Text = Annotated[str | None, Query(max_length=MAX_WORDS)]
Kind = Annotated[ProblemKind, Query(description="problems, what was passed over, or all")]
PartOfPath = Annotated[str | None, Query(max_length=MAX_WORDS, description="part of the path")]


@routes.get("/problems", response_model=Problems, dependencies=[of_tables("problems")])
def problems(
    collection: ServedCollection,
    n: Count = 100,
    cursor: Cursor = None,
    kind: Kind = "problem",
    stage: Text = None,
    reason: Text = None,
    q: PartOfPath = None,
) -> dict[str, Any]:
    """List what was skipped, and why."""
    found = collection.browse_problems(kind=kind, stage=stage, reason=reason, query=q, n=None)

    def key(place: int) -> Key:
        problem = found[place]
        return problem.uri, problem.stage, problem.when.isoformat()

    start = 0
    if cursor is not None:
        last = cursors.read(cursor, "problems", str, str, str)
        start = bisect.bisect_right(range(len(found)), last, key=key)
    stop = start + n
    return {
        "n_problems": len(found),
        "kinds": found.kinds,
        "stages": found.stages,
        "reasons": dict(islice(found.reasons.items(), N_REASONS)),
        "problems": [asdict(problem) for problem in found[start:stop]],
        "next": cursors.write("problems", key(stop - 1)) if stop < len(found) else None,
    }


@routes.get(
    "/problems.csv",
    response_class=Response,
    responses={200: {"content": {CSV: {}}}},
    dependencies=[of_tables("problems")],
)
def problems_as_table(
    collection: ServedCollection,
    response: Response,
    kind: Kind = "problem",
    stage: Text = None,
    reason: Text = None,
    q: PartOfPath = None,
) -> Response:
    """Give what was skipped as a CSV file."""
    found = collection.browse_problems(kind=kind, stage=stage, reason=reason, query=q, n=None)
    columns = ("uri", "stage", "reason", "when")
    rows = pa.table({name: [getattr(one, name) for one in found] for name in columns})
    file = io.BytesIO()
    files.write_rows(rows, file, "csv")
    named = 'attachment; filename="problems.csv"'
    headers = {**response.headers, "Content-Disposition": named}
    return Response(file.getvalue(), media_type=CSV, headers=headers)
