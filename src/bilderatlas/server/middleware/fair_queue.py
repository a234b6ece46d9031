"""Turns: so many questions of one weight at once, and everybody who asks gets theirs in turn."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque

from bilderatlas.errors import ServerBusy

MAX_WAITING = 200  # questions of one person in one lane: a page has many pictures


class Lane:
    """Lets `n_at_once` in. Whoever asks a hundred questions keeps nobody with one waiting."""

    def __init__(self, n_at_once: int, wait_s: float, *, n_each: int | None = None) -> None:
        """`n_each`: of one person at once; all turns where it is not given."""
        self._n_free = n_at_once
        self._n_each = n_each or n_at_once
        self._wait_s = wait_s
        self._n_in: Counter[str] = Counter()  # by who
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()  # by who

    async def enter(self, who: str) -> None:
        """Wait for a turn of `who`. Raises ServerBusy where it does not come, or many wait."""
        if self._may(who):  # then nobody waits who might go first
            self._let_in(who)
            return
        queue = self._waiting.setdefault(who, deque())
        if len(queue) >= MAX_WAITING:
            raise ServerBusy(f"{MAX_WAITING} of your requests are waiting already. Try again soon.")
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        is_in = False
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
            is_in = True
        except TimeoutError:
            raise ServerBusy(
                f"This waited {self._wait_s:g} s for its turn in vain. Try again soon."
            ) from None
        finally:
            if not is_in:
                self._give_up(who, turn)

    def leave(self, who: str) -> None:
        """Let the next one in: the oldest question of whoever has waited longest for a turn."""
        self._n_free += 1
        self._n_in[who] -= 1
        if not self._n_in[who]:
            del self._n_in[who]
        while (next_one := next(filter(self._may, self._waiting), None)) is not None:
            self._let_next_in(next_one)

    def _let_next_in(self, who: str) -> None:
        queue = self._waiting.pop(who)
        turn = queue.popleft()
        if queue:
            self._waiting[who] = queue  # behind the others
        if not turn.done():
            turn.set_result(None)
            self._let_in(who)

    def _may(self, who: str) -> bool:
        return self._n_free > 0 and self._n_in[who] < self._n_each

    def _let_in(self, who: str) -> None:
        self._n_free -= 1
        self._n_in[who] += 1

    def _give_up(self, who: str, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():  # it came at the last moment
            self.leave(who)
            return
        queue = self._waiting.get(who, deque())
        if turn in queue:
            queue.remove(turn)
        if not queue:
            self._waiting.pop(who, None)
