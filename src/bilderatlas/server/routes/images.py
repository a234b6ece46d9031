"""Images: one, some, and what they look like."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from PIL import Image as Pillow

from bilderatlas import images
from bilderatlas.errors import ImageNotFound, ImageProblem
from bilderatlas.server.routes.dependencies import Asked, Count, IfNoneMatch
from bilderatlas.server.schemas.images import Image, Images

PICTURE_SIDE = 2048  # the longest side of a picture that leaves the server, pixels
FOREVER = "private, max-age=31536000, immutable"  # an image id names one content, always

routes = APIRouter()


@routes.get("/images", response_model=Images)
def sample(collection: Asked, seed: int = 0, n: Count = 24) -> dict[str, Any]:
    """Draw images at random. The same seed draws the same images."""
    return collection.sample(n, seed=seed).to_dict()


@routes.get("/images/{image_id}", response_model=Image)
def image(collection: Asked, image_id: str) -> dict[str, Any]:
    """Say what is known of one image."""
    return collection.image(image_id).to_dict()


@routes.get("/images/{image_id}/thumbnail", response_class=Response)
def thumbnail(collection: Asked, image_id: str, if_none_match: IfNoneMatch = None) -> Response:
    """Show an image small: a JPEG, longer side 320 pixels."""
    etag = f'"{image_id}-{images.THUMBNAIL_SIDE}"'
    if if_none_match == etag:
        return _unchanged(etag)
    return _jpeg(collection.thumbnail(image_id), etag)


@routes.get("/images/{image_id}/picture", response_class=Response)
def picture(collection: Asked, image_id: str, if_none_match: IfNoneMatch = None) -> Response:
    """Show an image large: a JPEG, longer side 2048 pixels at most."""
    etag = f'"{image_id}-{PICTURE_SIDE}"'
    if if_none_match == etag:
        return _unchanged(etag)
    try:
        full = collection.picture(image_id)
    except ImageProblem as gone:  # here the path is at fault, not the question
        raise ImageNotFound(str(gone)) from gone
    full.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Pillow.Resampling.LANCZOS)
    return _jpeg(images.to_jpeg(full), etag)


def _jpeg(content: bytes, etag: str) -> Response:
    headers = {"ETag": etag, "Cache-Control": FOREVER}
    return Response(content, media_type="image/jpeg", headers=headers)


def _unchanged(etag: str) -> Response:
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": FOREVER})
