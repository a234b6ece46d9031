"""Images that somebody chose by hand, on a map for instance: kept under a short id.

The id is made of the images themselves, so that the same ones have the same id and an address that
names it can be shared. A selection is a file of the collection, `selections/ID`: its image ids, 16
bytes each; on a server that writes nothing it is kept in memory. The ones used least lately make
room for new ones.
"""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from bilderatlas.errors import QueryError, SelectionNotFound
from bilderatlas.storage.damage import damaged, reading
from bilderatlas.storage.disk import disk_errors, write_whole

FOLDER = "selections"
MAX_KEPT_BYTES = 256_000_000  # sixteen selections of a million images
MAX_KEPT = 1000
MAX_MEMORY_BYTES = 64_000_000
ID = re.compile("[0-9a-f]{16}")
_N_ID_BYTES = 16  # of an image


class Selections:
    """The selections of one collection. Safe from several threads."""

    def __init__(self, collection: Path, *, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._collection = collection
        self._folder = collection / FOLDER
        self._max_bytes = max_bytes
        self._memory: Memory | None = None
        self._writing = threading.Lock()  # who makes room takes no other's draft away

    def write_nothing(self) -> None:
        """Keep new ones in memory, as long as this process lives."""
        self._memory = self._memory or Memory()

    def keep(self, image_ids: Iterable[str]) -> str:
        """Keep some images (by their ids); the selection's id.

        Raises QueryError for none at all, CollectionNotFound, StoreError.
        """
        content = bytes.fromhex("".join(sorted(set(image_ids))))
        if not content:
            raise QueryError("A selection needs images; there are none.")
        selection = _id_of(content)
        if self._memory:
            self._memory.keep(selection, content)
        else:
            self._write(selection, content)
        return selection

    def read(self, selection: str) -> list[str]:
        """The ids of its images. Raises SelectionNotFound, CollectionDamaged."""
        content = self._content(selection) if ID.fullmatch(selection) else None
        if not content:
            raise SelectionNotFound(
                f"There is no selection {selection[:40]!r}: it was made elsewhere, or has made "
                "room for newer ones. Select the images again."
            )
        ids = content.hex()
        width = 2 * _N_ID_BYTES
        return [ids[start : start + width] for start in range(0, len(ids), width)]

    def _content(self, selection: str) -> bytes | None:
        if self._memory and (kept := self._memory.read(selection)):
            return kept
        file = self._folder / selection
        if not file.exists():
            return None
        with reading(self._collection, f"{FOLDER}/{selection}"):
            content = file.read_bytes()
        if _id_of(content) != selection:
            why = "it does not hold what was written"
            raise damaged(self._collection, f"{FOLDER}/{selection}", why)
        if not self._memory:
            _note_use(file)
        return content

    def _write(self, selection: str, content: bytes) -> None:
        with self._writing, disk_errors(self._collection):
            self._folder.mkdir(exist_ok=True)
            write_whole(self._folder / selection, content)
            _make_room(self._folder, self._max_bytes)


class Memory:
    """Selections that no disk keeps. Safe from several threads."""

    def __init__(self, max_bytes: int = MAX_MEMORY_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()  # the one used last at the end
        self._lock = threading.Lock()

    def keep(self, selection: str, content: bytes) -> None:
        """Keep one; those used least lately make room, but for the newest."""
        with self._lock:
            self._kept[selection] = content
            self._kept.move_to_end(selection)
            while len(self._kept) > 1 and self._is_full():
                self._kept.popitem(last=False)

    def read(self, selection: str) -> bytes | None:
        """What is kept under an id."""
        with self._lock:
            if selection in self._kept:
                self._kept.move_to_end(selection)
            return self._kept.get(selection)

    def _is_full(self) -> bool:
        return len(self._kept) > MAX_KEPT or sum(map(len, self._kept.values())) > self._max_bytes


def _id_of(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()


def _note_use(file: Path) -> None:
    """What was used lately stays; on a disk that cannot be written nothing has to make room."""
    with suppress(OSError):
        os.utime(file)


def _make_room(folder: Path, max_bytes: int) -> None:
    """Remove the selections used least lately, but for the newest."""
    files = []
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # another process makes room too
            files.append((file.stat().st_mtime_ns, file.stat().st_size, file))
    n_bytes = 0
    for number, (_, size, file) in enumerate(sorted(files, reverse=True)):
        n_bytes += size
        if number and (n_bytes > max_bytes or number >= MAX_KEPT):
            file.unlink(missing_ok=True)
