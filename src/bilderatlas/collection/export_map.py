"""The bodies of `export --map` and `export --figure`: a projection -> a file to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bilderatlas import figures
from bilderatlas.analysis.colouring import Colouring
from bilderatlas.collection import images
from bilderatlas.collection.map_colours import colour
from bilderatlas.collection.maps import OpenMap
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import QueryError
from bilderatlas.output import static_map
from bilderatlas.output.files import told_errors
from bilderatlas.results import MapPage
from bilderatlas.storage import Store, runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}


def _open(store: Store, space: OpenSpace, run: str | None) -> OpenMap:
    return OpenMap(runs.read_projection(store, run, None), space.catalogue)


def _told(shown: OpenMap, colouring: Colouring) -> str:
    """What the map is, in a line."""
    about = shown.projection.about
    method = METHODS.get(about.method, about.method)
    kind = "pictures" if about.kind == "image" else f"'{about.kind}' parts"
    return (
        f"{len(shown.coordinates):,} {kind}, near what looks alike "
        f"({method}, {about.run}), coloured by {colouring.title}"
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
    left = _open(store, space, run)
    colouring = colour(store, left.projection.about, left.regions, color_by)
    ids = left.regions["image_id"].to_pylist()
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
        lambda some: images.thumbnails(space, some),
        name=store.path.stem,
        lead=_told(left, colouring),
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
    left = _open(store, space, run)
    colouring = colour(store, left.projection.about, left.regions, color_by)
    pictures = {}
    if with_pictures:
        if left.projection.dims != 2:
            raise QueryError(
                f"Map '{left.projection.run}' has 3 dimensions; pictures are drawn on flat ones. "
                "Choose a run of 2, or leave the pictures out."
            )
        chosen = figures.apart(left.coordinates, figures.N_PICTURES)
        ids = left.regions["image_id"].to_pylist()
        jpegs = images.thumbnails(space, [ids[i] for i in chosen])
        pictures = dict(zip(chosen, jpegs, strict=True))
    title = f"{store.path.stem} · {_told(left, colouring)}"
    return figures.scatter(np.asarray(left.coordinates), colouring, title=title, pictures=pictures)
