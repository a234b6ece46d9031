"""What a client has already is not sent again: ETag and If-None-Match (RFC 9110, section 13)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request, Response

from bilderatlas import __version__
from bilderatlas.server.routes.dependencies import ServedCollection

IfNoneMatch = Annotated[str | None, Header(include_in_schema=False)]
ASK_AGAIN = "private, no-cache"  # to be kept, and asked for each time whether it still holds


class Unchanged(Exception):
    """The client has this already."""

    def __init__(self, etag: str, cache_control: str) -> None:
        super().__init__(etag)
        self.headers = {"ETag": etag, "Cache-Control": cache_control}


def of_tables(*tables: str) -> Any:
    """A dependency of a route whose answer only changes when these tables of the collection do.

    Without tables: when anything does. It is read before the answer is made, so that an answer is
    never older than its ETag.
    """

    def check(
        request: Request,
        response: Response,
        collection: ServedCollection,
        if_none_match: IfNoneMatch = None,
    ) -> None:
        asked = f"{__version__} {request.url.path}?{request.url.query} {collection.state(*tables)}"
        etag = f'W/"{blake2b(asked.encode(), digest_size=12).hexdigest()}"'
        answer_if_unchanged(etag, if_none_match, ASK_AGAIN)
        response.headers["ETag"] = etag
        response.headers["Cache-Control"] = ASK_AGAIN

    return Depends(check)


def answer_if_unchanged(etag: str, if_none_match: str | None, cache_control: str) -> None:
    """Raise Unchanged where the client names this ETag."""
    named = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    if etag.removeprefix("W/") in named:
        raise Unchanged(etag, cache_control)


def answer_unchanged(app: FastAPI) -> None:
    """Let Unchanged leave this app as status 304."""
    handler: Callable[[Request, Any], Any] = _unchanged
    app.add_exception_handler(Unchanged, handler)


async def _unchanged(request: Request, unchanged: Unchanged) -> Response:
    return Response(status_code=304, headers=unchanged.headers)
