"""What those ask who watch the server: is it up, can it answer, what has it done."""

from __future__ import annotations

import logging
from collections import Counter

from fastapi import APIRouter, Request, Response

from bilderatlas import __version__
from bilderatlas.errors import BilderatlasError, ServerBusy
from bilderatlas.server.jobs import State
from bilderatlas.server.middleware.metrics import CONTENT_TYPE, Labels, Metrics
from bilderatlas.server.routes.dependencies import ServedCollection
from bilderatlas.server.routes.jobs import Queued
from bilderatlas.server.schemas.info import Health, ProblemDocument

logger = logging.getLogger(__name__)
routes = APIRouter()


@routes.get("/health")
async def health() -> Health:
    """Say that the server is up. Needs no key."""
    return Health(status="ok", version=__version__)


@routes.get("/ready", responses={503: {"model": ProblemDocument, "description": "Not ready"}})
def ready(collection: ServedCollection) -> Health:
    """Say that the collection opens and its encoder is loaded. Needs no key."""
    try:
        collection.warm_up()
    except BilderatlasError as fault:  # its message may name paths, and anybody may ask this
        logger.warning("Not ready: %s", fault)
        raise ServerBusy(
            "The collection cannot be asked now; the server's log says why."
        ) from fault
    return Health(status="ready", version=__version__)


@routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request, collection: ServedCollection, queue: Queued) -> Response:
    """Count requests, images, jobs and memory, in the text format of Prometheus."""
    counted: Metrics = request.app.state.metrics
    about = collection.info()
    states = Counter(job.state for job in queue.all())
    gauges: dict[str, dict[Labels, float]] = {
        "images": {(): about.n_images},
        "regions": {(("kind", kind),): n for kind, n in about.kinds.items()},
        "problems": {(): about.n_problems},
        "jobs": {(("state", state),): states[state] for state in State},
        "info": {(("version", __version__), ("collection", collection.name)): 1},
    }
    return Response(counted.text(gauges), media_type=CONTENT_TYPE)
