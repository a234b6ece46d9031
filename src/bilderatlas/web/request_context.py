"""Who looks at the pages: in which language, under which name, and whether they may change things.

Names and roles are found by the server, which leaves them in the ASGI scope; the language is the
one chosen on the pages (a cookie) or, without a choice, the browser's.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "language"
DEFAULT = "en"
LANGUAGES = ("en", "de")
ROLE, NAME = "bilderatlas.role", "bilderatlas.name"  # keys of the scope; without them, an editor
EDITOR = "editor"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asked for a page."""

    language: str = DEFAULT
    may_edit: bool = True
    name: str | None = None


_current: ContextVar[Visitor] = ContextVar("visitor", default=Visitor())  # noqa: B039  it is frozen


def current() -> Visitor:
    """Whoever asked for the page that is being made."""
    return _current.get()


class Visitors:
    """Lets the pages know who asked. Plain ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            may_edit = scope.get(ROLE, EDITOR) == EDITOR
            _current.set(Visitor(_language(HTTPConnection(scope)), may_edit, scope.get(NAME)))
        await self._app(scope, receive, send)


def _language(asked: HTTPConnection) -> str:
    """The language chosen, else the first of the browser's that the pages speak."""
    wanted = asked.headers.get("accept-language", "").split(",")
    for tag in (asked.cookies.get(COOKIE, ""), *wanted):
        language = tag.strip().split(";")[0].split("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT
