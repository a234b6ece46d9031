"""What is in the collection, and what was skipped."""

from __future__ import annotations

import bisect
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from bilderatlas import cursors, encoders
from bilderatlas.cursors import Key
from bilderatlas.server.routes.conditional import of_tables
from bilderatlas.server.routes.dependencies import Asked, Count, Cursor
from bilderatlas.server.schemas.knowing import Encoders, Info, Problems, Spaces

routes = APIRouter()


@routes.get("/info", response_model=Info, dependencies=[of_tables()])
def info(collection: Asked) -> dict[str, Any]:
    """Say what is inside the collection."""
    return collection.info().to_dict()


@routes.get("/spaces", response_model=Spaces, dependencies=[of_tables()])
def spaces(collection: Asked) -> dict[str, Any]:
    """List the spaces that can be asked, and what each lacks."""
    facts = collection.info().to_dict()
    return {"active_space": facts["active_space"], "spaces": facts["spaces"]}


@routes.get("/encoders", response_model=Encoders)
def list_encoders() -> dict[str, Any]:
    """List the encoders that can be used on the server's machine."""
    return {"encoders": [asdict(facts) for facts in encoders.available()]}


@routes.get("/problems", response_model=Problems, dependencies=[of_tables("problems")])
def problems(collection: Asked, n: Count = 100, cursor: Cursor = None) -> dict[str, Any]:
    """List what was skipped, and why."""
    found = collection.problems()

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
        "problems": [asdict(problem) for problem in found[start:stop]],
        "next": cursors.write("problems", key(stop - 1)) if stop < len(found) else None,
    }
