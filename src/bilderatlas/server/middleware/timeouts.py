"""How long and how much at once: slow bodies, slow answers, heavy questions. Plain ASGI."""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bilderatlas.analysis import cancellation
from bilderatlas.errors import ServerBusy
from bilderatlas.server import errors
from bilderatlas.server.middleware.fair_queue import Lane
from bilderatlas.web.request_context import NAME

HEAVY = re.compile(
    r"(GET|HEAD) /api/v1/(duplicates|advice|runs/compare|export|embeddings)"
    r"|POST /api/v1/(evaluate|classifications)"
)
THUMBNAILS = re.compile(r"/api/v1/images/[^/]+/thumbnail")
UPLOADS = re.compile(r"/api/v1/uploads/[^/]+/files")  # they have limits of their own
# A condition may take its ten seconds. Words that only look like one wait among conditions.
CONDITION = re.compile(rb"\bwhere\b")
SENT = re.compile(r"/api/v1/uploads/.+")  # gigabytes, or many files, are looked through
# What asks nothing of the collection.
FREE = re.compile(r"/assets/.*|/_dash-component-suites/.*|/sign-(in|out)|/api/v1/health|/api/docs")


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What one request may take, in seconds, and a body's least speed."""

    answer_s: float = 60.0  # to the first byte of an answer, from the last byte of the question
    heavy_answer_s: float = 600.0  # where the question is one that takes a while
    sent_answer_s: float = 6 * 3600.0  # where archives of the largest size are unpacked to see
    wait_s: float = 20.0  # for a turn
    silence_s: float = 20.0  # between two pieces of a body
    body_bytes_per_s: float = 1000.0  # after the first `silence_s`
    body_bytes: int = 52_000_000  # a picture of 50 MB, and the form around it


class Bounds:
    """Cuts off bodies that drip, answers for what takes too long, and has questions take turns."""

    def __init__(self, app: ASGIApp, limits: RequestLimits | None = None) -> None:
        self._app = app
        self._limits = limits or RequestLimits()
        n_cores, wait_s = os.cpu_count() or 1, self._limits.wait_s
        n_asking, n_thumbnails = max(4, 2 * n_cores), max(8, 4 * n_cores)
        n_conditions = max(3, n_cores)
        # Whoever asks, and however slow that is, the others have a turn left.
        self._asking = Lane(n_asking, wait_s, n_each=n_asking - 1)
        self._conditions = Lane(n_conditions, wait_s, n_each=n_conditions - 1)
        self._thumbnails = Lane(n_thumbnails, wait_s, n_each=n_thumbnails - 1)
        self._heavy = Lane(max(1, n_cores // 2), wait_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lane = self._lane(scope)
        exchange = Exchange(
            scope,
            receive,
            send,
            self._limits,
            lane,
            of_conditions=self._conditions if lane is self._asking else None,
            is_heavy=lane is self._heavy,
        )
        try:
            if scope["method"] in ("GET", "HEAD"):
                await exchange.begin()
        except HTTPException as refusal:
            answer = await errors.refused_by_http(Request(scope), refusal)
            await answer(scope, receive, exchange.send)
            return
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            await exchange.finish()

    def _lane(self, scope: Scope) -> Lane | None:
        """The lane of a question; that of conditions may turn out when its body is here."""
        path = scope["path"]
        if HEAVY.fullmatch(f"{scope['method']} {path}"):
            return self._heavy
        if THUMBNAILS.fullmatch(path):
            return self._thumbnails
        if CONDITION.search(unquote_to_bytes(scope["query_string"])):
            return self._conditions
        is_free = FREE.fullmatch(path) or UPLOADS.fullmatch(path)
        return None if is_free else self._asking


class Exchange:
    """One question and its answer, with an eye on the clock."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        limits: RequestLimits,
        lane: Lane | None,
        *,
        of_conditions: Lane | None,
        is_heavy: bool,
    ) -> None:
        """`of_conditions`: the lane that it takes instead where its body holds a condition."""
        self._scope, self._receive, self._send = scope, receive, send
        self._limits = limits
        self._answer_s = limits.heavy_answer_s if is_heavy else limits.answer_s
        if SENT.fullmatch(scope["path"]):
            self._answer_s = limits.sent_answer_s
        self._lane, self._of_conditions = lane, of_conditions
        self._turn_of: str | None = None  # who has one now
        self._given_up = cancellation.begin()
        self._began = time.monotonic()
        self._n_bytes = 0
        self._is_all_here = False
        self._first: Message | None = None  # read before the app asks for it
        self._apology: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._timer = self._started_timer()

    async def begin(self) -> None:
        """Read a question without a body, which an app does not, and take its turn.

        Raises HTTPException.
        """
        self._first = await self.receive()
        if not self._is_all_here:  # it has a body that nobody asked for
            await self._take_turn()

    async def _take_turn(self) -> None:
        """Wait until the question may be worked at. Raises HTTPException where no turn comes."""
        self._timer.cancel()
        if self._lane and self._turn_of is None:
            who = self._who()
            try:
                await self._lane.enter(who)
            except ServerBusy as refusal:  # FastAPI lets nothing else pass while it reads a body
                raise HTTPException(503, str(refusal)) from refusal
            self._turn_of = who
        self._timer = self._started_timer()

    async def finish(self) -> None:
        """The app has done what it will."""
        self._end_turn()
        if self._apology:
            await self._apology

    async def receive(self) -> Message:
        """A piece of the question. Raises HTTPException where it comes too slowly, or no turn does.

        The turn is taken when all of it is here: whoever drips keeps nobody waiting.
        """
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._is_all_here:  # what comes now is that somebody went away
            return await self._receive()
        try:
            async with asyncio.timeout(self._limits.silence_s):
                message = await self._receive()
        except TimeoutError:
            raise _too_slow(f"nothing came for {self._limits.silence_s:g} s") from None
        self._note(message)
        if self._is_all_here:
            await self._take_turn()
            self._watch = asyncio.create_task(self._until_gone())
        return message

    async def _until_gone(self) -> None:
        """Give the answer up where whoever asked goes away before its first byte."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._given_up.set()

    async def send(self, message: Message) -> None:
        """A piece of the answer; dropped where the apology for it went out already."""
        if self._apology is None:
            self._end_turn()  # who reads slowly keeps nobody else waiting
            await self._send(message)

    def _who(self) -> str:
        """Whose turn it is: a key's, or an address's."""
        client = self._scope.get("client")
        return self._scope.get(NAME) or (client[0] if client else "")

    def _note(self, message: Message) -> None:
        self._is_all_here = not message.get("more_body", False)
        body = message.get("body", b"")
        self._n_bytes += len(body)
        if self._of_conditions and self._turn_of is None and CONDITION.search(body):
            self._lane = self._of_conditions
        if self._n_bytes > self._limits.body_bytes and not UPLOADS.fullmatch(self._scope["path"]):
            most = f"{self._limits.body_bytes / 1e6:g} MB"
            raise HTTPException(413, f"the body has more than {most}", {"Connection": "close"})
        elapsed_s = time.monotonic() - self._began
        least = self._limits.body_bytes_per_s * (elapsed_s - self._limits.silence_s)
        if not self._is_all_here and self._n_bytes < least:
            raise _too_slow(f"{self._n_bytes} bytes came in {elapsed_s:.0f} s")
        self._timer.cancel()
        self._timer = self._started_timer()

    def _end_turn(self) -> None:
        self._timer.cancel()
        if self._watch:
            self._watch.cancel()
        if self._lane and self._turn_of is not None:
            self._lane.leave(self._turn_of)
        self._lane = None

    def _started_timer(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._answer_s, self._give_up)

    def _give_up(self) -> None:
        self._given_up.set()  # the turn is given back when the work stops
        late = f"This took longer than {self._answer_s:g} s and was stopped. Ask for less."
        answer = errors.of_refusal(ServerBusy(late, 60))
        self._apology = asyncio.create_task(answer(self._scope, self._receive, self._send))


def _too_slow(what: str) -> HTTPException:
    return HTTPException(408, f"the body came too slowly: {what}", {"Connection": "close"})
