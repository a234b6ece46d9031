"""The shell around the pages: their frame, their addresses, their headers."""

from __future__ import annotations

import base64
import binascii
import logging
import re
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from fastapi import FastAPI, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bilderatlas import __version__
from bilderatlas.collection import Collection
from bilderatlas.errors import BilderatlasError
from bilderatlas.web import clusters, gallery, image, search, texts
from bilderatlas.web import map as map_page
from bilderatlas.web.page import Address, Page, aria, link
from bilderatlas.web.query_pictures import QueryPictures

logger = logging.getLogger(__name__)

PARTS = ("/_", "/assets/", "/query-pictures/", "/api/")  # addresses that are no pages
PAGES = re.compile(r"/|/(search|map|images/[^/]+|clusters(/-?\d+)?)/?")

INDEX = f"""<!DOCTYPE html>
<html lang="en">
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
    server = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    dash = Dash(
        __name__,
        server=server,  # type: ignore[arg-type]
        title=texts.title(texts.GALLERY, collection.name),
        update_title=None,  # type: ignore[arg-type]
        index_string=INDEX,
        assets_ignore=r"^scheme\.js$",
        suppress_callback_exceptions=True,  # a page's own parts come and go with it
        add_log_handler=False,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    pictures = QueryPictures()
    dash.layout = _frame(collection)
    _connect(dash, collection, pictures)
    _serve_query_pictures(server, pictures)
    server.add_middleware(OnePage, policy=_policy(dash))
    return server


def _frame(collection: Collection) -> html.Div:
    """What stays while the pages change."""
    entries = {"/": texts.GALLERY, "/search": texts.SEARCH}
    entries |= {"/clusters": texts.CLUSTERS, "/map": texts.MAP}
    links = [html.A(label, href=path) for path, label in entries.items()]
    name = html.A([html.Span(texts.PROGRAM, className="program"), collection.name], href="/")
    scheme = html.Button(
        html.Span(className="half-moon"), className="scheme", type="button", title=texts.SCHEME
    )
    return html.Div(
        [
            dcc.Location(id="address", refresh="callback-nav"),
            dcc.Store(id="title"),
            html.A(texts.SKIP, href="#main", className="skip"),
            html.Header(
                [
                    html.Div(name, className="brand"),
                    html.Nav(links, **aria(label=texts.NAVIGATION)),
                    scheme,
                ]
            ),
            html.Main(html.P(texts.LOADING, className="empty"), id="main", tabIndex="-1"),
        ]
    )


def _connect(dash: Dash, collection: Collection, pictures: QueryPictures) -> None:
    """Tie the frame to the pages. Work happens in threads: this loop serves thumbnails too."""

    @dash.callback(
        Output("main", "children"),
        Output("title", "data"),
        Input("address", "pathname"),
        Input("address", "search"),
        on_error=_failed,
    )
    async def turn(path: str, query: str) -> tuple[Any, dict[str, str]]:
        address = Address.parse(path or "/", query or "")
        page = await run_in_threadpool(_page, collection, pictures, address)
        title = texts.title(page.title, collection.name)
        return page.children, {"title": title}

    @dash.callback(
        Output("address", "href"),
        Output("upload-refusal", "children"),
        Input("upload", "contents"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    async def take_picture(contents: str | None, query: str) -> tuple[Any, Any]:
        return await run_in_threadpool(_take_picture, pictures, contents, query)

    dash.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("bilderatlas", "turned"),
        Output("main", "data-title"),
        Input("title", "data"),
    )
    dash.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("bilderatlas", "draw"),
        Output("map", "className"),
        Input("map-points", "data"),
    )


def _page(collection: Collection, pictures: QueryPictures, address: Address) -> Page:
    try:
        return _find_page(collection, pictures, address)
    except BilderatlasError as refusal:
        said = html.P(str(refusal), className="refusal", role="alert")
        return Page(texts.REFUSED, [html.H1(texts.REFUSED), said])


def _failed(error: Exception) -> tuple[Any, dict[str, str]]:
    """A mistake of ours: the log has the traceback, the page does not."""
    logger.error("A page failed", exc_info=error)
    said = html.P(texts.FAILED_HINT, className="refusal", role="alert")
    return [html.H1(texts.FAILED), said], {"title": texts.FAILED}


def _find_page(collection: Collection, pictures: QueryPictures, address: Address) -> Page:
    match address.path.strip("/").split("/"):
        case [""]:
            return gallery.page(collection, address)
        case ["search"]:
            return search.page(collection, address, pictures)
        case ["clusters"]:
            return clusters.page(collection, address)
        case ["clusters", number] if number.lstrip("-").isdigit():
            return clusters.one_page(collection, address, int(number))
        case ["map"]:
            return map_page.page(collection, address)
        case ["images", image_id]:
            return image.page(collection, address, image_id)
        case _:
            way_back = html.A(texts.TO_GALLERY, href="/", className="button")
            hint = html.P(texts.NOT_FOUND_HINT, className="lead")
            return Page(texts.NOT_FOUND, [html.H1(texts.NOT_FOUND), hint, way_back])


def _take_picture(pictures: QueryPictures, contents: str | None, query: str) -> tuple[Any, Any]:
    """Keep an uploaded picture and go to its search; or say why it is none."""
    if contents is None:
        return no_update, ""  # the field has appeared, and is empty
    try:
        name = pictures.keep(base64.b64decode(contents.partition(",")[2], validate=True))
    except (BilderatlasError, binascii.Error, OSError) as refusal:
        return no_update, str(refusal)
    address = Address.parse("", query or "")
    kept = {name: address.text(name) for name in search.limits_of(address)}
    return link("/search", picture=name, **kept), ""


def _serve_query_pictures(server: FastAPI, pictures: QueryPictures) -> None:
    @server.get("/query-pictures/{name}")
    async def query_picture(name: str) -> Response:
        jpeg = pictures.jpeg(name)
        if jpeg is None:
            return Response(texts.UPLOAD_GONE, status_code=404, media_type="text/plain")
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
        is_page = PAGES.fullmatch(scope["path"]) is not None

        async def send_as_page(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._policy
                headers["Cache-Control"] = "no-cache"
                if not is_page:
                    message = {**message, "status": 404}
            await send(message)

        await self._app({**scope, "path": "/", "raw_path": b"/"}, receive, send_as_page)
