"""Jobs and uploads, as they go over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bilderatlas.server.schemas.parameters import MAX_WORDS, SpaceName

UploadId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="a finished upload")]
Name = Annotated[str, Field(max_length=MAX_WORDS)]
Source = Annotated[str, Field(max_length=5000, description="as `GET /info` has it")]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid")


class IndexOptions(_Options):
    """Without an upload, sources that are known are looked at again: all, or those named."""

    upload: UploadId | None = None
    sources: Annotated[list[Source], Field(max_length=1000)] | None = None
    find: Annotated[list[Literal["objects", "text"]], Field(max_length=2)] | None = None
    min_area: Annotated[float, Field(ge=0, le=1)] | None = None
    max_regions: Count | None = None
    prune: bool = False


class ReindexOptions(_Options):
    """Another space for what is there; encoders are those of `bilderatlas encoders`, by name."""

    encoder: Annotated[str, Field(max_length=100, pattern="^[a-z0-9.-]+(:int8)?$")] | None = None
    text_column: Name | None = None


class ClusterOptions(_Options):
    """Those of `bilderatlas cluster`: docs/clustering.md."""

    method: Name = "hdbscan"
    k: Count | Literal["auto"] | None = None
    eps: Annotated[float, Field(gt=0, le=2)] | Literal["auto"] | None = None
    min_samples: Count | None = None
    min_cluster_size: Count | None = None
    distance_threshold: Annotated[float, Field(gt=0)] | None = None
    kind: Name | None = None
    space: SpaceName | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class ProjectOptions(_Options):
    """Those of `bilderatlas project`: docs/maps.md."""

    method: Name | None = None
    dims: Annotated[int, Field(ge=2, le=3)] | None = None
    perplexity: Annotated[float, Field(gt=0)] | None = None
    n_neighbors: Count | None = None
    min_dist: Annotated[float, Field(ge=0)] | None = None
    kind: Name | None = None
    space: SpaceName | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    into: Name | None = None


class NameOptions(_Options):
    """Of which run the clusters are named anew; no language model is asked."""

    run: Name | None = None


class IndexAsked(_Options):
    """Read pictures."""

    verb: Literal["index"]
    options: IndexOptions = IndexOptions()


class ReindexAsked(_Options):
    """Embed what is there by another encoder."""

    verb: Literal["reindex"]
    options: ReindexOptions = ReindexOptions()


class ClusterAsked(_Options):
    """Form clusters."""

    verb: Literal["cluster"]
    options: ClusterOptions = ClusterOptions()


class ProjectAsked(_Options):
    """Draw a map."""

    verb: Literal["project"]
    options: ProjectOptions = ProjectOptions()


class NameAsked(_Options):
    """Name clusters anew."""

    verb: Literal["name"]
    options: NameOptions = NameOptions()


JobAsked = Annotated[
    IndexAsked | ReindexAsked | ClusterAsked | ProjectAsked | NameAsked,
    Field(discriminator="verb"),
]


class Fault(BaseModel):
    """Why a job failed."""

    kind: str
    message: str


class Job(BaseModel):
    """Long work: how far it is, and how it ended."""

    job: str
    verb: str
    options: dict[str, Any]
    who: str | None
    state: Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]
    what: str
    n_done: int
    n_total: int | None
    n_problems: int
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    result: dict[str, Any] | None
    error: Fault | None
    can_resume: bool


class Jobs(BaseModel):
    """Every job that is remembered, newest first."""

    jobs: list[Job]


class UploadBegun(BaseModel):
    """An upload that files can be sent to."""

    upload: str


class FileReceived(BaseModel):
    """A file that was taken in."""

    name: str
    kept_as: str
    kind: Literal["picture", "archive"]
    n_bytes: int
