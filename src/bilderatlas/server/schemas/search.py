"""What searches are asked and answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bilderatlas.results import Hit
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


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    k: K = 12
    threshold: Threshold | None = None
    kinds: (
        Annotated[list[str], Field(max_length=MAX_KINDS, description="only these kinds of region")]
        | None
    ) = None
    without: Annotated[
        list[str], Field(max_length=MAX_KINDS, description="kinds of region left out")
    ] = []
    weights: Annotated[
        dict[str, float], Field(max_length=MAX_KINDS, description="how much a kind counts")
    ] = {}
    aggregate: Aggregate = "max"
    where: Where | None = None
    selection: SelectionId | None = None
    label: Annotated[
        str | None, Field(max_length=MAX_WORDS, description="only images that people gave it")
    ] = None
    space: SpaceName | None = None


class SearchQuery(_Query):
    """Words to search for."""

    query: Annotated[str, Field(max_length=MAX_WORDS, description="what the picture shows")]


class UrlQuery(_Query):
    """The URL of a picture to search for."""

    url: Annotated[str, Field(max_length=MAX_WORDS, description="of http or https")]


class Hits(BaseModel):
    """The images that a search found, closest first, and how many of all answer the query."""

    results: list[Hit]
    n_likely: Annotated[int, Field(description="images of relevance 0.5 and more")]
    n_doubtful: Annotated[int, Field(description="images from the cut-off up to that")]
    n_background: Annotated[int, Field(description="images below the cut-off")]
    cut_off: Annotated[float, Field(description="a whole picture's score at the cut-off")]
    verdict: Annotated[str, Field(description="the same in words")]
