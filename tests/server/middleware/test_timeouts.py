"""How long a question may come, wait and be answered."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Scope

from bilderatlas.analysis import cancellation
from bilderatlas.errors import ServerBusy
from bilderatlas.server import errors
from bilderatlas.server.errors import refused_by_http as refused
from bilderatlas.server.middleware import timeouts
from bilderatlas.server.middleware.fair_queue import Lane
from bilderatlas.server.middleware.timeouts import Bounds, RequestLimits
from tests.server.running import run

Answer = Callable[[Request], Awaitable[Response]]
SHORT = RequestLimits(answer_s=0.5, wait_s=0.1, silence_s=0.4, body_bytes_per_s=1000)


async def whole(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())} bytes")


def bounds_of(answer: Answer, path: str) -> Bounds:
    routes = [Route(path, answer, methods=["POST"])]
    return Bounds(Starlette(routes=routes, exception_handlers={HTTPException: refused}), SHORT)


async def ask(
    answer: Answer,
    pieces: list[bytes],
    *,
    pause_s: float = 0,
    is_more_said: bool = False,
    path: str = "/api/v1/search",
    query: bytes = b"",
    bounded: Bounds | None = None,
    until: asyncio.Event | None = None,
) -> tuple[int, bytes]:
    """Send a body in pieces with a pause before each; the answer's status and body.

    The last piece waits for `until`.
    """
    left, sent = list(pieces), []

    async def receive() -> Message:
        await asyncio.sleep(pause_s if left else 60)
        if until and len(left) == 1:
            await until.wait()
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left) or is_more_said}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    scope |= {"query_string": query, "root_path": "", "server": ("127.0.0.1", 80), "scheme": "http"}
    await (bounded or bounds_of(answer, path))(scope, receive, send)
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent)


def test_a_body_that_comes_in_time_is_read_whole() -> None:
    assert run(ask(whole, [bytes(500)] * 6, pause_s=0.1)) == (200, b"3000 bytes")


def test_a_body_that_stops_is_cut_off() -> None:
    status, said = run(ask(whole, [b"abc"], is_more_said=True))
    assert status == 408
    assert b"nothing came for 0.4 s" in said


def test_a_body_that_drips_is_cut_off() -> None:
    status, said = run(ask(whole, [b"a"] * 90, pause_s=0.02))
    assert status == 408
    assert b"came too slowly" in said


def test_an_answer_that_takes_too_long_is_given_up_and_never_sent() -> None:
    async def slow(request: Request) -> Response:
        await request.body()
        await asyncio.sleep(0.8)
        return PlainTextResponse("at last")

    status, said = run(ask(slow, [b"{}"]))
    assert status == 503
    assert b"longer than 0.5 s" in said
    assert b"at last" not in said


def test_work_at_an_answer_that_is_given_up_ends_and_gives_its_turn_back() -> None:
    """A thread cannot be ended from outside: it asks between two parts of its work."""
    ended: list[float] = []

    def work() -> None:
        try:
            for _ in range(100):
                time.sleep(0.05)
                cancellation.check()
        finally:
            ended.append(time.monotonic())

    async def endless(request: Request) -> Response:
        await run_in_threadpool(work)
        return PlainTextResponse("at last")

    async def one_after_the_other() -> list[int]:
        route = Route("/api/v1/evaluate", endless, methods=["POST"])
        app = Starlette(routes=[route], exception_handlers={ServerBusy: errors.refused})
        bounded = Bounds(app, replace(SHORT, heavy_answer_s=0.3))
        bounded._heavy = Lane(1, wait_s=1)
        asked = [ask(endless, [b"{}"], path="/api/v1/evaluate", bounded=bounded) for _ in range(3)]
        return [status for status, _ in await asyncio.gather(*asked)]

    began = time.monotonic()
    assert run(one_after_the_other()) == [503, 503, 503]
    assert len(ended) == 3  # each had its turn
    assert ended[-1] - began < 3


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_work_for_somebody_who_went_away_ends_and_gives_its_turn_back(method: str) -> None:
    ended = threading.Event()

    def work() -> None:
        try:
            for _ in range(100):
                time.sleep(0.05)
                cancellation.check()
        finally:
            ended.set()

    async def endless(request: Request) -> Response:
        await request.body()
        await run_in_threadpool(work)
        return PlainTextResponse("at last")

    async def go_away() -> float:
        route = Route("/api/v1/advice", endless, methods=["GET", "POST"])
        app = Starlette(routes=[route], exception_handlers={ServerBusy: errors.refused})
        bounded = Bounds(app)
        came = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Message:
            if not came:
                await asyncio.sleep(0.2)
            return came.pop() if came else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            pass

        scope: Scope = {"type": "http", "method": method, "path": "/api/v1/advice", "headers": []}
        began = time.monotonic()
        await bounded(scope | {"query_string": b"", "root_path": ""}, receive, send)
        assert bounded._heavy._n_in == bounded._asking._n_in == {}
        return time.monotonic() - began

    assert run(go_away()) < 2
    assert ended.is_set()


def test_what_was_sent_is_looked_through_as_long_as_it_takes() -> None:
    async def slow(request: Request) -> Response:
        await request.body()
        await asyncio.sleep(0.8)
        return PlainTextResponse("an archive of many gigabytes")

    for way in ("files", "finish"):
        path = f"/api/v1/uploads/{'0' * 32}/{way}"
        assert run(ask(slow, [b"PK"], path=path)) == (200, b"an archive of many gigabytes")


def test_the_time_for_an_answer_begins_when_the_question_is_there() -> None:
    async def slow(request: Request) -> Response:
        await request.body()
        await asyncio.sleep(0.2)
        return PlainTextResponse("done")

    assert run(ask(slow, [bytes(200)] * 3, pause_s=0.25)) == (200, b"done")


def test_a_body_that_drips_keeps_nobody_waiting() -> None:
    """The turn is taken when the question is there, and given back with the first of the answer."""

    async def beside() -> list[tuple[int, bytes]]:
        route = Route("/api/v1/search", whole, methods=["POST"])
        bounded, answered = Bounds(Starlette(routes=[route])), asyncio.Event()
        dripping = [ask(whole, [b"a"] * 7, bounded=bounded, until=answered) for _ in range(50)]
        begun = [asyncio.create_task(each) for each in dripping]
        await asyncio.sleep(0.1)
        answer = await ask(whole, [b"{}"], bounded=bounded)
        answered.set()
        await asyncio.gather(*begun)
        return [answer, *(each.result() for each in begun)]

    assert run(beside()) == [(200, b"2 bytes")] + [(200, b"7 bytes")] * 50


def test_a_turn_that_does_not_come_is_said() -> None:
    async def slow(request: Request) -> Response:
        await request.body()
        await asyncio.sleep(0.3)
        return PlainTextResponse("done")

    async def many() -> list[int]:
        bounded = Bounds(
            Starlette(routes=[Route("/api/v1/evaluate", slow, methods=["POST"])]), SHORT
        )
        asked = [ask(slow, [b"{}"], path="/api/v1/evaluate", bounded=bounded) for _ in range(20)]
        return sorted(status for status, _ in await asyncio.gather(*asked))

    statuses = run(many())
    assert set(statuses) == {200, 503}


@pytest.mark.parametrize(
    ("query", "body"),
    [(b"", b'{"query": "red", "where": "width > 3"}'), (b"wh%65re=1", b"{}"), (b"where=1", b"{}")],
)
def test_conditions_have_a_lane_of_their_own(query: bytes, body: bytes) -> None:
    """However many are at work, whatever asks none is answered."""
    at_work = asyncio.Event()

    async def slow(request: Request) -> Response:
        if b"where" in await request.body() or request.url.query:
            at_work.set()
            await asyncio.sleep(0.4)
        return PlainTextResponse("done")

    async def beside() -> tuple[float, list[int]]:
        route = Route("/api/v1/search", slow, methods=["POST"])
        bounded = Bounds(Starlette(routes=[route]))
        conditions = [
            asyncio.create_task(ask(slow, [body], query=query, bounded=bounded)) for _ in range(9)
        ]
        await at_work.wait()
        began = time.monotonic()
        assert await ask(slow, [b"{}"], bounded=bounded) == (200, b"done")
        seconds = time.monotonic() - began
        assert not all(each.done() for each in conditions)
        return seconds, [status for status, _ in await asyncio.gather(*conditions)]

    seconds, statuses = run(beside())
    assert seconds < 0.3
    assert statuses == [200] * 9


def test_what_takes_a_while_has_a_lane_of_its_own(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    asked = {f"{method.upper()} {path}" for path in paths for method in paths[path]}
    assert {each for each in asked if timeouts.HEAVY.fullmatch(each)} == {
        *(f"GET /api/v1/{name}" for name in ("duplicates", "advice", "runs/compare")),
        *(f"GET /api/v1/{name}" for name in ("export", "embeddings")),
        *(f"POST /api/v1/{name}" for name in ("evaluate", "classifications")),
    }
    assert {path for path in paths if timeouts.FREE.fullmatch(path)} == {"/api/v1/health"}
