"""What goes over the wire, for the API's own description. The keys are those of `--json`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MAX_K = 1000
MAX_WORDS = 2000  # characters of a query
MAX_PAGE = 500

K = Annotated[int, Field(ge=1, le=MAX_K, description="how many images at most")]
Threshold = Annotated[float, Field(ge=-1, le=1, description="no image below this score")]
Aggregate = Annotated[str, Field(description="an image ranks by its best region, max, or by mean")]
SpaceName = Annotated[str, Field(max_length=MAX_WORDS, description="the active one if left out")]
Where = Annotated[str, Field(max_length=MAX_WORDS, description="a filter on metadata")]


class SearchQuery(BaseModel):
    """Words to search for."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[str, Field(max_length=MAX_WORDS, description="what the picture shows")]
    k: K = 12
    threshold: Threshold | None = None
    kinds: Annotated[list[str], Field(description="only these kinds of region")] | None = None
    without: Annotated[list[str], Field(description="kinds of region left out")] = []
    weights: Annotated[dict[str, float], Field(description="how much a kind counts")] = {}
    aggregate: Aggregate = "max"
    where: Where | None = None
    space: SpaceName | None = None


class Region(BaseModel):
    """The part of a picture that matched."""

    region_id: str
    kind: str
    label: str | None
    box: tuple[float, float, float, float]
    score: float
    text: str | None
    relevance: float
    share: float
    matched_by: str


class Hit(BaseModel):
    """One image that a search found."""

    image_id: str
    path: str
    score: float
    relevance: float
    regions: list[Region]
    matched_by: str
    metadata: dict[str, Any]


class Hits(BaseModel):
    """The images that a search found, closest first, and how many of all answer the query."""

    results: list[Hit]
    n_likely: Annotated[int, Field(description="images of relevance 0.5 and more")]
    n_doubtful: Annotated[int, Field(description="images from the cut-off up to that")]
    n_background: Annotated[int, Field(description="images below the cut-off")]
    cut_off: Annotated[float, Field(description="a whole picture's score at the cut-off")]
    verdict: Annotated[str, Field(description="the same in words")]


class Image(BaseModel):
    """One image and the places where it lies."""

    image_id: str
    path: str
    width: int
    height: int
    media_type: str
    taken_at: datetime | None
    paths: list[str]
    metadata: dict[str, Any]


class Images(BaseModel):
    """Some images of the collection."""

    images: list[Image]


class Run(BaseModel):
    """One clustering or projection that the collection remembers."""

    run: str
    verb: str
    method: str
    parameters: dict[str, Any]
    seed: int
    space: str
    kind: str
    created_at: datetime
    n_regions: int


class Runs(BaseModel):
    """Every clustering and projection, newest first."""

    runs: list[Run]


class Cluster(BaseModel):
    """One cluster of a run."""

    cluster: int
    name: str
    size: int
    confidence: float
    source: str


class Outcome(BaseModel):
    """What became of a decision in a run."""

    decision: str
    verb: str
    status: str
    about: str
    reason: str


class Clustering(BaseModel):
    """A run of `cluster` as it stands after decisions, its clusters largest first."""

    run: str
    method: str
    parameters: dict[str, Any]
    n_clusters: int
    n_noise: int
    clusters: list[Cluster]
    decisions: list[Outcome]
    notes: list[str]


class DecisionAsked(BaseModel):
    """Something that a person decides about clusters: docs/decisions.md."""

    model_config = ConfigDict(extra="forbid")

    verb: Annotated[str, Field(max_length=MAX_WORDS, description="name, merge, move, undo, ...")]
    what: Annotated[
        list[int | Annotated[str, Field(max_length=MAX_WORDS)]],
        Field(min_length=1, max_length=MAX_K, description="clusters, images, or a decision"),
    ]
    run: (
        Annotated[str, Field(max_length=MAX_WORDS, description="the newest if left out")] | None
    ) = None
    who: Annotated[str, Field(max_length=MAX_WORDS, description="who decides")] | None = None


class Decision(BaseModel):
    """One row of the log of decisions."""

    decision: str
    verb: str
    image_ids: list[str]
    region_ids: list[str]
    payload: dict[str, Any]
    who: str
    when: datetime


class Decided(Clustering):
    """A decision that was kept, and the clustering as it stands with it."""

    decision: Decision


class Decisions(BaseModel):
    """What people decided, oldest first."""

    n_decisions: int
    decisions: list[Decision]


class Member(BaseModel):
    """One region of a cluster."""

    region_id: str
    image_id: str
    probability: float


class Members(BaseModel):
    """Some members of a cluster, the firmest first. Cluster -1 is the noise."""

    run: str
    cluster: int
    size: int
    offset: int
    members: list[Member]


class Projection(BaseModel):
    """A run of `project`: one entry a region in every list; `z` is null for a plane."""

    run: str
    method: str
    parameters: dict[str, Any]
    dims: int
    n_regions: int
    region_ids: list[str]
    x: list[float]
    y: list[float]
    z: list[float] | None


class Copy(BaseModel):
    """A file that shows what the kept one of its group shows."""

    image_id: str
    path: str
    width: int
    height: int
    reason: str
    bits: int
    cosine: float
    likeness: float
    turn: str


class DuplicateGroup(BaseModel):
    """Files that show one picture: the one to keep, why that, and the others."""

    image_id: str
    path: str
    width: int
    height: int
    why: str
    copies: list[Copy]


class Duplicates(BaseModel):
    """Copies in groups, the largest first."""

    n_groups: int
    n_copies: int
    groups: list[DuplicateGroup]


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
