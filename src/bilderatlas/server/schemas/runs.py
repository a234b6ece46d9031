"""Runs, clusters, maps and copies, as they go over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


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
    words: Annotated[list[str], Field(description="what else was read in it, the best first")]


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


class NearCluster(BaseModel):
    """A cluster beside another."""

    cluster: int
    closeness: Annotated[float, Field(description="cosine of their centres")]


class ClusterShape(BaseModel):
    """How close together a cluster lies, and which lie beside it, the nearest first."""

    cluster: int
    tightness: Annotated[float, Field(description="mean cosine of its members to its centre")]
    nearest: list[NearCluster]


class ClusterShapes(BaseModel):
    """How the clusters of a run lie, by their numbers."""

    run: str
    clusters: list[ClusterShape]


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
    members: list[Member]
    next: Annotated[str | None, Field(description="the cursor behind these; null at the end")]


class ClusterLabels(BaseModel):
    """A run of `cluster`: one entry a region in every list; cluster -1 is the noise."""

    run: str
    region_ids: list[str]
    labels: list[int]
    probabilities: list[float]


class Match(BaseModel):
    """A cluster of the first run and the one of the second that continues it."""

    first: int
    second: int
    n_first: int
    n_second: int
    n_shared: int


class RunComparison(BaseModel):
    """Two clusterings, over the regions that both know."""

    first: str
    second: str
    n_shared: int
    n_only_first: int
    n_only_second: int
    ari: float
    nmi: float
    n_moved: int
    n_into_noise: int
    n_out_of_noise: int
    n_noise_first: int
    n_noise_second: int
    matches: list[Match]
    only_first: list[int]
    only_second: list[int]


class KAdvice(BaseModel):
    """The k to take, and the curves that say so."""

    model_config = ConfigDict(extra="allow")

    k: int
    reason: str
    n_measured: int
    curves: list[dict[str, float | None]]


class EpsAdvice(BaseModel):
    """The eps to take, and the curves that say so."""

    model_config = ConfigDict(extra="allow")

    eps: float
    reason: str
    min_samples: int
    n_measured: int
    curves: list[dict[str, float | None]]
    k_distances: list[float]


class Advice(BaseModel):
    """Which k for kmeans and which eps for dbscan suit the regions of a kind."""

    kind: str
    n_regions: int
    k: KAdvice
    eps: EpsAdvice


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
