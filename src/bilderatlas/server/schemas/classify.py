"""What images show by classes, as it goes over the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bilderatlas.results import ClassCount
from bilderatlas.server.schemas.parameters import MAX_WORDS, Kind, Seed, SpaceName

MAX_PROMPTS = 200
MAX_SAMPLE = 5000

Prompt = Annotated[str, Field(min_length=1, max_length=MAX_WORDS)]


class ClassificationAsked(BaseModel):
    """What to classify by: prompts, or a model, or (neither) people's labels by a method."""

    model_config = ConfigDict(extra="forbid")

    prompts: Annotated[list[Prompt], Field(min_length=1, max_length=MAX_PROMPTS)] | None = None
    model: Literal["builtin"] | None = None
    method: Literal["neighbors", "logistic"] | None = None
    top: Annotated[int, Field(ge=1, le=10, description="labels kept of each region")] = 3
    kind: Kind | None = None
    space: SpaceName | None = None
    sample: Annotated[
        int | None,
        Field(ge=1, le=MAX_SAMPLE, description="so many drawn at random, not remembered"),
    ] = None
    seed: Seed = 0


class Classification(BaseModel):
    """A run of classify: the labels by how many regions they are the likeliest of."""

    run: str
    method: str
    space: str
    kind: str
    n_regions: int
    top: int
    labels: list[ClassCount]


class ClassMember(BaseModel):
    """A region of a label."""

    region_id: str
    image_id: str
    probability: float


class ClassMembers(BaseModel):
    """Some regions of a label, the surest first."""

    run: str
    label: str | None
    n_regions: int
    offset: int
    members: list[ClassMember]
