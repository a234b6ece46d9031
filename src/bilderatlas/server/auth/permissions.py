"""What a request needs: nothing, a key, or the key of an editor.

Whatever may change something is for editors, unless it stands in `READING`: a new route that
changes something needs no entry here, one that only reads by POST does.
"""

from __future__ import annotations

import re
from enum import IntEnum

from starlette.datastructures import Headers

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
OPEN = frozenset(("/sign-in", "/sign-out", "/api/v1/health", "/api/v1/ready"))
OPEN_BELOW = "/assets/"  # our own scripts and styles, the same for everybody
READING = frozenset(
    (
        "/api/v1/search",
        "/api/v1/search/image",
        "/api/v1/search/url",
        "/api/v1/evaluate",
        "/api/v1/selections",  # what somebody looks at: bounded, and decides nothing
        "/query-pictures",  # kept in memory for a search
        "/_dash-update-component",  # turns a page
    )
)
PICTURES = re.compile(r"/api/v1/.*/(thumbnail|crop)|/assets/.*|/_dash-component-suites/.*")
TRIES = frozenset(("/sign-in", "/api/v1/ready"))  # open, and worth being asked slowly
A_TRY = 10.0  # what they cost, and a wrong key: whoever guesses is soon refused
FORMS = ("", "text/plain", "application/x-www-form-urlencoded")


class Need(IntEnum):
    """What somebody must have to be answered."""

    NOTHING = 0
    KEY = 1
    EDITOR = 2


def need(method: str, path: str) -> Need:
    """What a request needs."""
    if path in OPEN or (method in SAFE and path.startswith(OPEN_BELOW)):
        return Need.NOTHING
    return Need.KEY if method in SAFE or path in READING else Need.EDITOR


def cost(path: str) -> float:
    """How much of a key's allowance a request takes: a page has many pictures."""
    if path in TRIES:
        return A_TRY
    return 0.1 if PICTURES.fullmatch(path) else 1.0


def is_from_elsewhere(headers: Headers, *, by_cookie: bool) -> bool:
    """Whether a page of another origin may have sent what changes something.

    Browsers say where a request comes from; programs, which send no cookie, need not.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    if origin is not None:
        return origin.partition("://")[2].lower() != headers.get("host", "").lower()
    return by_cookie


def is_foreign_form(headers: Headers) -> bool:
    """Whether a body is of a kind that forms of other pages can send, and ours do not."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    return has_body and kind in FORMS
