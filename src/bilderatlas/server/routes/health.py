"""What those ask who watch the server: is it up, can it answer, what has it done."""

from __future__ import annotations

import logging
from collections import Counter

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Gauge, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from bilderatlas import __version__
from bilderatlas.errors import BilderatlasError, ServerBusy
from bilderatlas.server.jobs import State
from bilderatlas.server.middleware.metrics import Metrics
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
    known = CollectorRegistry()
    about = collection.info()
    Gauge("bilderatlas_images", "Images of the collection", registry=known).set(about.n_images)
    Gauge("bilderatlas_problems", "Images not read", registry=known).set(about.n_problems)
    regions = Gauge("bilderatlas_regions", "Regions by kind", ["kind"], registry=known)
    for kind, n in about.kinds.items():
        regions.labels(kind).set(n)
    states = Counter(job.state for job in queue.all())
    jobs = Gauge("bilderatlas_jobs", "Jobs by state", ["state"], registry=known)
    for state in State:
        jobs.labels(state).set(states[state])
    server = Info("bilderatlas", "What runs, and what it shows", registry=known)
    server.info({"version": __version__, "collection": collection.name})
    told = generate_latest(counted.registry) + generate_latest(known)
    return Response(told, media_type=CONTENT_TYPE_PLAIN_0_0_4)
