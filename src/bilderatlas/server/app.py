"""One ASGI app: REST under `/api/v1`, its description under `/api/docs`, the pages under `/`."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable, Sequence

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from bilderatlas import __version__
from bilderatlas.collection import Collection
from bilderatlas.errors import BilderatlasError
from bilderatlas.server import problems, reference, routes, safety
from bilderatlas.server.heads import Heads
from bilderatlas.server.routes import conditional
from bilderatlas.web import app as pages

# Names by which a browser on this machine asks. Any other name is a page elsewhere that made its
# own name point here (DNS rebinding).
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
MAX_BODY_BYTES = 70_000_000  # a picture of 50 MB, as the pages send it: base64 in JSON
WORTH_COMPRESSING = 2000  # bytes
DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def create(collection: Collection, *, hosts: Sequence[str] = LOOPBACK_HOSTS) -> FastAPI:
    """Make the app that answers for a collection to requests for one of `hosts`."""
    app = FastAPI(
        title="Bilderatlas",
        version=__version__,
        description="Search, near ones, clusters and maps of a collection of images.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's own page loads scripts from a CDN
        redoc_url=None,
        max_body_size=MAX_BODY_BYTES,
    )
    app.state.collection = collection
    app.include_router(routes.api)
    app.add_api_route("/api/docs", lambda: _reference(app), include_in_schema=False)
    shown = pages.create(collection)
    app.mount("/", shown)
    conditional.answer_unchanged(app)
    for part in (app, shown):
        problems.answer_errors(part)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    app.add_middleware(GZipMiddleware, minimum_size=WORTH_COMPRESSING, compresslevel=1)
    app.add_middleware(safety.StrictHeaders)
    app.add_middleware(Heads)
    return app


def _reference(app: FastAPI) -> HTMLResponse:
    policy = {"Content-Security-Policy": DOCS_POLICY}
    return HTMLResponse(reference.page(app.openapi()), headers=policy)


def serve(
    collection: Collection,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    on_start: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve a collection until Ctrl-C; `on_start` is told the address once it is taken."""
    if not _is_loopback(host):
        raise BilderatlasError(
            f"{host} can be reached from other machines, and this version asks nobody for a key; "
            "keys come with a later version. Serve on 127.0.0.1, or reach it through an SSH "
            "tunnel: ssh -L 8080:127.0.0.1:8080 MACHINE."
        )
    with _listen(host, port) as listening:
        collection.warm_up()
        on_start(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        config = uvicorn.Config(create(collection), log_level="warning")
        uvicorn.Server(config).run(sockets=[listening])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is set up."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns off Nagle's delay (40 ms an answer) only then.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise BilderatlasError(
                f"Port {port} on {host} is taken by another program. Choose another with --port."
            ) from error
        raise BilderatlasError(f"Cannot serve on {host}:{port}: {error.strerror}.") from error
    return listening
