"""Runs, clusters, maps and copies."""

from __future__ import annotations

import bisect
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from bilderatlas.results import ClusterShapes, Duplicates, RunComparison, image_id_of
from bilderatlas.server.json_columns import compact, exact
from bilderatlas.server.routes.dependencies import Count, Cursor, RunName, ServedCollection
from bilderatlas.server.routes.etag import of_tables
from bilderatlas.server.schemas.parameters import (
    MAX_K,
    MAX_NUMBER,
    MAX_WORDS,
    Kind,
    Seed,
    SpaceName,
)
from bilderatlas.server.schemas.runs import (
    Advice,
    Clustering,
    ClusterLabels,
    Members,
    Projection,
    Runs,
)
from bilderatlas.storage import cursors
from bilderatlas.storage.cursors import Key

CLUSTERED = ("runs", "names", "decisions")  # the tables that say how a clustering stands

routes = APIRouter()


@routes.get("/runs", dependencies=[of_tables("runs")])
def runs(collection: ServedCollection, verb: str | None = None) -> Runs:
    """List the clusterings and projections, newest first."""
    return Runs(runs=collection.runs(verb))


@routes.get("/runs/compare", dependencies=[of_tables(*CLUSTERED, "regions")])
def compare(
    collection: ServedCollection,
    first: Annotated[str, Query(max_length=MAX_WORDS, description="a clustering")],
    second: Annotated[str, Query(max_length=MAX_WORDS, description="another")],
) -> RunComparison:
    """Say how alike two clusterings are, and what became of each cluster."""
    return collection.compare(first, second)


@routes.get("/advice", response_model=Advice, dependencies=[of_tables()])
def advice(
    collection: ServedCollection,
    kind: Kind | None = None,
    space: SpaceName | None = None,
    min_samples: Annotated[int, Query(ge=1, le=MAX_K)] = 2,
    seed: Seed = 0,
) -> dict[str, Any]:
    """Say which k and eps suit the images, with the curves. It takes some seconds."""
    return collection.advise(kind=kind, space=space, min_samples=min_samples, seed=seed).to_dict()


@routes.get("/clusters", response_model=Clustering, dependencies=[of_tables(*CLUSTERED)])
def clusters(collection: ServedCollection, run: RunName = None) -> dict[str, Any]:
    """List the clusters of a run, largest first."""
    return collection.clustering(run).to_dict()


@routes.get(
    "/clusters/labels",
    responses={200: {"model": ClusterLabels}},
    response_class=Response,
    dependencies=[of_tables(*CLUSTERED)],
)
def cluster_labels(
    collection: ServedCollection, response: Response, run: RunName = None
) -> Response:
    """Give the cluster of every region of a run, and how firmly it sits there."""
    found = collection.clustering(run)
    columns = {
        "region_ids": found.region_ids,
        "labels": found.labels.tolist(),
        "probabilities": exact(found.probabilities),
    }
    return compact({"run": found.run} | columns, response)


@routes.get(
    "/clusters/shape",
    dependencies=[of_tables(*CLUSTERED, "regions")],
)
def shape(collection: ServedCollection, run: RunName = None) -> ClusterShapes:
    """Say how tight each cluster of a run is, and which lie nearest to it."""
    return collection.cluster_shapes(run)


@routes.get("/clusters/{cluster}", response_model=Members, dependencies=[of_tables(*CLUSTERED)])
def members(
    collection: ServedCollection,
    cluster: Annotated[int, Path(ge=-1, le=MAX_NUMBER)],
    run: RunName = None,
    n: Count = 60,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """List the members of a cluster, the firmest first. Cluster -1 is the noise."""
    found = collection.clustering(run)
    places = found.members(cluster)  # (M,)
    of = f"{found.run} {cluster}"

    def key(number: int) -> Key:
        place = int(places[number])
        return -float(found.probabilities[place]), place

    start = 0
    if cursor is not None:
        start = bisect.bisect_right(
            range(len(places)), cursors.read(cursor, of, float, int), key=key
        )
    stop = start + n
    return {
        "run": found.run,
        "cluster": cluster,
        "size": len(places),
        "members": [
            {
                "region_id": found.region_ids[place],
                "image_id": image_id_of(found.region_ids[place]),
                "probability": float(found.probabilities[place]),
            }
            for place in places[start:stop]
        ],
        "next": cursors.write(of, key(stop - 1)) if stop < len(places) else None,
    }


@routes.get(
    "/projection",
    responses={200: {"model": Projection}},
    response_class=Response,
    dependencies=[of_tables("runs")],
)
def projection(
    collection: ServedCollection,
    response: Response,
    run: RunName = None,
    dims: Annotated[int | None, Query(ge=2, le=3)] = None,
) -> Response:
    """Give the coordinates of every region on a map."""
    found = collection.projection(run, dims=dims)
    axes = dict(zip("xyz", map(exact, found.coordinates.T), strict=False))
    content = {"z": None} | found.to_dict() | {"region_ids": found.region_ids} | axes
    return compact(content, response)


@routes.get("/duplicates")
def duplicates(
    collection: ServedCollection,
    max_bits: Annotated[int, Query(ge=0, le=20)] = 7,
    min_cosine: Annotated[float, Query(gt=0, le=1)] = 0.88,
    min_likeness: Annotated[float, Query(gt=0, le=1)] = 0.75,
) -> Duplicates:
    """Find files that show the same picture. Every pair of images is compared: it takes a while."""
    return collection.duplicates(
        max_bits=max_bits, min_cosine=min_cosine, min_likeness=min_likeness
    )
