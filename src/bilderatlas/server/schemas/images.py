"""Images, as they go over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field


class Place(BaseModel):
    """A file where an image lies, or a row of a table that names it, and what the table says."""

    place_id: str
    path: str
    metadata: dict[str, Any]


class Image(BaseModel):
    """One image and the places where it lies."""

    image_id: str
    path: str
    width: int
    height: int
    media_type: str
    taken_at: datetime | None
    paths: list[str]
    metadata: Annotated[dict[str, Any], Field(description="of all places together")]
    places: list[Place]


class Images(BaseModel):
    """Some images of the collection."""

    images: list[Image]


class ImagePage(Images):
    """A stretch of a list of images."""

    n_images: Annotated[int, Field(description="in the whole list")]
    next: Annotated[str | None, Field(description="the cursor behind these; null at the end")]
