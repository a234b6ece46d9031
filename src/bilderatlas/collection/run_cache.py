"""A run of `cluster` as it stands, open for looking at: what stays in memory between two pages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bilderatlas.analysis import evaluation
from bilderatlas.analysis.evaluation import Shape
from bilderatlas.collection import replay
from bilderatlas.collection.cache import Cache
from bilderatlas.errors import RunNotFound
from bilderatlas.results import Cluster, Clustering, ClusterShape, Member, Members, NearCluster
from bilderatlas.storage import Store
from bilderatlas.storage.catalogue import Catalogue

N_NEAREST = 8
_N_KEPT = 4  # runs; one over a million regions takes some 130 MB
_STATE = ("runs", "names", "decisions")  # the tables that say how a clustering stands


class OpenRun:
    """One run over one version of its space. Regions that have left it are left out."""

    def __init__(self, made: Clustering, catalogue: Catalogue) -> None:
        self.made = made
        self.catalogue = catalogue
        self._lock = threading.RLock()
        self._rows = catalogue.rows_of(pa.chunked_array([pa.array(made.region_ids, pa.string())]))

    @cached_property
    def shape(self) -> Shape:
        """Where the clusters lie; its rows are those of the catalogue."""
        labels = np.full(len(self.catalogue.regions), -1, np.int32)
        is_here = self._rows >= 0
        labels[self._rows[is_here]] = self.made.labels[is_here]
        return evaluation.shape(self.catalogue.vectors, labels)

    @cached_property
    def _closeness(self) -> NDArray[np.float32]:
        """(N,) of the run's regions to their centres."""
        cosines: NDArray[np.float32] = np.where(
            self._rows < 0, np.float32(0), self.shape.closeness[self._rows]
        )
        return cosines

    @cached_property
    def _order(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The places that are here, cluster by cluster, core to edge; and the label of each."""
        with self._lock:
            here = np.flatnonzero(self._rows >= 0)
            labels = self.made.labels[here]
            by = np.lexsort((-self.made.probabilities[here], -self._closeness[here], labels))
            return here[by], labels[by]

    @cached_property
    def shapes(self) -> list[ClusterShape]:
        """Every cluster that has members here, by number."""
        numbers = self.shape.clusters.tolist()
        places, cosines = self.shape.nearest(N_NEAREST)
        return [
            ClusterShape(
                number,
                tightness,
                tuple(NearCluster(numbers[p], c) for p, c in zip(near, close, strict=True)),
            )
            for number, tightness, near, close in zip(
                numbers,
                self.shape.tightness.tolist(),
                places.tolist(),
                cosines.tolist(),
                strict=True,
            )
        ]

    def members(self, cluster: int, *, start: int, n: int) -> Members:
        """n members of a cluster, or of the noise (-1), core to edge. Raises RunNotFound."""
        if cluster != -1 and cluster not in {each.cluster for each in self.made.clusters}:
            raise RunNotFound(f"Run {self.made.run!r} has no cluster {cluster}.")
        places, labels = self._order
        first, behind = np.searchsorted(labels, [cluster, cluster + 1])
        shown = places[first + start : min(first + start + n, behind)]
        members = tuple(self._member(int(place)) for place in shown)
        return Members(members=members, n_all=int(behind - first))

    def clusters_of(self, image_id: str) -> list[Cluster]:
        """The clusters that an image, or parts of it, are in; noise is none."""
        number = self.catalogue.number_of_id(image_id)
        is_its = (self._rows >= 0) & (self.catalogue.image_of[self._rows] == number)
        its = set(self.made.labels[is_its].tolist())
        return [each for each in self.made.clusters if each.cluster in its]

    def _member(self, place: int) -> Member:
        row = self.catalogue.regions.slice(int(self._rows[place]), 1).to_pylist()[0]
        return Member(
            row["region_id"],
            row["image_id"],
            row["kind"],
            tuple(row["box"]),
            float(self._closeness[place]),
            float(self.made.probabilities[place]),
        )


class OpenRuns:
    """The runs that were looked at last. Safe from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stand: Cache[str | None, Clustering] = Cache(_N_KEPT)
        self._open: Cache[str, OpenRun] = Cache(_N_KEPT)

    def clustering(self, run: str | None) -> Clustering:
        """A run (the newest by default) as it stands. Raises RunNotFound."""
        return self._at(self._store.state(*_STATE), run)

    def open(self, run: str | None, catalogue_of: Callable[[str], Catalogue]) -> OpenRun:
        """A run over the newest version of its space. Raises RunNotFound."""
        state = self._store.state(*_STATE)
        made = self._at(state, run)
        catalogue = catalogue_of(made.about.space)
        return self._open.get(made.run, (state, catalogue), lambda: OpenRun(made, catalogue))

    def _at(self, state: str, run: str | None) -> Clustering:
        known = self._stand.get(run, state, lambda: replay.read(self._store, run))
        return self._stand.get(known.run, state, lambda: known)  # the newest is one by its name
