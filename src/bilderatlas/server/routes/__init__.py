"""Every route of the REST API, by subject: it unpacks the request, asks the collection, answers."""

from __future__ import annotations

from fastapi import APIRouter

from bilderatlas.server.routes import (
    classify,
    decisions,
    evaluate,
    export,
    health,
    images,
    info,
    jobs,
    labels,
    maps,
    problems,
    runs,
    search,
    selections,
    uploads,
)
from bilderatlas.server.schemas.info import ProblemDocument

REFUSALS = {
    400: "The request cannot be answered",
    401: "The server asks for a key",
    403: "The key, or the server, does not allow it",
    404: "There is no such thing",
    409: "It conflicts with the current state",
    422: "The request is not well formed",
    429: "Too much was asked in a short time",
    503: "The server is busy, or the disk refuses",
    507: "A disk is full",
}

api = APIRouter(
    prefix="/api/v1",
    responses={
        status: {
            "description": meaning,
            "content": {
                "application/problem+json": {"schema": ProblemDocument.model_json_schema()}
            },
        }
        for status, meaning in REFUSALS.items()
    },
)
SUBJECTS = (
    info,
    problems,
    images,
    search,
    runs,
    maps,
    decisions,
    labels,
    selections,
    classify,
    evaluate,
    export,
    jobs,
    uploads,
    health,
)
for subject in SUBJECTS:
    api.include_router(subject.routes)
