"""Selections of images, as they go over the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bilderatlas.server.schemas.parameters import MAX_WORDS

MAX_IMAGES = 1_000_000


class SelectionAsked(BaseModel):
    """Images to keep together."""

    model_config = ConfigDict(extra="forbid")

    image_ids: Annotated[
        list[Annotated[str, Field(max_length=MAX_WORDS)]],
        Field(min_length=1, max_length=MAX_IMAGES, description="ids, paths or region ids"),
    ]


class SelectionKept(BaseModel):
    """The id by which searches, lists and labels find them."""

    selection: str
    n_images: int


class Selection(SelectionKept):
    """Images that were kept together."""

    image_ids: list[str]
