"""Every route of the REST API, by subject: it unpacks the request, asks the collection, answers."""

from __future__ import annotations

from fastapi import APIRouter

from bilderatlas.server.routes import (
    asking,
    deciding,
    images,
    judging,
    knowing,
    labelling,
    ordering,
    taking,
)
from bilderatlas.server.schemas.knowing import ProblemDocument

REFUSALS = {
    400: "The question has no answer",
    404: "There is no such thing",
    422: "The question is not well formed",
}

api = APIRouter(
    prefix="/api/v1",
    responses={
        status: {"model": ProblemDocument, "description": meaning}
        for status, meaning in REFUSALS.items()
    },
)
for subject in (knowing, images, asking, ordering, deciding, labelling, judging, taking):
    api.include_router(subject.routes)
