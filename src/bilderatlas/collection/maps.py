"""A map that is open for looking at: which of its points are drawn, and in which colours."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bilderatlas.analysis.colouring import Colouring
from bilderatlas.arrays import Coordinates
from bilderatlas.collection.cache import Cache
from bilderatlas.collection.map_colours import colour
from bilderatlas.errors import QueryError
from bilderatlas.results import MapColours, MapPoints, Projection
from bilderatlas.storage import Store, runs
from bilderatlas.storage.catalogue import Catalogue

MOST_DRAWN = 200_000  # points: a laptop without a graphics card still turns them
_N_CELLS = 256  # along each axis, in which points are counted when they are too many
_N_KEPT = 4  # maps, and colourings of each; a colouring of a million points takes 4 MB
_STATE = ("runs", "names", "decisions", "places", "images", "regions")  # what colours go by


class OpenMap:
    """One projection over one version of its space. Points whose images have left are left out."""

    def __init__(self, projection: Projection, catalogue: Catalogue) -> None:
        self.projection = projection
        self.catalogue = catalogue
        ids = pa.chunked_array([pa.array(projection.region_ids, pa.string())])
        rows = catalogue.rows_of(ids)
        self.regions: pa.Table = catalogue.regions.take(rows[rows >= 0])
        self.coordinates: Coordinates = projection.coordinates[rows >= 0]  # (N, dims)
        if not len(self.coordinates):
            raise QueryError(
                f"None of the images of map '{projection.run}' is left. "
                "Make a new one: bilderatlas project COLLECTION"
            )
        self._drawn = drawn(self.coordinates, MOST_DRAWN)  # (M,)
        self._colours: Cache[str | None, Colouring] = Cache(_N_KEPT)

    def points(self) -> MapPoints:
        """Those that are drawn."""
        return MapPoints(
            self.projection.about,
            len(self.coordinates),
            self.regions["region_id"].take(self._drawn).to_pylist(),
            self.coordinates[self._drawn],
        )

    def colours(self, store: Store, color_by: str | None) -> MapColours:
        """The colours of all points, and the labels of those that are drawn. Raises QueryError."""
        about, regions = self.projection.about, self.regions
        state = store.state(*_STATE)
        made = self._colours.get(color_by, state, lambda: colour(store, about, regions, color_by))
        return MapColours(made, made.labels[self._drawn])


class OpenMaps:
    """The maps looked at last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: Cache[str, OpenMap] = Cache(_N_KEPT)

    def open(self, run: str | None, catalogue: Catalogue) -> OpenMap:
        """A map by its name, or the newest. Raises RunNotFound, QueryError where none is left."""
        name = runs.read_projection(self._store, None, None).run if run is None else run

        def opened() -> OpenMap:
            return OpenMap(runs.read_projection(self._store, name, None), catalogue)

        return self._open.get(name, catalogue, opened)


def drawn(coordinates: Coordinates, most: int, *, seed: int = 0) -> NDArray[np.int64]:
    """(M,) which of N points (N, dims) are drawn, in a random order: all, or `most` at the most.

    Of too many, crowded places lose some, and where few points lie all of them stay: each cell of a
    grid keeps up to a number of points that is the same for all cells. The order is random, so that
    the first ones alone show the shape of all.
    """
    order = np.random.default_rng(seed).permutation(len(coordinates))
    if len(order) <= most:
        return order
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    steps = (coordinates[order] - low) / np.maximum(high - low, np.finfo(np.float32).tiny)
    cells = np.minimum((steps * _N_CELLS).astype(np.int64), _N_CELLS - 1)  # (N, dims)
    flat = np.ravel_multi_index(tuple(cells.T), (_N_CELLS,) * coordinates.shape[1])  # (N,)
    _, cell, sizes = np.unique(flat, return_inverse=True, return_counts=True)
    by_cell = np.argsort(cell, kind="stable")
    rank = np.empty(len(order), np.int64)  # of each point within its cell
    rank[by_cell] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept: NDArray[np.int64] = order[rank < _room(sizes, most)]
    return kept[:most]


def _room(sizes: NDArray[np.int64], most: int) -> int:
    """How many points each cell keeps so that all keep about `most`: never fewer."""
    room = 1
    while np.minimum(sizes, room).sum() < most:
        room += 1
    return room
