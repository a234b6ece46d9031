"""How long a question may come, wait and be answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Scope

from bilderatlas.errors import ServerBusy
from bilderatlas.server import bounds
from bilderatlas.server.bounds import Bounds, Lane, Limits
from bilderatlas.server.problems import refused_by_http

Answer = Callable[[Request], Awaitable[Response]]
SHORT = Limits(answer_s=0.5, wait_s=0.1, silence_s=0.4, body_bytes_per_s=1000)


async def whole(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())} bytes")


async def ask(
    answer: Answer, pieces: list[bytes], *, pause_s: float = 0, is_more_said: bool = False
) -> tuple[int, bytes]:
    """Send a body in pieces with a pause before each; the answer's status and body."""
    app = Starlette(
        routes=[Route("/api/v1/search", answer, methods=["POST"])],
        exception_handlers={HTTPException: refused_by_http},
    )
    left, sent = list(pieces), []

    async def receive() -> Message:
        await asyncio.sleep(pause_s if left else 60)
        return {
            "type": "http.request",
            "body": left.pop(0),
            "more_body": bool(left) or is_more_said,
        }

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": "/api/v1/search", "headers": []}
    scope |= {"query_string": b"", "root_path": "", "server": ("127.0.0.1", 80), "scheme": "http"}
    await Bounds(app, SHORT)(scope, receive, send)
    await asyncio.sleep(0.02)
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent)


def test_a_body_that_comes_in_time_is_read_whole() -> None:
    assert asyncio.run(ask(whole, [bytes(500)] * 6, pause_s=0.1)) == (200, b"3000 bytes")


def test_a_body_that_stops_is_cut_off() -> None:
    status, said = asyncio.run(ask(whole, [b"abc"], is_more_said=True))
    assert status == 408
    assert b"nothing came for 0.4 s" in said


def test_a_body_that_drips_is_cut_off() -> None:
    status, said = asyncio.run(ask(whole, [b"a"] * 90, pause_s=0.02))
    assert status == 408
    assert b"came too slowly" in said


def test_an_answer_that_takes_too_long_is_given_up_and_never_sent() -> None:
    async def slow(request: Request) -> Response:
        await request.body()
        await asyncio.sleep(0.8)
        return PlainTextResponse("at last")

    status, said = asyncio.run(ask(slow, [b"{}"]))
    assert status == 503
    assert b"longer than 0.5 s" in said
    assert b"at last" not in said


def test_the_time_for_an_answer_begins_when_the_question_is_there() -> None:
    async def slow(request: Request) -> Response:
        await request.body()
        await asyncio.sleep(0.2)
        return PlainTextResponse("done")

    assert asyncio.run(ask(slow, [bytes(200)] * 3, pause_s=0.25)) == (200, b"done")


def test_so_many_questions_at_once_and_the_others_wait_their_turn() -> None:
    async def all_of(n: int) -> int:
        lane, now, most = Lane(2, wait_s=5), 0, 0

        async def one() -> None:
            nonlocal now, most
            await lane.enter()
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.01)
            now -= 1
            lane.leave()

        await asyncio.gather(*(one() for _ in range(n)))
        return most

    assert asyncio.run(all_of(7)) == 2


def test_a_turn_that_does_not_come_is_refused() -> None:
    async def wait() -> None:
        lane = Lane(1, wait_s=0.05)
        await lane.enter()
        await lane.enter()

    with pytest.raises(ServerBusy, match=r"no turn for this in 0\.05 s"):
        asyncio.run(wait())


def test_a_queue_that_is_long_is_not_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_WAITING", 0)

    async def join() -> None:
        await Lane(1, wait_s=5).enter()

    with pytest.raises(ServerBusy, match="0 questions wait"):
        asyncio.run(join())
