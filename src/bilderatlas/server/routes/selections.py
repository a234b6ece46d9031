"""Images that somebody chose by hand, kept under a short id."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from bilderatlas.server.routes.dependencies import ServedCollection
from bilderatlas.server.routes.etag import IfNoneMatch, answer_if_unchanged
from bilderatlas.server.routes.images import FOREVER
from bilderatlas.server.schemas.selections import Selection, SelectionAsked, SelectionKept

routes = APIRouter()


@routes.post("/selections", response_model=SelectionKept)
def keep(collection: ServedCollection, body: SelectionAsked) -> dict[str, Any]:
    """Keep some images together. The same images have the same id, which can be shared."""
    selection = collection.keep_selection(body.image_ids)
    return {"selection": selection, "n_images": len(collection.selection(selection))}


@routes.get("/selections/{selection}", response_model=Selection)
def selection(
    collection: ServedCollection,
    response: Response,
    selection: str,
    if_none_match: IfNoneMatch = None,
) -> dict[str, Any]:
    """List the ids of the images that were kept together."""
    image_ids = collection.selection(selection)
    etag = f'"{selection}"'
    answer_if_unchanged(etag, if_none_match, FOREVER)
    response.headers["ETag"], response.headers["Cache-Control"] = etag, FOREVER
    return {"selection": selection, "n_images": len(image_ids), "image_ids": image_ids}
