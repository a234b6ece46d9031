"""Embeddings of a table in memory. Of the next version only what was added is read."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bilderatlas.arrays import Embeddings
from bilderatlas.storage import fragments
from bilderatlas.storage.fragments import Fragment

LEAST_ROOM = 1_000  # rows; room that is never filled takes no memory


@dataclass(frozen=True, slots=True)
class Vectors:
    """One column of one version of a table, in the order of the table."""

    rows: Embeddings  # (N, D)
    fragments: tuple[Fragment, ...]
    room: _Room  # where the rows lie

    def blocks(self) -> dict[Fragment, Embeddings]:
        """The rows of each fragment."""
        starts = np.cumsum([0, *(fragment.n_rows for fragment in self.fragments)])
        return {
            fragment: self.rows[start : start + fragment.n_rows]
            for fragment, start in zip(self.fragments, starts[:-1].tolist(), strict=True)
        }


class _Room:
    """An array with room behind its rows, so that adding to them copies nothing."""

    def __init__(self, n: int, dim: int) -> None:
        self.array = np.empty((n + max(n // 8, LEAST_ROOM), dim), dtype=np.float32)
        self._n_used = n
        self._lock = threading.Lock()

    def add(self, behind: int, rows: Embeddings) -> bool:
        """Put rows behind the first so many, unless others are there or the room ends."""
        stop = behind + len(rows)
        with self._lock:
            if behind != self._n_used or stop > len(self.array):
                return False
            self._n_used = stop
        self.array[behind:stop] = rows
        return True


def read(dataset: Any, column: str, before: Vectors | None = None) -> Vectors:
    """All rows of a column (N, D); those that `before` has from the same fragments are not read."""
    of_table = fragments.of(dataset)
    known = before.blocks() if before else {}
    n_rows = sum(name.n_rows for name in of_table)
    n_known = sum(name.n_rows for name in of_table if name in known)
    dim = dataset.schema.field(column).type.list_size
    if before is None or 2 * n_known < n_rows:
        room = _Room(n_rows, dim)
        _fill(room.array, dataset, column)
        return Vectors(room.array[:n_rows], tuple(of_table), room)
    blocks = [
        known[name] if name in known else _read_fragment(fragment, column, name.n_rows, dim)
        for name, fragment in of_table.items()
    ]
    room = _extended(before, blocks) or _copied(blocks, n_rows, dim)
    return Vectors(room.array[:n_rows], tuple(of_table), room)


def _read_fragment(fragment: Any, column: str, n_rows: int, dim: int) -> Embeddings:
    rows = np.empty((n_rows, dim), dtype=np.float32)
    _fill(rows, fragment, column)
    return rows


def _fill(rows: Embeddings, source: Any, column: str) -> None:
    """Read a column of a table, or of a fragment, into the first rows of an array."""
    start = 0
    for batch in source.to_batches(columns=[column]):
        stop = start + batch.num_rows
        rows[start:stop] = batch.column(0).flatten().to_numpy().reshape(-1, rows.shape[1])
        start = stop


def _extended(before: Vectors, blocks: Sequence[Embeddings]) -> _Room | None:
    """The room of `before`, with what came behind its rows; None where they are others now.

    Joining fragments leaves rows as they were, so those of a new fragment are compared.
    """
    start, n_before, added = 0, len(before.rows), [before.rows[:0]]
    for block in blocks:
        there = before.rows[start : start + len(block)]
        is_there = np.shares_memory(block[:1], there[:1])
        if not is_there and not np.array_equal(block[: len(there)], there):
            return None
        added.append(block[len(there) :])
        start += len(block)
    new = np.concatenate(added)
    return before.room if not len(new) or before.room.add(n_before, new) else None


def _copied(blocks: Sequence[Embeddings], n_rows: int, dim: int) -> _Room:
    room = _Room(n_rows, dim)
    np.concatenate([np.empty((0, dim), np.float32), *blocks], out=room.array[:n_rows])
    return room
