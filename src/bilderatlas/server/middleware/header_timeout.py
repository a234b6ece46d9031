"""HTTP/1.1 as uvicorn speaks it, but nobody may take for ever to say what they ask."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_TIMEOUT_S = 15.0  # for a request's first line and headers, from its first byte
READ_TIMEOUT_S = 180.0  # in which something of a long answer is read, over the slowest line too


class Patience(H11Protocol):
    """Closes a connection on which no whole request comes ("slow loris"), or no answer is read.

    The time between two requests is uvicorn's own matter, a request's body that of `bounds`.
    """

    _waiting: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there, and should say something soon."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Bytes came: a whole head, or a part; or more of a body whose answer was given."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE:
            self._wait()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._stop_waiting()
        self._stop_looking()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """More waits to be read than is kept for one."""
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        """Most of it was read."""
        super().resume_writing()
        self._stop_looking()

    def _look_later(self) -> None:
        n_unread = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(READ_TIMEOUT_S, self._look, n_unread)

    def _look(self, n_before: int) -> None:
        if self.transport.get_write_buffer_size() < n_before:
            self._look_later()
        else:
            self.transport.abort()  # closing would wait until it is read

    def _stop_looking(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
