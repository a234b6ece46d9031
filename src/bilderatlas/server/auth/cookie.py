"""The cookie that keeps a key in a browser, out of reach of scripts and of other pages."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

MAX_AGE_S = 30 * 24 * 3600


def name(scope: Scope) -> str:
    """Browsers share cookies between the ports of a host: each port has a name of its own."""
    port = Headers(scope=scope).get("host", "").rpartition(":")[2]
    own = f"bilderatlas-{port}" if port.isdecimal() else "bilderatlas"
    return f"__Host-{own}" if scope["scheme"] == "https" else own


def keep(answer: Response, scope: Scope, secret: str) -> None:
    """Keep a key for a month."""
    _set(answer, scope, secret, MAX_AGE_S)


def forget(answer: Response, scope: Scope) -> None:
    """Forget the key."""
    _set(answer, scope, "", 0)


def _set(answer: Response, scope: Scope, value: str, max_age_s: int) -> None:
    answer.set_cookie(
        name(scope),
        value,
        max_age=max_age_s,
        httponly=True,
        samesite="strict",
        secure=scope["scheme"] == "https",
    )
