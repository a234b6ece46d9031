"""How good it all is: evaluate."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from bilderatlas.analysis.evaluation.grid import EPS, MIN_SAMPLES
from bilderatlas.server.routes.dependencies import ServedCollection
from bilderatlas.server.schemas.evaluate import Evaluation, EvaluationAsked

routes = APIRouter()


@routes.post("/evaluate", response_model=Evaluation)
def evaluate(collection: ServedCollection, body: EvaluationAsked) -> dict[str, Any]:
    """Measure clusterings against labels in the metadata. It may take minutes."""
    return collection.evaluate(
        body.labels,
        runs=body.runs,
        captions=body.captions,
        eps=body.eps or EPS,
        min_samples=body.min_samples or MIN_SAMPLES,
        space=body.space,
        seed=body.seed,
    ).to_dict()
