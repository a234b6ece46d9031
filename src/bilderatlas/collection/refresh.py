"""Reading what other processes write beside the questions, so that nobody who asks waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import VersionGone

LOOK_EVERY_S = 0.25  # a look takes a millisecond for each space
logger = logging.getLogger(__name__)


@contextmanager
def refresh_beside(
    spaces: Callable[[], Sequence[OpenSpace]], on_end: Callable[[], None]
) -> Iterator[None]:
    """Meanwhile, a thread reads the newest versions of the spaces that were asked.

    `on_end` is told when it no longer does, for whatever reason.
    """
    ended = threading.Event()
    given = (spaces, ended, on_end)
    thread = threading.Thread(target=_refresh_all, args=given, name="refresh", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _refresh_all(
    spaces: Callable[[], Sequence[OpenSpace]], ended: threading.Event, on_end: Callable[[], None]
) -> None:
    pause_s = LOOK_EVERY_S
    try:
        while not ended.wait(pause_s):
            started = time.monotonic()
            for space in spaces():
                _refresh(space)
            pause_s = max(LOOK_EVERY_S, time.monotonic() - started)  # half of a core at most
    finally:  # else spaces that count on being kept up would miss what others write
        on_end()


def _refresh(space: OpenSpace) -> None:
    try:
        space.refresh()
    except VersionGone:
        # A writer was faster than the reading; the next look reads the newest.
        logger.debug("A version of %s was removed while it was read.", space.about.space)
    except OSError as error:  # a StoreError is one; the version at hand answers until it works
        logger.warning("What is new in space %s cannot be read: %s", space.about.space, error)
