"""What was worked out lately, kept while that which it comes from is the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class Cache(Generic[Key, Made]):
    """The n things asked for last. Of several threads one makes a thing, all others go on."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._lock = threading.Lock()
        self._entries: dict[Key, _Entry[Made]] = {}  # those asked for last come last

    def get(self, key: Key, source: object, make: Callable[[], Made]) -> Made:
        """The thing of a key: made anew unless it was made of the same (==) version or catalogue.

        `source` is read before the thing is made: what is newer than it says is made once more.
        """
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is None or entry.source != source:
                entry = _Entry(source)
            self._entries[key] = entry
        try:
            return entry.thing(make)
        finally:
            with self._lock:
                self._drop(key, entry)

    def __iter__(self) -> Iterator[Key]:
        with self._lock:
            return iter(list(self._entries))

    def _drop(self, key: Key, asked: _Entry[Made]) -> None:
        """What could not be made takes the place of nothing; else the oldest make room."""
        if not asked.made and self._entries.get(key) is asked:
            del self._entries[key]
        while len(self._entries) > self._n:
            del self._entries[next(iter(self._entries))]


class _Entry(Generic[Made]):
    """A thing that is made when it is first asked for."""

    def __init__(self, source: object) -> None:
        self.source = source
        self.made: list[Made] = []  # it alone
        self._making = threading.RLock()

    def thing(self, make: Callable[[], Made]) -> Made:
        with self._making:
            if not self.made:
                self.made.append(make())
            return self.made[0]
