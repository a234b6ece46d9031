"""Files that people send: begin an upload, send each file as it is, finish; then they are read."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool

from bilderatlas.server.routes.dependencies import Who
from bilderatlas.server.routes.jobs import Queued
from bilderatlas.server.schemas.info import ProblemDocument
from bilderatlas.server.schemas.jobs import FileReceived, IndexOptions, Job, UploadBegun
from bilderatlas.server.uploads import Uploads

MAX_NAME = 5_000  # characters
N_AT_ONCE = 2**20  # bytes that are written to disk together
TOO_LARGE: dict[int | str, dict[str, Any]] = {
    413: {"model": ProblemDocument, "description": "More than an upload may hold"}
}
CONTENT = {"requestBody": {"required": True, "content": {"application/octet-stream": {}}}}

routes = APIRouter()


async def uploads_of(request: Request) -> Uploads:
    """The uploads of this server."""
    uploads: Uploads = request.app.state.uploads
    return uploads


Open = Annotated[Uploads, Depends(uploads_of)]
FileName = Annotated[
    str, Query(min_length=1, max_length=MAX_NAME, description="relative; with / for folders")
]


@routes.post("/uploads", response_model=UploadBegun, status_code=201)
def begin(uploads: Open) -> dict[str, str]:
    """Begin an upload."""
    return {"upload": uploads.begin()}


@routes.put(
    "/uploads/{upload}/files",
    response_model=FileReceived,
    status_code=201,
    responses=TOO_LARGE,
    openapi_extra=CONTENT,
)
async def receive(request: Request, uploads: Open, upload: str, name: FileName) -> Any:
    """Take in one picture, ZIP or tar archive: the body is the file, as it is."""
    with await run_in_threadpool(uploads.receive, upload, name) as incoming:
        waiting = bytearray()
        async for piece in request.stream():
            waiting += piece
            if len(waiting) >= N_AT_ONCE:
                await run_in_threadpool(incoming.write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(incoming.write, bytes(waiting))
        return await run_in_threadpool(incoming.close)


@routes.delete("/uploads/{upload}", status_code=204)
def discard(uploads: Open, upload: str) -> None:
    """Give up an upload and what it holds."""
    uploads.discard(upload)


@routes.post("/uploads/{upload}/finish", response_model=Job, status_code=202)
def finish(
    uploads: Open, queue: Queued, upload: str, who: Who, body: IndexOptions | None = None
) -> dict[str, Any]:
    """Close an upload and start the job that reads its pictures.

    If the job is refused, the upload stays open. Asking again returns the same job.
    """
    options = (body or IndexOptions()).model_dump(exclude_none=True) | {"upload": upload}
    with uploads.finishing, ExitStack() as undo:
        if uploads.is_finished(upload) and (begun := queue.reading(upload)):
            return begun.to_dict()
        uploads.finish(upload)
        undo.callback(uploads.reopen, upload)
        job = queue.start("index", options, who=who)
        undo.pop_all()
    return job.to_dict()
