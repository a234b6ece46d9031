"""Long work: starting, watching, cancelling."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from bilderatlas.server.jobs import Job as Work
from bilderatlas.server.jobs import Jobs as Queue
from bilderatlas.server.routes.dependencies import Count, Who
from bilderatlas.server.schemas.jobs import Job, JobAsked, Jobs

LOOK_S = 0.25  # between two looks at how far a job is
HEARTBEAT_S = 15.0  # of silence, after which a line that says nothing keeps the connection
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "A job each, whenever it changes"}
}

routes = APIRouter()


async def queue_of(request: Request) -> Queue:
    """The jobs of this server."""
    queue: Queue = request.app.state.jobs
    return queue


Queued = Annotated[Queue, Depends(queue_of)]


@routes.get("/jobs", response_model=Jobs)
def jobs(queue: Queued, n: Count = 100) -> dict[str, Any]:
    """List the jobs that are remembered, newest first."""
    return {"jobs": [job.to_dict() for job in queue.all()[:n]]}


@routes.post("/jobs", response_model=Job, status_code=202)
def start(queue: Queued, body: JobAsked, who: Who) -> dict[str, Any]:
    """Start long work: it waits for its turn, and goes on when nobody looks."""
    options = body.options.model_dump(exclude_none=True)
    return queue.start(body.verb, options, who=who).to_dict()


@routes.get("/jobs/events", response_class=StreamingResponse, responses=EVENTS)
async def all_events(request: Request, queue: Queued) -> StreamingResponse:
    """Follow all jobs, as server-sent events; those that have not ended come at once."""
    return _stream(_changes(request, queue.all, knows_ended=True))


@routes.get("/jobs/{job}", response_model=Job)
def job(queue: Queued, job: str) -> dict[str, Any]:
    """Say how far a job is."""
    return queue.get(job).to_dict()


@routes.get("/jobs/{job}/events", response_class=StreamingResponse, responses=EVENTS)
async def events(request: Request, queue: Queued, job: str) -> StreamingResponse:
    """Follow a job to its end, as server-sent events."""
    queue.get(job)  # refused before the stream begins
    return _stream(_changes(request, lambda: [queue.get(job)], knows_ended=False))


@routes.post("/jobs/{job}/cancel", response_model=Job)
def cancel(queue: Queued, job: str) -> dict[str, Any]:
    """Stop a job. What it wrote stays, and the next of its kind goes on from there."""
    return queue.cancel(job).to_dict()


@routes.post("/jobs/{job}/resume", response_model=Job, status_code=202)
def resume(queue: Queued, job: str, who: Who) -> dict[str, Any]:
    """Do what a job left undone, as a new job."""
    return queue.resume(job, who=who).to_dict()


def _stream(lines: AsyncIterator[str]) -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines, media_type="text/event-stream", headers=headers)


async def _changes(
    request: Request, look: Callable[[], list[Work]], *, knows_ended: bool
) -> AsyncIterator[str]:
    """Every change of some jobs, while somebody listens and, of one job, until it has ended.

    `knows_ended`: jobs that have ended before are not news.
    """
    told = {one.job: one for one in look() if one.has_ended} if knows_ended else {}
    silent_s = 0.0
    yield "retry: 2000\n\n"
    while not await request.is_disconnected():
        now = look()
        news = [one for one in now if told.get(one.job) != one]
        for one in news:
            told[one.job] = one
            yield f"data: {json.dumps(one.to_dict())}\n\n"
        if not knows_ended and all(one.has_ended for one in now):
            return
        silent_s = 0.0 if news else silent_s + LOOK_S
        if silent_s >= HEARTBEAT_S:
            silent_s = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_S)
