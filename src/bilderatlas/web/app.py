"""The shell around the pages: their frame, their addresses, their headers."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, html
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bilderatlas import __version__
from bilderatlas.collection import Collection
from bilderatlas.errors import BilderatlasError
from bilderatlas.web import i18n
from bilderatlas.web.address import Address, Desk, Page
from bilderatlas.web.frame import frame
from bilderatlas.web.query_pictures import QueryPictures
from bilderatlas.web.request_context import current
from bilderatlas.web.views import (
    advice,
    cluster,
    clusters,
    compare,
    compare_runs,
    decisions,
    gallery,
    home,
    image,
    label,
    problems,
    search,
)
from bilderatlas.web.views import map as map_page

logger = logging.getLogger(__name__)

PARTS = ("/_", "/assets/", "/query-pictures", "/api/")  # addresses that are no pages
MAX_QUESTION_BYTES = 1_000_000  # an address, and what Dash says of itself
MAX_PICTURE_BYTES = 50_000_000  # of one to search with
PAGES: dict[str, Callable[..., Page]] = {  # a path -> what makes its page; groups are arguments
    "/": home.page,
    "/gallery": gallery.page,
    "/search": search.page,
    "/images/(?P<image_id>[^/]+)": image.page,
    "/clusters": clusters.page,
    "/clusters/advice": advice.page,
    "/clusters/compare": compare_runs.page,
    r"/clusters/(?P<cluster>-?\d+)": cluster.page,
    "/decisions": decisions.page,
    "/map": map_page.page,
    "/problems": problems.page,
    "/label": label.page,
    "/compare": compare.page,
}

INDEX = f"""<!DOCTYPE html>
<html lang="LANGUAGE">
<head>
{{%metas%}}
<title>{{%title%}}</title>
<link rel="icon" href="/assets/favicon.svg" type="image/svg+xml">
<script src="/assets/scheme.js?v={__version__}"></script>
{{%css%}}
</head>
<body>
{{%app_entry%}}
<footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer>
</body>
</html>"""


def create(collection: Collection) -> FastAPI:
    """Make the app that serves the pages of a collection."""
    server = FastAPI(
        openapi_url=None, docs_url=None, redoc_url=None, max_body_size=MAX_QUESTION_BYTES
    )
    dash = Document(
        __name__,
        server=server,  # type: ignore[arg-type]
        title=f"{collection.name} · {i18n.PROGRAM}",
        update_title=None,  # type: ignore[arg-type]
        index_string=INDEX,
        assets_folder="static",
        assets_url_path="assets",
        assets_ignore=r"^scheme\.js$",
        suppress_callback_exceptions=True,  # a page's own parts come and go with it
        add_log_handler=False,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    desk = Desk(collection, QueryPictures())
    dash.layout = lambda: frame(desk)  # made for each visitor, in their language
    _connect(dash, desk)
    _serve_query_pictures(server, desk.pictures)
    server.add_middleware(OnePage, policy=_policy(dash))
    return server


class Document(Dash):
    """Dash, with a document that names the language it is in."""

    def interpolate_index(self, *given: Any, **parts: Any) -> str:
        """Fill the document's template."""
        document: str = super().interpolate_index(*given, **parts)  # type: ignore[no-untyped-call]
        return document.replace('lang="LANGUAGE"', f'lang="{current().language}"', 1)


def _connect(dash: Dash, desk: Desk) -> None:
    """Tie the frame to the pages. Work happens in threads: this loop serves thumbnails too."""

    @dash.callback(
        Output("main", "children"),
        Output("title", "data"),
        Input("address", "pathname"),
        Input("address", "search"),
        Input("again", "data"),
        on_error=_failed,
    )
    async def turn(path: str, query: str, again: int | None) -> tuple[Any, dict[str, str]]:
        address = Address.parse(path or "/", query or "")
        page = await run_in_threadpool(_page, desk, address)
        title = i18n.title(page.title, desk.collection.name)
        return page.children, {"title": title}

    dash.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("bilderatlas", "turned"),
        Output("main", "data-title"),
        Input("title", "data"),
    )


def _page(desk: Desk, address: Address) -> Page:
    try:
        return _find_page(desk, address)
    except BilderatlasError as refusal:
        said = html.P(str(refusal), className="refusal", role="alert")
        return Page(i18n.REFUSED, [html.H1(i18n.REFUSED), said])


def _failed(error: Exception) -> tuple[Any, dict[str, str]]:
    """A mistake of ours: the log has the traceback, the page does not."""
    logger.error("A page failed", exc_info=error)
    said = html.P(i18n.FAILED_HINT, className="refusal", role="alert")
    return [html.H1(i18n.FAILED), said], {"title": i18n.FAILED}


def _find_page(desk: Desk, address: Address) -> Page:
    for pattern, make in PAGES.items():
        if found := _match(pattern, address.path):
            return make(desk, address, **found.groupdict())
    way_back = html.A(i18n.TO_GALLERY, href="/gallery", className="button")
    hint = html.P(i18n.NOT_FOUND_HINT, className="lead")
    return Page(i18n.NOT_FOUND, [html.H1(i18n.NOT_FOUND), hint, way_back])


def _match(pattern: str, path: str) -> re.Match[str] | None:
    return re.fullmatch(pattern, path.rstrip("/") or "/")


def _serve_query_pictures(server: FastAPI, pictures: QueryPictures) -> None:
    @server.post("/query-pictures", max_body_size=MAX_PICTURE_BYTES)
    async def keep_query_picture(request: Request) -> dict[str, str]:
        content = await request.body()
        return {"picture": await run_in_threadpool(pictures.keep, content)}

    @server.get("/query-pictures/{name}")
    async def query_picture(name: str) -> Response:
        jpeg = pictures.jpeg(name)
        if jpeg is None:
            return Response(i18n.UPLOAD_GONE, status_code=404, media_type="text/plain")
        return Response(jpeg, media_type="image/jpeg")


def _policy(dash: Dash) -> str:
    """Nothing from elsewhere, no inline script but Dash's own two."""
    scripts = " ".join(("'self'", *dash.csp_hashes()))
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


class OnePage:
    """Answers every page's address with the one document that Dash serves at `/`.

    The script in it reads the address and asks for the page. An address that no page has gets the
    same document, with status 404.
    """

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(PARTS):
            await self._app(scope, receive, send)
            return
        is_page = any(_match(pattern, scope["path"]) for pattern in PAGES)

        async def send_as_page(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._policy
                headers["Cache-Control"] = "no-cache"
                if not is_page:
                    message = {**message, "status": 404}
            await send(message)

        await self._app({**scope, "path": "/", "raw_path": b"/"}, receive, send_as_page)
