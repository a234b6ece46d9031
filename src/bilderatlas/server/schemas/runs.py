"""Runs, clusters, maps and copies, as they go over the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bilderatlas.results import Cluster, Outcome, Run


class Runs(BaseModel):
    """Every clustering and projection, newest first."""

    runs: list[Run]


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
