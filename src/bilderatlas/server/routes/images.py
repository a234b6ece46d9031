"""Images: one, some, and what they look like."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from PIL import Image as Pillow
from pydantic import Field

from bilderatlas.errors import ImageNotFound, ImageProblem
from bilderatlas.indexing import images as pictures
from bilderatlas.results import ImageFacts, ImagePage, Images
from bilderatlas.server.routes.dependencies import Count, Cursor, ServedCollection
from bilderatlas.server.routes.etag import ASK_AGAIN, IfNoneMatch, answer_if_unchanged, of_tables
from bilderatlas.server.schemas.parameters import MAX_CURSOR, MAX_PAGE, MAX_SEED, MAX_WORDS, Where

PICTURE_SIDE = 2048  # the longest side of a picture that leaves the server, pixels
FOREVER = "private, max-age=31536000, immutable"  # an image id names one content, always
JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
}
LISTED = ("images", "places", "regions")  # the tables that say what an image is
Order = Literal["name", "date", "newest", "random"]

routes = APIRouter()


@routes.get("/images", dependencies=[of_tables(*LISTED, "decisions")])
def images(  # noqa: PLR0913  an option is an argument
    collection: ServedCollection,
    order: Annotated[Order, Query(description="of the list")] = "random",
    seed: Annotated[int, Query(ge=0, le=MAX_SEED, description="of a random order")] = 0,
    n: Count = 24,
    where: Where | None = None,
    kinds: Annotated[list[str] | None, Query(description="images with a part of each")] = None,
    label: Annotated[
        str | None, Query(max_length=MAX_WORDS, description="images that people gave it")
    ] = None,
    unlabelled: Annotated[bool, Query(description="images without any label")] = False,
    cursor: Cursor = None,
) -> ImagePage:
    """List images. The list goes on where it was, whatever was added meanwhile."""
    return collection.browse(
        order,
        n=n,
        seed=seed,
        where=where,
        kinds=kinds or (),
        label=label,
        unlabelled=unlabelled,
        after=cursor,
    )


@routes.get("/images/named", dependencies=[of_tables(*LISTED)])
def named(
    collection: ServedCollection,
    name: Annotated[
        list[Annotated[str, Field(max_length=MAX_CURSOR)]],
        Query(min_length=1, max_length=MAX_PAGE, description="ids, paths or ids of their table"),
    ],
) -> Images:
    """Say what is known of some images, in the order asked for."""
    return collection.images(name)


@routes.get("/images/{image_id}", dependencies=[of_tables(*LISTED)])
def image(collection: ServedCollection, image_id: str) -> ImageFacts:
    """Say what is known of one image."""
    return collection.image(image_id)


@routes.get("/images/{image_id}/thumbnail", response_class=Response, responses=JPEG)
def thumbnail(
    collection: ServedCollection, image_id: str, if_none_match: IfNoneMatch = None
) -> Response:
    """Show an image small: a JPEG, longer side 320 pixels."""
    etag = f'"{image_id}-{pictures.THUMBNAIL_SIDE}"'
    answer_if_unchanged(etag, if_none_match, FOREVER)
    return _jpeg(collection.thumbnail(image_id), etag)


@routes.get("/images/{image_id}/picture", response_class=Response, responses=JPEG)
def picture(
    collection: ServedCollection, image_id: str, if_none_match: IfNoneMatch = None
) -> Response:
    """Show an image large: a JPEG, longer side 2048 pixels at most."""
    etag = f'"{image_id}-{PICTURE_SIDE}"'
    answer_if_unchanged(etag, if_none_match, FOREVER)
    with _missing_files():
        full = collection.picture(image_id)
    full.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Pillow.Resampling.LANCZOS)
    return _jpeg(pictures.to_jpeg(full), etag)


@routes.get("/regions/{region_id}/crop", response_class=Response, responses=JPEG)
def crop(
    collection: ServedCollection,
    region_id: str,
    side: Annotated[int, Query(ge=1, le=PICTURE_SIDE, description="the longer one, pixels")] = 320,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Show a part of an image: a JPEG cut out of the full picture."""
    etag = f'"{region_id}-{side}"'
    answer_if_unchanged(etag, if_none_match, ASK_AGAIN)
    with _missing_files():
        part = collection.crop(region_id, side=side)
    return _jpeg(pictures.to_jpeg(part), etag, ASK_AGAIN)


@contextmanager
def _missing_files() -> Iterator[None]:
    """Here the path is at fault, not the question."""
    try:
        yield
    except ImageProblem as gone:
        raise ImageNotFound(str(gone)) from gone


def _jpeg(content: bytes, etag: str, cache_control: str = FOREVER) -> Response:
    headers = {"ETag": etag, "Cache-Control": cache_control}
    return Response(content, media_type="image/jpeg", headers=headers)
