"""People's labels: which there are, giving and taking them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from bilderatlas.collection import Collection
from bilderatlas.results import LabelCounts, Labelling, Suggestions
from bilderatlas.server.routes.dependencies import Count, ServedCollection, Who
from bilderatlas.server.routes.etag import of_tables
from bilderatlas.server.schemas.labels import LabelAsked
from bilderatlas.server.schemas.parameters import Seed

Order = Literal["confident", "unsure", "diverse"]

routes = APIRouter()


@routes.get("/labels", dependencies=[of_tables("decisions", "places")])
def labels(collection: ServedCollection) -> LabelCounts:
    """List the labels that people gave, and how many images have each."""
    return collection.labels()


@routes.get("/labels/suggestions")
def suggestions(
    collection: ServedCollection,
    image: Annotated[
        list[str] | None, Query(description="of these; else of all unlabelled")
    ] = None,
    n: Count = 60,
    order: Annotated[Order, Query(description="which come first")] = "confident",
    seed: Seed = 0,
) -> Suggestions:
    """Say which labels images may have, by the labelled images most like them."""
    return collection.suggest_labels(image, n=n, order=order, seed=seed)


@routes.post("/labels")
def give(collection: ServedCollection, body: LabelAsked, who: Who) -> Labelling:
    """Give images a label: one decision, for images named and for all that are meant."""
    return collection.label(_meant(collection, body), body.label, who=who or body.who)


@routes.delete("/labels")
def take(collection: ServedCollection, body: LabelAsked, who: Who) -> Labelling:
    """Take a label from images."""
    return collection.unlabel(_meant(collection, body), body.label, who=who or body.who)


def _meant(collection: Collection, body: LabelAsked) -> list[str]:
    return body.images + (collection.select(**body.all.model_dump()) if body.all else [])
