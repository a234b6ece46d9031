"""The bodies of `export --map` and `export --figure`: a projection -> a file to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas import figures, runs, static_map
from bilderatlas.arrays import Coordinates
from bilderatlas.collection import looking
from bilderatlas.collection.colours import colour
from bilderatlas.collection.open_space import OpenSpace
from bilderatlas.colouring import Colouring
from bilderatlas.errors import QueryError
from bilderatlas.exports import told_errors
from bilderatlas.results import MapPage, Projection
from bilderatlas.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}


class _Left:
    """The points of a projection whose images are still here: a run outlives the images."""

    def __init__(self, store: Store, space: OpenSpace, run: str | None) -> None:
        self.projection: Projection = runs.read_projection(store, run, None)
        known = space.catalogue.regions
        row = pc.index_in(
            pa.array(self.projection.region_ids, pa.string()),
            value_set=known["region_id"].combine_chunks(),
        )
        is_here = pc.is_valid(row).to_numpy(zero_copy_only=False)  # (N,)
        self.regions: pa.Table = known.take(row.drop_null())
        self.coordinates: Coordinates = self.projection.coordinates[is_here]
        if not len(self.coordinates):
            raise QueryError(
                f"None of the images of map '{self.projection.run}' is left. "
                "Make a new one: bilderatlas project COLLECTION"
            )

    @property
    def image_ids(self) -> list[str]:
        ids: list[str] = self.regions["image_id"].to_pylist()
        return ids

    def told(self, colouring: Colouring) -> str:
        """What the map is, in a line."""
        projection = self.projection
        method = METHODS.get(projection.about.method, projection.about.method)
        kind = (
            "pictures" if projection.about.kind == "image" else f"'{projection.about.kind}' parts"
        )
        return (
            f"{len(self.coordinates):,} {kind}, near what looks alike "
            f"({method}, {projection.run}), coloured by {colouring.title}"
        )


def page(
    store: Store,
    space: OpenSpace,
    file: Path,
    *,
    run: str | None,
    color_by: str | None,
    max_mb: float,
) -> MapPage:
    """Write a projection as one HTML file with its thumbnails inside."""
    left = _Left(store, space, run)
    colouring = colour(store, left.regions, color_by)
    ids = left.image_ids
    paths = space.catalogue.paths(ids)
    points = static_map.Points(
        left.coordinates,
        ids,
        [Path(path or "").name for path in paths],
        [(box[0], box[1], box[2], box[3]) for box in left.regions["box"].to_pylist()],
    )
    made = static_map.page(
        points,
        colouring,
        lambda some: looking.thumbnails(space, some),
        name=store.path.stem,
        lead=left.told(colouring),
        max_bytes=int(max_mb * 1e6),
    )
    content = made.html.encode("utf-8")
    with told_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return MapPage(file, left.projection.run, colouring.title, len(ids), made.side, len(content))


def figure(
    store: Store,
    space: OpenSpace,
    *,
    run: str | None,
    color_by: str | None,
    with_pictures: bool,
) -> Figure:
    """Draw a projection for print."""
    left = _Left(store, space, run)
    colouring = colour(store, left.regions, color_by)
    pictures = {}
    if with_pictures:
        if left.projection.dims != 2:
            raise QueryError(
                f"Map '{left.projection.run}' has 3 dimensions; pictures are drawn on flat ones. "
                "Choose a run of 2, or leave the pictures out."
            )
        chosen = figures.apart(left.coordinates, figures.N_PICTURES)
        ids = left.image_ids
        jpegs = looking.thumbnails(space, [ids[i] for i in chosen])
        pictures = dict(zip(chosen, jpegs, strict=True))
    title = f"{store.path.stem} · {left.told(colouring)}"
    return figures.scatter(np.asarray(left.coordinates), colouring, title=title, pictures=pictures)
