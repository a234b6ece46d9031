"""What people decided, and deciding."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from bilderatlas.server.routes.dependencies import Asked
from bilderatlas.server.schemas.deciding import Decided, DecisionAsked, Decisions, Undone

routes = APIRouter()


@routes.get("/decisions", response_model=Decisions)
def decisions(collection: Asked, with_undone: bool = False) -> dict[str, Any]:
    """List what people decided, oldest first."""
    return collection.decisions(with_undone=with_undone).to_dict()


@routes.post("/decisions", response_model=Decided | Undone)
def decide(collection: Asked, body: DecisionAsked) -> dict[str, Any]:
    """Name, merge, split or link clusters, move images, or take a decision back."""
    return collection.decide(body.verb, *body.what, run=body.run, who=body.who).to_dict()
