"""How long and how much at once: slow bodies, slow answers, heavy questions. Plain ASGI."""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bilderatlas.errors import ServerBusy
from bilderatlas.server import problems

ASKING = re.compile(r"/api/v1/search(/.*)?|/api/v1/images/[^/]+/similar|/_dash-update-component")
HEAVY = re.compile(
    r"/api/v1/(duplicates|advice|clusters/advice|runs/compare|evaluation|exports?)(/.*)?"
)
UPLOADS = re.compile(r"/api/v1/uploads/[^/]+/files")  # has limits of its own
MAX_WAITING = 64  # questions that wait for their turn, of each lane


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take, in seconds, and a body's least speed."""

    answer_s: float = 60.0  # to the first byte of an answer, from the last byte of the question
    heavy_answer_s: float = 600.0  # where the question is one that takes a while
    wait_s: float = 20.0  # for a turn
    silence_s: float = 20.0  # between two pieces of a body
    body_bytes_per_s: float = 1000.0  # after the first `silence_s`
    body_bytes: int = 52_000_000  # a picture of 50 MB, and the form around it


class Lane:
    """Questions of one weight: so many at once, the others wait, but not too many or too long."""

    def __init__(self, n_at_once: int, wait_s: float) -> None:
        self._turns = asyncio.Semaphore(n_at_once)
        self._n_waiting = 0
        self._wait_s = wait_s

    async def enter(self) -> None:
        """Take a turn. Raises ServerBusy."""
        if self._n_waiting >= MAX_WAITING:
            raise ServerBusy(
                f"{MAX_WAITING} questions wait for their turn already. Ask again soon."
            )
        self._n_waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._turns.acquire()
        except TimeoutError:
            raise ServerBusy(
                f"There was no turn for this in {self._wait_s:g} s. Ask again soon."
            ) from None
        finally:
            self._n_waiting -= 1

    def leave(self) -> None:
        """Let the next one in."""
        self._turns.release()


class Bounds:
    """Cuts off bodies that drip, answers for what takes too long, and lets heavy questions wait."""

    def __init__(self, app: ASGIApp, limits: Limits | None = None) -> None:
        self._app = app
        self._limits = limits or Limits()
        self._asking = Lane(max(4, 2 * (os.cpu_count() or 1)), self._limits.wait_s)
        self._heavy = Lane(2, self._limits.wait_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lane = self._lane(scope["path"])
        try:
            if lane:
                await lane.enter()
        except ServerBusy as refusal:
            await problems.of_refusal(refusal)(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, self._limits, lane, is_heavy=lane is self._heavy)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            exchange.end()

    def _lane(self, path: str) -> Lane | None:
        if HEAVY.fullmatch(path):
            return self._heavy
        return self._asking if ASKING.fullmatch(path) else None


class Exchange:
    """One question and its answer, with an eye on the clock."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        limits: Limits,
        lane: Lane | None,
        *,
        is_heavy: bool,
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._limits = limits
        self._answer_s = limits.heavy_answer_s if is_heavy else limits.answer_s
        self._lane = lane
        self._began = time.monotonic()
        self._n_bytes = 0
        self._is_all_here = False
        self._apology: asyncio.Task[None] | None = None
        self._timer = self._started_timer()

    def end(self) -> None:
        """The answer was given, or never will be."""
        self._timer.cancel()
        if self._lane:
            self._lane.leave()
            self._lane = None

    async def receive(self) -> Message:
        """A piece of the question. Raises HTTPException where it comes too slowly."""
        if self._is_all_here:  # what comes now is that somebody went away
            return await self._receive()
        try:
            async with asyncio.timeout(self._limits.silence_s):
                message = await self._receive()
        except TimeoutError:
            raise _too_slow(f"nothing came for {self._limits.silence_s:g} s") from None
        self._note(message)
        return message

    def _note(self, message: Message) -> None:
        self._is_all_here = not message.get("more_body", False)
        self._n_bytes += len(message.get("body", b""))
        if self._n_bytes > self._limits.body_bytes and not UPLOADS.fullmatch(self._scope["path"]):
            most = f"{self._limits.body_bytes / 1e6:g} MB"
            raise HTTPException(413, f"the body has more than {most}", {"Connection": "close"})
        elapsed_s = time.monotonic() - self._began
        least = self._limits.body_bytes_per_s * (elapsed_s - self._limits.silence_s)
        if not self._is_all_here and self._n_bytes < least:
            raise _too_slow(f"{self._n_bytes} bytes came in {elapsed_s:.0f} s")
        if not self._apology:
            self._timer.cancel()
            self._timer = self._started_timer()

    async def send(self, message: Message) -> None:
        """A piece of the answer; dropped where the apology for it went out already."""
        if self._apology is None:
            self.end()  # who reads slowly keeps nobody else waiting
            await self._send(message)

    def _started_timer(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._answer_s, self._apologise)

    def _apologise(self) -> None:
        late = ServerBusy(
            f"This took longer than {self._answer_s:g} s and was given up. Ask for less.", 60
        )
        answer = problems.of_refusal(late)
        self._apology = asyncio.create_task(answer(self._scope, self._receive, self._send))


def _too_slow(what: str) -> HTTPException:
    return HTTPException(408, f"the body came too slowly: {what}", {"Connection": "close"})
