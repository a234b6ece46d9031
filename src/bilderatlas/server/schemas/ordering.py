"""Runs, clusters, maps and copies, as they go over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel


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
