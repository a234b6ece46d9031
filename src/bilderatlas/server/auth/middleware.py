"""Who asks, and may they: every request passes here before anything is done for it. Plain ASGI."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bilderatlas.errors import BilderatlasError, KeyNeeded, NotAllowed, QueryError, TooManyRequests
from bilderatlas.hosts import is_address, is_loopback
from bilderatlas.server import errors
from bilderatlas.server.auth import cookie, permissions, sign_in
from bilderatlas.server.auth.api_keys import VIEWER, Key
from bilderatlas.server.auth.permissions import Need
from bilderatlas.server.auth.policy import Access
from bilderatlas.server.auth.rate_limit import Allowance, of_peer
from bilderatlas.web.request_context import EDITOR, NAME, ROLE

OF_LOOPBACK = 0.1  # without keys, whoever asks from this machine is one person or a test
SLOWED_S = 0.5
BEARER = "bearer "


class Gate:
    """Lets through what is allowed, and leaves role and name of who asks in the scope."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        self._allowance = Allowance(access.requests_per_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # nothing here speaks it
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._admit(scope)
        except BilderatlasError as refusal:
            if isinstance(refusal, TooManyRequests):
                await asyncio.sleep(SLOWED_S)  # refusing without a pause would keep us busy too
            await _answer(refusal, scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        self._check_host(headers.get("host", ""))
        secret, by_cookie = _secret(headers, scope)
        key = self._access.keys.find(secret) if self._access.keys and secret else None
        need = permissions.need(scope["method"], scope["path"])
        is_guess = key is None and bool(secret) and need is not Need.NOTHING
        self._check_allowance(scope, key, is_guess=is_guess)
        if scope["method"] not in permissions.SAFE:
            _check_origin(headers, scope["path"], by_cookie=by_cookie)
        role = self._role(key)
        self._check_role(role, need, bool(secret))
        scope[ROLE] = role or VIEWER
        scope[NAME] = key.name if key else None

    def _check_host(self, host: str) -> None:
        if not self._access.answers_to(host):
            raise QueryError(
                f"This server was asked as {host!r}, which is not one of its names. If it is "
                "meant to be, start it with --allow-host NAME."
            )

    def _check_allowance(self, scope: Scope, key: Key | None, *, is_guess: bool) -> None:
        """A key has its own allowance, whatever its address; whoever has none, his address's."""
        cost = permissions.cost(scope["path"])
        if key:
            self._allowance.take(f"key {key.name}", cost)
            return
        peer = scope["client"][0] if scope.get("client") else ""
        if self._access.keys is None:
            is_here = is_loopback(peer) or not is_address(peer)  # a socket file has no address
            cost *= OF_LOOPBACK if is_here else 1
        elif is_guess:
            cost = permissions.A_TRY
        self._allowance.take(of_peer(peer), cost)

    def _role(self, key: Key | None) -> str | None:
        """What whoever asks may do; None without a key where one is needed."""
        if self._access.keys is not None and key is None:
            return None
        is_viewer = self._access.is_read_only or (key is not None and key.role == VIEWER)
        return VIEWER if is_viewer else EDITOR

    def _check_role(self, role: str | None, need: Need, gave_key: bool) -> None:
        if need is Need.NOTHING:
            return
        if role is None:
            raise KeyNeeded(
                "This server does not know this key."
                if gave_key
                else "This server asks for an API key. Send one as 'Authorization: Bearer KEY'; "
                "bilderatlas itself sends the one in BILDERATLAS_API_KEY."
            )
        if need is Need.EDITOR and role != EDITOR:
            raise NotAllowed(
                "This server is read-only: it was started with --read-only."
                if self._access.is_read_only
                else "This is a viewer's key, which may look and search. Changing things takes an "
                "editor's key."
            )


def _secret(headers: Headers, scope: Scope) -> tuple[str, bool]:
    """The key that a request brings, or "", and whether a cookie brought it."""
    bearer = headers.get("authorization", "")
    if bearer.lower().startswith(BEARER):
        return bearer[len(BEARER) :].strip(), False
    if given := headers.get("x-api-key"):
        return given.strip(), False
    kept = cookie_parser(headers.get("cookie", "")).get(cookie.name(scope), "")
    return kept, bool(kept)


def _check_origin(headers: Headers, path: str, *, by_cookie: bool) -> None:
    if permissions.is_from_elsewhere(headers, by_cookie=by_cookie):
        raise NotAllowed(
            "This came from a page of another address, which may not change anything here."
        )
    if by_cookie and path not in permissions.OPEN and permissions.is_foreign_form(headers):
        kind = headers.get("content-type", "")
        raise NotAllowed(f"A body of type {kind!r} is not read from a browser. Send JSON or files.")


def _answer(refusal: BilderatlasError, scope: Scope) -> Response:
    """A problem document; to a browser that wants a page, the way to sign in."""
    headers = Headers(scope=scope)
    is_page = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
    if not (isinstance(refusal, KeyNeeded) and is_page):
        return errors.of_refusal(refusal)
    if headers.get("sec-fetch-site") == "cross-site":
        return sign_in.come_again()
    query = scope["query_string"].decode("latin-1")
    asked = quote(scope["path"]) + (f"?{query}" if query else "")
    return RedirectResponse(f"/sign-in?next={quote(asked, safe='')}", 303)
