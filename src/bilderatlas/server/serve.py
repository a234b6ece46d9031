"""Serving until Ctrl-C: the port, and how HTTP is spoken on it."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from bilderatlas.collection import Collection
from bilderatlas.errors import BilderatlasError
from bilderatlas.server import app
from bilderatlas.server.auth import Access, policy
from bilderatlas.server.middleware.header_timeout import Patience

EVERYWHERE = ("0.0.0.0", "::")
GOODBYE_S = 3  # for answers that are under way when the server ends; streams of events never end
MAX_CONNECTIONS = 800  # of a process that may open 1024 files, as is usual


def serve(
    collection: Collection,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    access: Access | None = None,
    proxy: str | None = None,
    on_start: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve a collection until Ctrl-C; `on_start` is told the address once it is taken.

    `access` says who may ask, by default everybody on this machine; what a reverse proxy at the
    address `proxy` says of who asks, and whether by https, is believed. Raises KeysError where
    other machines would be served and nothing is said of keys.
    """
    allowed = access or policy.decide(host)
    with _listen(host, port) as listening:
        collection.warm_up()
        on_start(f"http://{_spoken(host)}:{port}")
        config = configured(app.create(collection, allowed), proxy)
        # uvicorn ends by the signal that it caught, and what is temporary would stay.
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        uvicorn.Server(config).run(sockets=[listening])


def configured(asgi: FastAPI, proxy: str | None = None, *, port: int = 8080) -> uvicorn.Config:
    """How uvicorn serves an app."""
    return uvicorn.Config(
        asgi,
        port=port,
        http=Patience,
        ws="none",
        log_level="warning",
        server_header=False,
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=GOODBYE_S,
    )


def _spoken(host: str) -> str:
    """The host as it stands in an address; of "any address", the machine's name."""
    if host in EVERYWHERE:
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


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
