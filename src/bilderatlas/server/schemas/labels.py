"""People's labels, as they go over the wire."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bilderatlas.server.schemas.parameters import MAX_NUMBER, MAX_WORDS, SelectionId, Where

MAX_IMAGES = 100_000  # named one by one; `all` means any number

Text = Annotated[str, Field(max_length=MAX_WORDS)]


class All(BaseModel):
    """All images that answer a query, are in a cluster, and so on; of several, those of each."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[Text | None, Field(description="those that answer it")] = None
    cluster: Annotated[
        int | None, Field(ge=-1, le=MAX_NUMBER, description="the members of a cluster")
    ] = None
    run: Annotated[Text | None, Field(description="of this clustering; the newest")] = None
    label: Annotated[Text | None, Field(description="those that people gave this label")] = None
    unlabelled: Annotated[bool, Field(description="those without any label")] = False
    where: Where | None = None
    selection: SelectionId | None = None


class LabelAsked(BaseModel):
    """A label, and the images that are to have it, or to lose it."""

    model_config = ConfigDict(extra="forbid")

    label: Text
    images: Annotated[
        list[Text], Field(max_length=MAX_IMAGES, description="image ids, paths or region ids")
    ] = []
    all: Annotated[All | None, Field(description="and all images that are meant so")] = None
    who: Annotated[Text | None, Field(description="who says so")] = None

    @model_validator(mode="after")
    def means_some(self) -> Self:
        """Refuse a body that names no image in either way."""
        if not self.images and self.all is None:
            raise ValueError("name images, or say which are meant in `all`")
        return self
