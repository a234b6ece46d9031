"""Images, and lists of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bilderatlas.results.items import Items


@dataclass(frozen=True, slots=True)
class Place:
    """A file where an image lies, or a row of a table that names it, and what the table says."""

    place_id: str
    path: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image of the collection and the places where it lies."""

    image_id: str
    path: str  # the first of `paths`
    width: int
    height: int
    media_type: str
    taken_at: datetime | None
    paths: tuple[str, ...]
    metadata: Mapping[str, Any]  # of all places together
    places: tuple[Place, ...] = ()  # each with its own

    def to_dict(self) -> dict[str, Any]:
        row = asdict(self)
        row["taken_at"] = self.taken_at.isoformat() if self.taken_at else None
        return row


class Images(Items[ImageFacts]):
    """Some images of the collection."""

    def to_dict(self) -> dict[str, Any]:
        return {"images": [facts.to_dict() for facts in self]}


class ImagePage(Images):
    """A stretch of a list of images."""

    def __init__(self, items: Sequence[ImageFacts], n_images: int, next: str | None) -> None:
        """`n_images` are in the whole list; `next` is the cursor behind these, None at the end."""
        super().__init__(items)
        self.n_images, self.next = n_images, next

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {"n_images": self.n_images, "next": self.next}


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
