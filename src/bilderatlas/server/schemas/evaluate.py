"""What is measured against labels, as it goes over the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bilderatlas.server.schemas.parameters import MAX_WORDS, Seed, SpaceName

MAX_TRIED = 20  # values of eps, and of min_samples

Name = Annotated[str, Field(max_length=MAX_WORDS)]


class EvaluationAsked(BaseModel):
    """What to measure. Labels lie in the collection: a file on the server is never opened."""

    model_config = ConfigDict(extra="forbid")

    labels: Annotated[
        str,
        Field(
            max_length=MAX_WORDS,
            pattern="^(folders|decisions|column:.+)$",
            description="folders, decisions, or column:NAME of the metadata",
        ),
    ]
    runs: Annotated[list[Name], Field(max_length=MAX_TRIED)] = []
    captions: Annotated[Name, Field(description="a column of the metadata")] | None = None
    eps: Annotated[list[Annotated[float, Field(gt=0, le=2)]], Field(max_length=MAX_TRIED)] = []
    min_samples: Annotated[
        list[Annotated[int, Field(ge=1, le=1000)]], Field(max_length=MAX_TRIED)
    ] = []
    space: SpaceName | None = None
    seed: Seed = 0


class Evaluation(BaseModel):
    """All figures, as `bilderatlas evaluate --json` prints them."""

    model_config = ConfigDict(extra="allow")

    collection: str
    encoder: str
    kind: str
    labels: dict[str, Any]
    runs: list[dict[str, Any]]
