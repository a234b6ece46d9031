"""Images, and lists of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from bilderatlas.results.items import Items, as_json


@dataclass(frozen=True, slots=True)
class Place:
    """A file where an image lies, or a row of a table that names it, and what the table says."""

    place_id: str
    path: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image and the places where it lies."""

    image_id: str
    path: str  # the first of `paths`
    width: int
    height: int
    media_type: str
    taken_at: datetime | None
    paths: tuple[str, ...]
    metadata: Mapping[str, Any] = field(metadata={"description": "of all places together"})
    places: tuple[Place, ...]  # each with its own

    def to_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = as_json(self)
        return said


@dataclass(frozen=True, kw_only=True, repr=False)
class Images(Items[ImageFacts]):
    """Some images of the collection."""

    LIST: ClassVar = "images"

    images: tuple[ImageFacts, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class ImagePage(Images):
    """A stretch of a list of images."""

    n_images: int = field(metadata={"description": "in the whole list"})
    next: str | None = field(metadata={"description": "the cursor behind these; null at the end"})


@dataclass(frozen=True, slots=True)
class Month:
    """A stretch of a list by date: the images that were taken in one month."""

    month: tuple[int, int] | None  # year and 1..12; None: nothing says when they were taken
    start: int  # the place of the first of them in the list
    n_images: int


@dataclass(frozen=True, slots=True)
class Beside:
    """Where an image stands in a list, and which come before and after it."""

    place: int  # from 0
    n_images: int  # in the list
    previous: str | None  # image ids
    next: str | None
