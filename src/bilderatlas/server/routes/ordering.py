"""Runs, clusters, maps and copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from bilderatlas.results import image_id_of
from bilderatlas.server.routes.dependencies import Asked, Count, RunName
from bilderatlas.server.schemas.ordering import Clustering, Duplicates, Members, Projection, Runs

routes = APIRouter()


@routes.get("/runs", response_model=Runs)
def runs(collection: Asked, verb: str | None = None) -> dict[str, Any]:
    """List the clusterings and projections, newest first."""
    return {"runs": [asdict(run) for run in collection.runs(verb)]}


@routes.get("/clusters", response_model=Clustering)
def clusters(collection: Asked, run: RunName = None) -> dict[str, Any]:
    """List the clusters of a run, largest first."""
    return collection.clustering(run).to_dict()


@routes.get("/clusters/{cluster}", response_model=Members)
def members(
    collection: Asked,
    cluster: int,
    run: RunName = None,
    n: Count = 60,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> dict[str, Any]:
    """List the members of a cluster, the firmest first. Cluster -1 is the noise."""
    found = collection.clustering(run)
    places = found.members(cluster)  # (M,)
    return {
        "run": found.run,
        "cluster": cluster,
        "size": len(places),
        "offset": offset,
        "members": [
            {
                "region_id": found.region_ids[place],
                "image_id": image_id_of(found.region_ids[place]),
                "probability": float(found.probabilities[place]),
            }
            for place in places[offset : offset + n]
        ],
    }


@routes.get("/projection", response_model=Projection)
def projection(
    collection: Asked,
    run: RunName = None,
    dims: Annotated[int | None, Query(ge=2, le=3)] = None,
) -> dict[str, Any]:
    """Give the coordinates of every region on a map."""
    found = collection.projection(run, dims=dims)
    axes: Sequence[Any] = found.coordinates.T.tolist()  # (2 or 3, N)
    return found.to_dict() | {
        "region_ids": found.region_ids,
        "x": axes[0],
        "y": axes[1],
        "z": axes[2] if found.dims == 3 else None,
    }


@routes.get("/duplicates", response_model=Duplicates)
def duplicates(
    collection: Asked,
    max_bits: Annotated[int, Query(ge=0, le=20)] = 7,
    min_cosine: Annotated[float, Query(gt=0, le=1)] = 0.88,
    min_likeness: Annotated[float, Query(gt=0, le=1)] = 0.75,
) -> dict[str, Any]:
    """Find files that show the same picture. Every pair of images is compared: it takes a while."""
    return collection.duplicates(
        max_bits=max_bits, min_cosine=min_cosine, min_likeness=min_likeness
    ).to_dict()
