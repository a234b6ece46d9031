"""The map: every image a point, close together what looks alike.

The points travel once, as base64 of typed arrays; `assets/map.js` draws them and answers the
pointer without asking the server for more than the picture under it.
"""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
from dash import dcc, html
from numpy.typing import NDArray

from bilderatlas.arrays import ClusterLabels, Coordinates
from bilderatlas.collection import Collection
from bilderatlas.figures import PALETTE
from bilderatlas.results import Cluster, Clustering, Projection, image_id_of
from bilderatlas.web import texts
from bilderatlas.web.clusters import NOISE, cluster_address, run_links
from bilderatlas.web.page import Address, Desk, Page, aria, data
from bilderatlas.web.panel import Picture, command

GREY = "#8d867b"  # holds on dark and on light ground
N_LISTED = 60  # clusters named beside the map


def page(desk: Desk, address: Address) -> Page:
    """Show the projection `?run=`, coloured by the clustering `?clusters=` or the newest one."""
    collection = desk.collection
    runs = collection.runs("project")
    if not runs:
        line = texts.project_command(str(collection.path))
        return Page(texts.MAP, [html.H1(texts.NO_MAP), command(texts.NO_MAP_HINT, line)])
    projection = _left(collection, collection.projection(address.text("run")))
    clustering = _clustering(collection, address)
    return Page(
        texts.MAP,
        [
            html.H1(texts.MAP),
            html.P(_lead(projection, clustering), className="lead"),
            run_links("/map", runs, projection.run),
            html.Div([_plot(), _legend(clustering)], id="map", className="map"),
            dcc.Store(id="map-points", data=points(projection, clustering)),
        ],
    )


def _left(collection: Collection, projection: Projection) -> Projection:
    """The points whose images are still here: a run outlives the images of its time."""
    paths = collection.paths([image_id_of(region_id) for region_id in projection.region_ids])
    places = np.flatnonzero([path is not None for path in paths])
    if len(places) == len(paths):
        return projection
    region_ids = tuple(projection.region_ids[place] for place in places)
    return replace(projection, region_ids=region_ids, coordinates=projection.coordinates[places])


def points(projection: Projection, clustering: Clustering | None) -> dict[str, object]:
    """What `assets/map.js` draws: N places, their clusters and their images."""
    image_ids = [image_id_of(region_id) for region_id in projection.region_ids]
    clusters = clustering.clusters if clustering else ()
    return {
        "places": _packed(_places(projection.coordinates)),
        "labels": _packed(_labels(projection, clustering)),
        "image_ids": "\n".join(image_ids),
        "names": {one.cluster: texts.cluster(one.cluster, one.name) for one in clusters}
        | {NOISE: texts.NOISE},
        "palette": PALETTE,
        "grey": GREY,
        "is_flat": projection.dims == 2,
        "label": texts.MAP_LABEL,
        "no_webgl": texts.MAP_NEEDS_WEBGL,
    }


def _places(coordinates: Coordinates) -> NDArray[np.float32]:
    """(N, 2) or (N, 3) -> (N, 3) around the origin, the farthest at distance 1."""
    places = np.zeros((len(coordinates), 3), dtype=np.float32)
    places[:, : coordinates.shape[1]] = coordinates
    if len(places):
        places -= (places.max(axis=0) + places.min(axis=0)) / 2
    farthest = np.linalg.norm(places, axis=1).max(initial=0)
    return places / farthest if farthest > 0 else places


def _labels(projection: Projection, clustering: Clustering | None) -> ClusterLabels:
    """The cluster of every point, (N,); noise where the clustering does not know a region."""
    if clustering is None:
        return np.full(len(projection.region_ids), NOISE, dtype=np.int32)
    if clustering.region_ids == projection.region_ids:
        return clustering.labels
    label_of = dict(zip(clustering.region_ids, clustering.labels.tolist(), strict=True))
    found = [label_of.get(region_id, NOISE) for region_id in projection.region_ids]
    return np.array(found, dtype=np.int32)


def _packed(values: NDArray[np.float32] | NDArray[np.int32]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _clustering(collection: Collection, address: Address) -> Clustering | None:
    run = address.text("clusters")
    if run is None and not collection.runs("cluster"):
        return None
    return collection.clustering(run)


def _lead(projection: Projection, clustering: Clustering | None) -> str:
    said = texts.map_of(len(projection.region_ids), projection.run)
    if clustering:
        said += f", {texts.coloured_by(clustering.run)}"
    hint = texts.MAP_HINT_3D if projection.dims == 3 else texts.MAP_HINT_2D
    return f"{said}. {texts.MAP_HINT} {hint}"


def _plot() -> html.Div:
    """The place where the script draws, and the card that shows the picture pointed at."""
    said = [html.Span(className="cluster"), html.Span(className="file")]
    card = html.Div([Picture(alt=""), *said], className="map-card", hidden=True)
    return html.Div([card, html.Div(className="map-ring", hidden=True)], className="plot")


def _legend(clustering: Clustering | None) -> html.Nav | None:
    """The clusters and their colours, each a link: the way round the map for the keyboard."""
    if clustering is None:
        return None
    entries = [_entry(clustering, one) for one in clustering.clusters[:N_LISTED]]
    return html.Nav(
        [html.H2(texts.CLUSTERS), html.Ul(entries)],
        className="legend",
        **aria(label=texts.MAP_WITHOUT_POINTING),
    )


def _entry(clustering: Clustering, cluster: Cluster) -> html.Li:
    colour = PALETTE[cluster.cluster % len(PALETTE)]
    parts = [
        html.Span(className="dot", style={"background": colour}),
        html.Span(texts.cluster(cluster.cluster, cluster.name), className="name"),
        html.Span(texts.count(cluster.size), className="size"),
    ]
    return html.Li(
        html.A(
            parts,
            href=cluster_address(clustering, cluster.cluster),
            **data(cluster=str(cluster.cluster)),
        )
    )
