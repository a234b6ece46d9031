"""Images, as they go over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class Image(BaseModel):
    """One image and the places where it lies."""

    image_id: str
    path: str
    width: int
    height: int
    media_type: str
    taken_at: datetime | None
    paths: list[str]
    metadata: dict[str, Any]


class Images(BaseModel):
    """Some images of the collection."""

    images: list[Image]
