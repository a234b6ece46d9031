"""What images show, by prompts, classes or examples."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from bilderatlas.results import image_id_of
from bilderatlas.server.routes.dependencies import Count, RunName, ServedCollection
from bilderatlas.server.routes.etag import of_tables
from bilderatlas.server.schemas.classify import Classification, ClassificationAsked, ClassMembers
from bilderatlas.server.schemas.parameters import MAX_NUMBER, MAX_WORDS

routes = APIRouter()


@routes.post("/classifications", response_model=Classification)
def classify(collection: ServedCollection, body: ClassificationAsked) -> dict[str, Any]:
    """Say what images show. With `sample` of some, drawn at random, and nothing is remembered."""
    return collection.classify(**body.model_dump()).to_dict()


@routes.get("/classifications", response_model=Classification, dependencies=[of_tables("runs")])
def classification(collection: ServedCollection, run: RunName = None) -> dict[str, Any]:
    """Count the labels of a classification."""
    return collection.classification(run).to_dict()


@routes.get(
    "/classifications/members", response_model=ClassMembers, dependencies=[of_tables("runs")]
)
def members(
    collection: ServedCollection,
    label: Annotated[
        str | None, Query(max_length=MAX_WORDS, description="left out: none of the labels")
    ] = None,
    run: RunName = None,
    n: Count = 60,
    offset: Annotated[int, Query(ge=0, le=MAX_NUMBER)] = 0,
) -> dict[str, Any]:
    """List the regions of a label, the surest first."""
    found = collection.classification(run)
    places = found.members(label)  # (M,)
    return {
        "run": found.run,
        "label": label,
        "n_regions": len(places),
        "offset": offset,
        "members": [
            {
                "region_id": found.region_ids[place],
                "image_id": image_id_of(found.region_ids[place]),
                "probability": float(found.probabilities[place, 0]),
            }
            for place in places[offset : offset + n]
        ],
    }
