"""What people decided, and deciding."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from bilderatlas.results import Decision, Decisions
from bilderatlas.server.routes.dependencies import ServedCollection, Who
from bilderatlas.server.schemas.decisions import (
    Decided,
    DecisionAsked,
    NotDuplicates,
    Undone,
)

routes = APIRouter()


@routes.get("/decisions")
def decisions(collection: ServedCollection, with_undone: bool = False) -> Decisions:
    """List what people decided, oldest first."""
    return collection.decisions(with_undone=with_undone)


@routes.post("/decisions", response_model=Decided | Undone)
def decide(collection: ServedCollection, body: DecisionAsked, who: Who) -> dict[str, Any]:
    """Name, merge, split or link clusters, move images, or take a decision back.

    Where keys are asked for, the key's name is who decides, whatever `who` says.
    """
    return collection.decide(
        body.verb, *body.what, run=body.run, parts=body.parts, who=who or body.who
    ).to_dict()


@routes.post("/duplicates/not")
def not_duplicates(collection: ServedCollection, body: NotDuplicates, who: Who) -> Decision:
    """Remember that two images are no duplicates of each other."""
    return collection.not_duplicates(body.one, body.other, who=who or body.who)
