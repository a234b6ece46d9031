"""What many routes take."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from bilderatlas.collection import Collection
from bilderatlas.server.schemas.parameters import MAX_CURSOR, MAX_PAGE
from bilderatlas.web.request_context import NAME


async def collection_of(request: Request) -> Collection:
    """The collection that this server was started for."""
    collection: Collection = request.app.state.collection
    return collection


async def who_asks(request: Request) -> str | None:
    """The name of the key that asks; None where there are no keys."""
    name: str | None = request.scope.get(NAME)
    return name


ServedCollection = Annotated[Collection, Depends(collection_of)]
Who = Annotated[str | None, Depends(who_asks)]
Count = Annotated[int, Query(ge=1, le=MAX_PAGE)]
Cursor = Annotated[
    str | None, Query(max_length=MAX_CURSOR, description="`next` of the stretch before")
]
RunName = Annotated[str | None, Query(description="the newest when left out")]
