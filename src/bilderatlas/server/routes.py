"""Every route of the REST API: it unpacks the request, asks the collection, and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Header, Query, Request, Response, UploadFile
from PIL import Image

from bilderatlas import __version__, images, queries
from bilderatlas.collection import Collection
from bilderatlas.errors import ImageNotFound, ImageProblem
from bilderatlas.results import image_id_of
from bilderatlas.server import schemas

PICTURE_SIDE = 2048  # the longest side of a picture that leaves the server, pixels
FOREVER = "private, max-age=31536000, immutable"  # an image id names one content, always


async def collection_of(request: Request) -> Collection:
    """The collection that this server was started for."""
    collection: Collection = request.app.state.collection
    return collection


Asked = Annotated[Collection, Depends(collection_of)]
Count = Annotated[int, Query(ge=1, le=schemas.MAX_PAGE)]
IfNoneMatch = Annotated[str | None, Header()]
RunName = Annotated[str | None, Query(description="the newest when left out")]

api = APIRouter(
    prefix="/api/v1",
    responses={
        status: {"model": schemas.ProblemDocument, "description": meaning}
        for status, meaning in {
            400: "The question has no answer",
            404: "There is no such thing",
            422: "The question is not well formed",
        }.items()
    },
)


@api.get("/health")
async def health() -> schemas.Health:
    """Say that the server is up."""
    return schemas.Health(status="ok", version=__version__)


@api.get("/info", response_model=schemas.Info)
def info(collection: Asked) -> dict[str, Any]:
    """Say what is inside the collection."""
    return collection.info().to_dict()


@api.get("/images", response_model=schemas.Images)
def sample(collection: Asked, seed: int = 0, n: Count = 24) -> dict[str, Any]:
    """Draw images at random. The same seed draws the same images."""
    return collection.sample(n, seed=seed).to_dict()


@api.get("/images/{image_id}", response_model=schemas.Image)
def image(collection: Asked, image_id: str) -> dict[str, Any]:
    """Say what is known of one image."""
    return collection.image(image_id).to_dict()


@api.get("/images/{image_id}/thumbnail", response_class=Response)
def thumbnail(collection: Asked, image_id: str, if_none_match: IfNoneMatch = None) -> Response:
    """Show an image small: a JPEG, longer side 320 pixels."""
    etag = f'"{image_id}-{images.THUMBNAIL_SIDE}"'
    if if_none_match == etag:
        return _unchanged(etag)
    return _jpeg(collection.thumbnail(image_id), etag)


@api.get("/images/{image_id}/picture", response_class=Response)
def picture(collection: Asked, image_id: str, if_none_match: IfNoneMatch = None) -> Response:
    """Show an image large: a JPEG, longer side 2048 pixels at most."""
    etag = f'"{image_id}-{PICTURE_SIDE}"'
    if if_none_match == etag:
        return _unchanged(etag)
    try:
        full = collection.picture(image_id)
    except ImageProblem as gone:  # here the path is at fault, not the question
        raise ImageNotFound(str(gone)) from gone
    full.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS)
    return _jpeg(images.to_jpeg(full), etag)


@api.get("/images/{image_id}/similar", response_model=schemas.Hits)
def similar(
    collection: Asked,
    image_id: str,
    k: schemas.K = 12,
    radius: Annotated[float | None, Query(ge=0, le=2)] = None,
    where: schemas.Where | None = None,
    space: schemas.SpaceName | None = None,
) -> dict[str, Any]:
    """Find the images nearest to one of the collection, or all within `radius`."""
    return collection.similar(image_id, k=k, radius=radius, where=where, space=space).to_dict()


@api.post("/search", response_model=schemas.Hits)
def search(collection: Asked, body: schemas.SearchQuery) -> dict[str, Any]:
    """Find images by words, or by an expression: `2:dog + image:ID - snow`."""
    return collection.search(
        body.query,
        k=body.k,
        threshold=body.threshold,
        kinds=body.kinds,
        without=body.without,
        weights=body.weights,
        aggregate=body.aggregate,
        where=body.where,
        space=body.space,
        may_open_files=False,
    ).to_dict()


@api.post("/search/image", response_model=schemas.Hits)
def search_image(  # noqa: PLR0913  an option is an argument
    collection: Asked,
    file: Annotated[UploadFile, File(description="a picture of any common format")],
    k: schemas.K = 12,
    threshold: schemas.Threshold | None = None,
    kinds: Annotated[list[str] | None, Query(description="only these kinds of region")] = None,
    without: Annotated[list[str] | None, Query(description="kinds of region left out")] = None,
    weights: Annotated[list[str] | None, Query(description="of a kind: person=2")] = None,
    aggregate: schemas.Aggregate = "max",
    where: schemas.Where | None = None,
    space: schemas.SpaceName | None = None,
) -> dict[str, Any]:
    """Find images that look like an uploaded one."""
    return collection.search(
        image=file.file.read(),
        k=k,
        threshold=threshold,
        kinds=kinds,
        without=without or (),
        weights=queries.weights(weights or ()),
        aggregate=aggregate,
        where=where,
        space=space,
    ).to_dict()


@api.get("/runs", response_model=schemas.Runs)
def runs(collection: Asked, verb: str | None = None) -> dict[str, Any]:
    """List the clusterings and projections, newest first."""
    return {"runs": [asdict(run) for run in collection.runs(verb)]}


@api.get("/clusters", response_model=schemas.Clustering)
def clusters(collection: Asked, run: RunName = None) -> dict[str, Any]:
    """List the clusters of a run, largest first."""
    return collection.clustering(run).to_dict()


@api.get("/clusters/{cluster}", response_model=schemas.Members)
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


@api.get("/decisions", response_model=schemas.Decisions)
def decisions(collection: Asked, with_undone: bool = False) -> dict[str, Any]:
    """List what people decided, oldest first."""
    return collection.decisions(with_undone=with_undone).to_dict()


@api.post("/decisions", response_model=schemas.Decided)
def decide(collection: Asked, body: schemas.DecisionAsked) -> dict[str, Any]:
    """Name, merge, split or link clusters, move images, or take a decision back."""
    return collection.decide(body.verb, *body.what, run=body.run, who=body.who).to_dict()


@api.get("/projection", response_model=schemas.Projection)
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


@api.get("/duplicates", response_model=schemas.Duplicates)
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


@api.get("/problems", response_model=schemas.Problems)
def problems(collection: Asked) -> dict[str, Any]:
    """List what was skipped, and why."""
    return collection.problems().to_dict()


def _jpeg(content: bytes, etag: str) -> Response:
    headers = {"ETag": etag, "Cache-Control": FOREVER}
    return Response(content, media_type="image/jpeg", headers=headers)


def _unchanged(etag: str) -> Response:
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": FOREVER})
