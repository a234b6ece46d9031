"""Turns: how many at once, in which order, and for how long one waits."""

from __future__ import annotations

import asyncio

import pytest

from bilderatlas.errors import ServerBusy
from bilderatlas.server.middleware import fair_queue
from bilderatlas.server.middleware.fair_queue import Lane
from tests.server.running import run


def test_so_many_at_once_and_the_others_wait() -> None:
    async def all_of(n: int) -> int:
        lane, now, most = Lane(2, wait_s=5), 0, 0

        async def one() -> None:
            nonlocal now, most
            await lane.enter("anna")
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.01)
            now -= 1
            lane.leave("anna")

        await asyncio.gather(*(one() for _ in range(n)))
        return most

    assert run(all_of(7)) == 2


def test_everybody_gets_a_turn_whoever_asks_most() -> None:
    async def order(asked: str) -> str:
        lane, served = Lane(1, wait_s=5), []

        async def one(who: str) -> None:
            await lane.enter(who)
            served.append(who)
            await asyncio.sleep(0)
            lane.leave(who)

        await asyncio.gather(*(one(who) for who in asked))
        return "".join(served)

    # the first a is in already when b and c come
    assert run(order("aaaaabc")) == "aabcaaa"


def test_whoever_asks_most_leaves_the_others_a_turn() -> None:
    async def go() -> None:
        lane = Lane(3, wait_s=5, n_each=2)
        anna = [asyncio.create_task(lane.enter("anna")) for _ in range(4)]
        await asyncio.sleep(0)
        await asyncio.wait_for(lane.enter("ben"), 0.05)
        assert sum(each.done() for each in anna) == 2
        lane.leave("ben")  # a turn that is not for anna
        await asyncio.sleep(0)
        assert sum(each.done() for each in anna) == 2
        for n_in in (3, 4):
            lane.leave("anna")
            await asyncio.sleep(0)
            assert sum(each.done() for each in anna) == n_in
        lane.leave("anna")
        lane.leave("anna")
        assert (lane._n_free, lane._n_in, lane._waiting) == (3, {}, {})

    run(go())


def test_a_turn_that_does_not_come_is_refused_and_leaves_no_trace() -> None:
    async def wait() -> bool:
        lane = Lane(1, wait_s=0.05)
        await lane.enter("anna")
        with pytest.raises(ServerBusy, match=r"This waited 0\.05 s"):
            await lane.enter("anna")
        lane.leave("anna")
        await asyncio.wait_for(lane.enter("anna"), 0.01)
        return not lane._waiting

    assert run(wait())


def test_whoever_goes_away_while_waiting_takes_no_turn_along() -> None:
    async def go() -> None:
        lane = Lane(1, wait_s=5)
        await lane.enter("anna")
        waiting = asyncio.create_task(lane.enter("ben"))
        await asyncio.sleep(0)
        lane.leave("anna")  # ben's turn, and at the same moment he is gone
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(lane.enter("cleo"), 0.05)

    run(go())


def test_a_queue_that_is_long_is_not_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_queue, "MAX_WAITING", 2)

    async def join() -> None:
        lane = Lane(1, wait_s=5)
        await lane.enter("anna")
        asked = [asyncio.create_task(lane.enter("anna")) for _ in range(3)]
        asked.append(asyncio.create_task(lane.enter("ben")))
        done, waiting = await asyncio.wait(asked, timeout=0.02)
        assert len(waiting) == 3
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        (refused,) = done
        with pytest.raises(ServerBusy, match="2 of your requests"):
            refused.result()

    run(join())
