"""What is known of a collection and a server, and how errors look."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bilderatlas.server.schemas.ordering import Run


class Skipped(BaseModel):
    """A file that could not become an image, and why."""

    uri: str
    stage: str
    reason: str
    when: datetime


class Problems(BaseModel):
    """Everything that was skipped."""

    n_problems: int
    problems: list[Skipped]


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
