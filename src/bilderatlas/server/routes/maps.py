"""What a page needs to draw a map: its points and their colours as plain numbers."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query, Response

from bilderatlas.results import MapPoints, image_id_of
from bilderatlas.server.routes.dependencies import ServedCollection
from bilderatlas.server.routes.etag import of_tables
from bilderatlas.server.schemas.parameters import MAX_WORDS

NUMBERS = "application/octet-stream"
BINARY: dict[int | str, dict[str, Any]] = {
    200: {"content": {NUMBERS: {"schema": {"type": "string", "format": "binary"}}}}
}
COLOURED = ("runs", "names", "decisions", "places", "images", "regions")
Run = Annotated[str, Path(max_length=MAX_WORDS, description="a projection")]

routes = APIRouter()


@routes.get(
    "/projection/{run}/points",
    response_class=Response,
    responses=BINARY,
    dependencies=[of_tables("runs", "places", "regions")],
)
def points(collection: ServedCollection, response: Response, run: Run) -> Response:
    """Give the points of a map to draw, in little-endian numbers.

    Four uint32: M points, 2 or 3 dimensions, N points that the map has (above 200,000, some of the
    crowded places are left out), 0. Then M x dimensions float32; M int32, the number of each part
    or -1 for a whole picture; and 16 bytes each for the M image ids. The order is random.
    """
    content = packed(collection.map_points(run))
    return Response(content, headers=dict(response.headers), media_type=NUMBERS)


@routes.get(
    "/projection/{run}/colours",
    response_class=Response,
    responses=BINARY,
    dependencies=[of_tables(*COLOURED)],
)
def colours(
    collection: ServedCollection,
    response: Response,
    run: Run,
    by: Annotated[
        str | None,
        Query(max_length=MAX_WORDS, description="cluster, a clustering, labels, a column"),
    ] = None,
) -> Response:
    """Give the label of each point as M little-endian int32, in the order of the points."""
    labels = collection.map_colours(run, color_by=by).labels
    content = labels.astype("<i4").tobytes()
    return Response(content, headers=dict(response.headers), media_type=NUMBERS)


def packed(points: MapPoints) -> bytes:
    """The points (M, dims) as `GET /projection/{run}/points` sends them."""
    n, dims = points.coordinates.shape
    parts = [region_id.partition("-")[2] for region_id in points.region_ids]
    ids = "".join(map(image_id_of, points.region_ids))
    return b"".join(
        (
            np.array([n, dims, points.n_all, 0], "<u4").tobytes(),
            np.ascontiguousarray(points.coordinates, "<f4").tobytes(),
            np.array([int(part or -1) for part in parts], "<i4").tobytes(),
            bytes.fromhex(ids),
        )
    )
