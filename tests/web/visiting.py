"""A server in a thread, headless Chromium, and a visit that notes what goes wrong."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from bilderatlas.collection import Collection
from bilderatlas.server import app, serve
from bilderatlas.server.auth import Access

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Chromium's own remark on drawing without a graphics card.
SOFTWARE_DRAWING = "GL Driver Message (OpenGL, Performance"


def find_browser() -> str | None:
    """Chromium, or Chrome, if this machine has it."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def launched(executable: str) -> Iterator[Browser]:
    """A headless browser that talks to nobody by itself."""
    options = [*QUIET, "--no-sandbox"] if os.geteuid() == 0 else [*QUIET]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=options)
        yield browser
        browser.close()


@contextmanager
def served(
    collection: Collection, access: Access | None = None, proxy: str | None = None
) -> Iterator[str]:
    """The address under which a collection is served, on a free port."""
    server = uvicorn.Server(serve.configured(app.create(collection, access), proxy, port=0))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server starts or says why not"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@dataclass
class Visit:
    """A page that is being looked at, and what went wrong meanwhile."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._watch)

    def go(self, path: str) -> Page:
        """Open a page and wait for its heading."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector("main h1")
        return self.page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and SOFTWARE_DRAWING not in message.text:
            self.complaints.append(message.text)

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.complaints.append(f"asked elsewhere: {request.url}")
