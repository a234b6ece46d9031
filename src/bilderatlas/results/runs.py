"""Clusterings, projections and classifications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bilderatlas.analysis.colouring import Colouring
from bilderatlas.analysis.evaluation import Comparison
from bilderatlas.arrays import Box, ClusterLabels, Coordinates
from bilderatlas.errors import RunNotFound
from bilderatlas.results.items import Items, as_json

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Run:
    """One clustering or projection that the collection remembers."""

    # Else pydantic would take the configuration of what holds it: GET /info may say more.
    __pydantic_config__: ClassVar = {"extra": "ignore"}

    run: str  # its name, for instance "hdbscan-1"
    verb: str  # cluster, project; also classify
    method: str
    parameters: Mapping[str, Any]
    seed: int
    space: str
    kind: str  # the kind of region it is over
    created_at: datetime
    n_regions: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster of a run."""

    cluster: int
    name: str
    size: int
    confidence: float  # 0..1, in the name (docs/naming.md)
    source: str  # of the name: number, vocabulary, words, column NAME, label, llm, person
    words: tuple[str, ...] = field(
        metadata={"description": "what else was read in it, the best first"}
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a decision in a run."""

    decision: str  # its id
    verb: str
    status: str  # applied; carried; fulfilled: it is so anyway; lost, overruled: see the reason
    about: str  # what was decided, in words
    reason: str


@dataclass(frozen=True, slots=True)
class Clustering:
    """A run of `cluster`: a label for every region, and the clusters, largest first."""

    about: Run
    region_ids: tuple[str, ...]  # (N,)
    labels: ClusterLabels  # (N,), -1 = noise
    probabilities: NDArray[Any]  # (N,), how firmly a region sits in its cluster
    clusters: tuple[Cluster, ...]
    outcomes: tuple[Outcome, ...] = ()  # of what people decided
    notes: tuple[str, ...] = ()  # what a person should know of the names

    @property
    def run(self) -> str:
        return self.about.run

    @property
    def n_noise(self) -> int:
        return int((self.labels == -1).sum())

    @property
    def not_carried(self) -> tuple[Outcome, ...]:
        """The decisions that this run does not honour."""
        return tuple(o for o in self.outcomes if o.status in ("lost", "overruled"))

    def members(self, cluster: int) -> NDArray[Any]:
        """Where a cluster's members stand in `region_ids`, (M,), the firmest first; -1 for noise.

        Raises RunNotFound where the run has no such cluster.
        """
        places = np.flatnonzero(self.labels == cluster)
        if len(places) == 0 and cluster != -1:
            raise RunNotFound(f"Run {self.run!r} has no cluster {cluster}.")
        return places[np.argsort(-self.probabilities[places], kind="stable")]

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "method": self.about.method,
            "parameters": dict(self.about.parameters),
            "n_clusters": len(self.clusters),
            "n_noise": self.n_noise,
            "clusters": [asdict(cluster) for cluster in self.clusters],
            "decisions": [asdict(outcome) for outcome in self.outcomes],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Member:
    """A region in a cluster, and how near to its middle."""

    region_id: str
    image_id: str
    kind: str
    box: Box
    closeness: float  # cosine to the centre of the cluster; 0 in the noise
    probability: float  # how firmly it sits there


@dataclass(frozen=True, kw_only=True, repr=False)
class Members(Items[Member]):
    """Some members of a cluster, from its core to its edge."""

    LIST: ClassVar = "members"

    members: tuple[Member, ...]
    n_all: int  # of the whole cluster, as far as they are still here


@dataclass(frozen=True, slots=True)
class NearCluster:
    """A cluster beside another."""

    cluster: int
    closeness: float = field(metadata={"description": "cosine of their centres"})


@dataclass(frozen=True, slots=True)
class ClusterShape:
    """How close together a cluster lies, and which lie beside it, the nearest first."""

    cluster: int
    tightness: float = field(metadata={"description": "mean cosine of its members to its centre"})
    nearest: tuple[NearCluster, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class ClusterShapes(Items[ClusterShape]):
    """How the clusters of a run lie, by their numbers."""

    LIST: ClassVar = "clusters"

    run: str
    clusters: tuple[ClusterShape, ...]


@dataclass(frozen=True, kw_only=True)
class RunComparison(Comparison):
    """Two clusterings, over the regions that both know."""

    first: str
    second: str
    n_only_first: int  # regions
    n_only_second: int

    def to_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = as_json(self)
        return said


@dataclass(frozen=True, slots=True)
class Exchange:
    """What became of a cluster of one run in one of another: some region ids, the firmest first."""

    first: int
    second: int
    stayed: tuple[str, ...]
    left: tuple[str, ...]  # of the first, that are elsewhere in the second run
    came: tuple[str, ...]  # of the second, that were elsewhere in the first run


@dataclass(frozen=True, slots=True)
class MapPoints:
    """The points of a map that are drawn, in a random order: the first ones show the whole."""

    about: Run
    n_all: int  # points that the map has; of too many, some of the crowded places are left out
    region_ids: list[str]  # (M,)
    coordinates: Coordinates  # (M, 2) or (M, 3)


@dataclass(frozen=True, slots=True)
class MapColours:
    """What the points of a map are coloured by."""

    of_all: Colouring
    labels: ClusterLabels  # (M,) of those that are drawn, as in `MapPoints`


@dataclass(frozen=True, slots=True)
class Projection:
    """A run of `project`: coordinates for every region."""

    about: Run
    region_ids: tuple[str, ...]  # (N,)
    coordinates: Coordinates  # (N, 2) or (N, 3)

    @property
    def run(self) -> str:
        return self.about.run

    @property
    def dims(self) -> int:
        return int(self.coordinates.shape[1])

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "method": self.about.method,
            "parameters": dict(self.about.parameters),
            "dims": self.dims,
            "n_regions": len(self.region_ids),
        }


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A label; null where none of them fits."""

    label: str | None
    n_regions: int  # whose likeliest it is
    probability: float = field(metadata={"description": "the mean of theirs"})


@dataclass(frozen=True, slots=True)
class Classification:
    """A run of `classify`: for every region the T labels that are the likeliest."""

    about: Run
    region_ids: tuple[str, ...]  # (N,)
    names: tuple[str, ...]  # (C,) of the labels that occur
    labels: NDArray[Any]  # (N, T) places in `names`, the likeliest first; -1 = none of them
    probabilities: NDArray[Any]  # (N, T)

    @property
    def run(self) -> str:
        return self.about.run

    @property
    def counts(self) -> tuple[ClassCount, ...]:
        """The labels by how many regions they are the likeliest of, most first."""
        first, probabilities = self.labels[:, 0], self.probabilities[:, 0]
        numbers, places, sizes = np.unique(first, return_inverse=True, return_counts=True)
        sums = np.bincount(places, weights=probabilities)
        order = np.argsort(-sizes, kind="stable")
        return tuple(
            ClassCount(
                self.names[numbers[i]] if numbers[i] >= 0 else None,
                int(sizes[i]),
                float(sums[i] / sizes[i]),
            )
            for i in order
        )

    def members(self, label: str | None) -> NDArray[Any]:
        """Where the regions of a label stand in `region_ids`, (M,), the surest first.

        Raises RunNotFound where no region has it as its likeliest.
        """
        number = -1 if label is None else self.names.index(label) if label in self.names else -2
        places = np.flatnonzero(self.labels[:, 0] == number)
        if not len(places):
            raise RunNotFound(f"Run {self.run!r} calls no region {label!r}.")
        return places[np.argsort(-self.probabilities[places, 0], kind="stable")]

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "method": self.about.method,
            "space": self.about.space,
            "kind": self.about.kind,
            "n_regions": len(self.region_ids),
            "top": self.labels.shape[1],
            "labels": [asdict(each) for each in self.counts],
        }
