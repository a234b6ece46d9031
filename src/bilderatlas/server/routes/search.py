"""Search by words and pictures, and what is like an image."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Query, Request, UploadFile

from bilderatlas.collection import queries
from bilderatlas.errors import NotAllowed
from bilderatlas.server.auth import Access
from bilderatlas.server.routes.dependencies import ServedCollection
from bilderatlas.server.schemas.parameters import (
    MAX_KINDS,
    MAX_WORDS,
    Aggregate,
    K,
    SelectionId,
    SpaceName,
    Threshold,
    Where,
)
from bilderatlas.server.schemas.search import Hits, SearchQuery, UrlQuery

Listed = Annotated[
    list[str] | None, Query(max_length=MAX_KINDS, description="kinds of region; may be repeated")
]
routes = APIRouter()


@routes.post("/search", response_model=Hits)
def search(collection: ServedCollection, body: SearchQuery) -> dict[str, Any]:
    """Find images by words, or by an expression: `2:dog + image:ID - snow`."""
    return collection.search(
        body.query,
        k=body.k,
        threshold=body.threshold,
        kinds=body.kinds,
        without=body.without,
        weights=body.weights,
        aggregate=body.aggregate,
        where=body.where,
        selection=body.selection,
        label=body.label,
        space=body.space,
        may_open_files=False,
    ).to_dict()


@routes.post("/search/image", response_model=Hits)
def search_image(  # noqa: PLR0913  an option is an argument
    collection: ServedCollection,
    file: Annotated[UploadFile, File(description="a picture of any common format")],
    query: Annotated[
        str | None, Query(max_length=MAX_WORDS, description="words or an expression beside it")
    ] = None,
    k: K = 12,
    threshold: Threshold | None = None,
    kinds: Annotated[
        list[str] | None, Query(max_length=MAX_KINDS, description="only these kinds of region")
    ] = None,
    without: Annotated[
        list[str] | None, Query(max_length=MAX_KINDS, description="kinds of region left out")
    ] = None,
    weights: Annotated[
        list[str] | None, Query(max_length=MAX_KINDS, description="of a kind: person=2")
    ] = None,
    aggregate: Aggregate = "max",
    where: Where | None = None,
    selection: SelectionId | None = None,
    label: Annotated[
        str | None, Query(max_length=MAX_WORDS, description="only images that people gave it")
    ] = None,
    space: SpaceName | None = None,
) -> dict[str, Any]:
    """Find images that look like an uploaded one, or like it and some words."""
    return collection.search(
        query,
        image=file.file.read(),
        k=k,
        threshold=threshold,
        kinds=kinds,
        without=without or (),
        weights=queries.weights(weights or ()),
        aggregate=aggregate,
        where=where,
        selection=selection,
        label=label,
        space=space,
        may_open_files=False,
    ).to_dict()


@routes.post("/search/url", response_model=Hits)
def search_url(request: Request, collection: ServedCollection, body: UrlQuery) -> dict[str, Any]:
    """Find images that look like the one at a URL, where the server was started to fetch such."""
    access: Access = request.app.state.access
    if access.fetch is None:
        raise NotAllowed(
            "This server fetches no URLs. Start it with --allow-fetch, or send the picture itself "
            "to /search/image."
        )
    return collection.search(
        image=access.fetch(body.url), **body.model_dump(exclude={"url"})
    ).to_dict()


@routes.get("/images/{image_id}/similar", response_model=Hits)
def similar(
    collection: ServedCollection,
    image_id: str,
    k: K = 12,
    radius: Annotated[float | None, Query(ge=0, le=2)] = None,
    where: Where | None = None,
    space: SpaceName | None = None,
) -> dict[str, Any]:
    """Find the images nearest to one of the collection, or all within `radius`."""
    return collection.similar(image_id, k=k, radius=radius, where=where, space=space).to_dict()
