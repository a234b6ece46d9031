"""An answer that nobody waits for any more: whoever works at one for long asks now and then, and
stops. No thread of Python can be ended from outside.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar

from bilderatlas.errors import ServerBusy

_given_up: ContextVar[threading.Event | None] = ContextVar("given_up", default=None)


def begin() -> threading.Event:
    """Begin an answer in this context and the threads that it starts; the event gives it up."""
    event = threading.Event()
    _given_up.set(event)
    return event


def check() -> None:
    """Raise ServerBusy where the answer that is worked at was given up."""
    event = _given_up.get()
    if event is not None and event.is_set():
        raise ServerBusy("Nobody is waiting for this answer any more.")
