"""What people decide, as it goes over the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bilderatlas.results import Decision
from bilderatlas.server.schemas.parameters import MAX_CURSOR, MAX_K, MAX_PARTS, MAX_WORDS
from bilderatlas.server.schemas.runs import Clustering


class DecisionAsked(BaseModel):
    """Something that a person decides about clusters: docs/decisions.md."""

    model_config = ConfigDict(extra="forbid")

    verb: Annotated[str, Field(max_length=MAX_WORDS, description="name, merge, move, undo, ...")]
    what: Annotated[
        list[int | Annotated[str, Field(max_length=MAX_WORDS)]],
        Field(min_length=1, max_length=MAX_K, description="clusters, images, or a decision"),
    ]
    run: (
        Annotated[str, Field(max_length=MAX_WORDS, description="the newest if left out")] | None
    ) = None
    parts: Annotated[int, Field(ge=2, le=MAX_PARTS, description="of a cluster to split")] | None = (
        None
    )
    who: Annotated[str, Field(max_length=MAX_WORDS, description="who decides")] | None = None


class Decided(Clustering):
    """A decision that was kept, and the clustering as it stands with it."""

    decision: Decision


class Undone(BaseModel):
    """A decision that was taken back where there is no clustering."""

    decision: Decision


class NotDuplicates(BaseModel):
    """Two images that are no duplicates of each other."""

    model_config = ConfigDict(extra="forbid")

    one: Annotated[str, Field(max_length=MAX_CURSOR, description="an id, path or own id")]
    other: Annotated[str, Field(max_length=MAX_CURSOR)]
    who: Annotated[str, Field(max_length=MAX_WORDS, description="who decides")] | None = None
