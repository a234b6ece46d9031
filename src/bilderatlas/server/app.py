"""One ASGI app: REST under `/api/v1`, its description under `/api/docs`, the pages under `/`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bilderatlas import __version__
from bilderatlas.collection import Collection
from bilderatlas.server import api_docs, errors, routes
from bilderatlas.server.auth import Access, Gate, sign_in
from bilderatlas.server.jobs import Jobs
from bilderatlas.server.middleware import security_headers
from bilderatlas.server.middleware.head_requests import Heads
from bilderatlas.server.middleware.metrics import Counting, Metrics
from bilderatlas.server.middleware.timeouts import Bounds
from bilderatlas.server.routes import etag
from bilderatlas.server.uploads import Uploads
from bilderatlas.web import app as pages
from bilderatlas.web.request_context import Visitors

WORTH_COMPRESSING = 2000  # bytes
KEYS_ARE_SENT = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def create(collection: Collection, access: Access | None = None) -> FastAPI:
    """Make the app that answers for a collection: by default, to everybody on this machine."""
    allowed, metrics = access or Access(), Metrics()
    if allowed.is_read_only:
        collection.keep_selections_in_memory()
    app = App(
        metrics,
        title="Bilderatlas",
        version=__version__,
        description="Search, similar images, clusters and maps of a collection of images.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's own page loads scripts from a CDN
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.collection, app.state.access, app.state.metrics = collection, allowed, metrics
    app.state.jobs, app.state.uploads = Jobs(collection.path), Uploads(collection.path)
    app.include_router(routes.api)
    app.include_router(sign_in.routes)
    app.add_api_route("/api/docs", lambda: _reference(app), include_in_schema=False)
    shown = pages.create(collection)
    app.mount("/", shown)
    etag.answer_unchanged(app)
    for part in (app, shown):
        errors.answer_errors(part)
    app.add_middleware(Visitors)  # innermost
    app.add_middleware(GZipMiddleware, minimum_size=WORTH_COMPRESSING, compresslevel=1)
    app.add_middleware(Heads)
    app.add_middleware(Bounds)
    app.add_middleware(Gate, access=allowed)
    return app


class App(FastAPI):
    """An app of which nothing leaves uncounted or without strict headers, whatever made it."""

    def __init__(self, metrics: Metrics, **options: Any) -> None:
        self._metrics = metrics
        super().__init__(**options)

    def build_middleware_stack(self) -> ASGIApp:
        """The app's own middlewares, and around them ours: errors are answered by the outermost."""
        return Counting(
            security_headers.StrictHeaders(super().build_middleware_stack()), self._metrics
        )

    def openapi(self) -> dict[str, Any]:
        """The description, with how a key is sent where the server asks for one."""
        described = super().openapi()
        described["components"]["securitySchemes"] = KEYS_ARE_SENT
        described["security"] = [{}, *({scheme: []} for scheme in KEYS_ARE_SENT)]
        return described


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Each question has one core, as several are answered at once; no job outlives its server.

    What jobs write is read beside the questions.
    """
    with threadpool_limits(1, user_api="blas"), app.state.collection.background_refresh():
        yield
    await run_in_threadpool(app.state.jobs.close)


def _reference(app: FastAPI) -> HTMLResponse:
    policy = {"Content-Security-Policy": DOCS_POLICY}
    return HTMLResponse(api_docs.page(app.openapi()), headers=policy)
