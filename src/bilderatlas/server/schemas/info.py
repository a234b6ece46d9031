"""What is known of a collection and a server, and how errors look."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bilderatlas.results import Run


class Skipped(BaseModel):
    """A file that could not become an image, and why."""

    uri: str
    stage: str
    reason: str
    when: datetime


class Problems(BaseModel):
    """What was skipped, by path, a stretch of it."""

    n_problems: Annotated[int, Field(description="in all")]
    kinds: Annotated[dict[str, int], Field(description="problem, other, small: how many of each")]
    stages: Annotated[dict[str, int], Field(description="how many of each")]
    reasons: Annotated[dict[str, int], Field(description="how many of each, 100 at most")]
    problems: list[Skipped]
    next: Annotated[str | None, Field(description="the cursor behind these; null at the end")]


class Space(BaseModel):
    """One encoder's embeddings inside the collection: of pictures, or of the texts of a field."""

    space: str
    encoder: str
    weights_hash: str
    dim: int
    joint_dim: int | None
    reads_text: bool
    field: str | None
    n_regions: int
    n_missing: int


class Spaces(BaseModel):
    """The spaces of the collection."""

    active_space: str | None
    spaces: list[Space]


class Encoder(BaseModel):
    """An encoder that can be used on the server's machine."""

    name: str
    kind: str
    dim: int
    reads_images: bool
    reads_text: bool
    is_on_disk: bool
    is_on_hub: bool
    n_bytes: int
    licence: str
    good_for: str


class Encoders(BaseModel):
    """Encoders, as `bilderatlas encoders` lists them."""

    encoders: list[Encoder]


class Info(BaseModel):
    """What is inside the collection."""

    model_config = ConfigDict(extra="allow")

    name: str
    n_images: int
    n_places: int
    n_regions: int
    kinds: dict[str, int]
    n_problems: int
    active_space: str | None
    spaces: list[Space]
    runs: list[Run]
    schema_version: int


class Health(BaseModel):
    """The server is up."""

    status: str
    version: str


class ProblemDocument(BaseModel):
    """An error by RFC 9457. `detail` says what happened and what to do."""

    type: str
    title: str
    status: int
    detail: str
    kind: str
