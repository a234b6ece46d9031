"""Signing in and out with a browser: the key goes into a cookie, and the way on is a redirect."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bilderatlas.server.auth import cookie
from bilderatlas.server.auth.policy import Access
from bilderatlas.web.views import sign_in as page

MAX_BODY_BYTES = 10_000
OWN_ADDRESS = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # a path here: no scheme, no host, no controls

routes = APIRouter(include_in_schema=False)


@routes.get("/sign-in")
async def ask(request: Request, next: str = "/") -> Response:
    """Ask for a key, or say who is signed in; where there are no keys, go on."""
    access: Access = request.app.state.access
    if access.keys is None:
        return RedirectResponse(own(next), 303)
    return _page(page.document(then=own(next)))


@routes.post("/sign-in", max_body_size=MAX_BODY_BYTES)
async def sign_in(
    request: Request, key: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/"
) -> Response:
    """Keep a key in a cookie, if it is one."""
    access: Access = request.app.state.access
    if access.keys is None or access.keys.find(key.strip()) is None:
        said = page.document(then=own(next), is_refused=True)
        return _page(said, status=401)
    answer = RedirectResponse(own(next), 303)
    cookie.keep(answer, request.scope, key.strip())
    return answer


@routes.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Forget the key."""
    answer = RedirectResponse("/sign-in", 303)
    cookie.forget(answer, request.scope)
    return answer


def come_again() -> Response:
    """Have a browser that came from another site ask once more, now with its cookie."""
    return HTMLResponse(page.AGAIN, headers={"Cache-Control": "no-store"})


def own(address: str) -> str:
    """An address of this server, or its first page in the place of any other."""
    return address if OWN_ADDRESS.fullmatch(address) else "/"


def _page(document: str, status: int = 200) -> Response:
    headers = {"Content-Security-Policy": page.POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(document, status, headers=headers)
