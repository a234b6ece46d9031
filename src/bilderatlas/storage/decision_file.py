"""The second form of decisions: `decisions.jsonl` in the collection's folder, one a line.

The table `decisions` is what is asked; the file is what it is restored from. A line is written and
synced after the table's commit, under the lock of `Store.deciding`, so the file never knows more
than a sound table does. What a kill between the two left out is added with the next line. Lines are
numbered and have a checksum each: one that is garbled or missing is found, and spoils no other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from bilderatlas.storage import Store
from bilderatlas.storage.damage import damaged
from bilderatlas.storage.disk import disk_errors

FILE = "decisions.jsonl"
TABLE = "decisions"
LOCK = "decisions.lock"
Row = Mapping[str, Any]  # of the table
_ENDING = ', "checksum": "'
_BLOCK = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file holds: sound rows by number, and what is wrong with the rest."""

    rows: Sequence[Row]
    faults: Sequence[str]


def read(folder: Path) -> Kept:
    """All sound lines of a collection's file; nothing where there is none yet."""
    try:
        lines = (folder / FILE).read_bytes().split(b"\n")
    except FileNotFoundError:
        return Kept((), ())
    except OSError as error:
        return Kept((), (f"{FILE} cannot be read: {error.strerror}",))
    rows, faults = [], []
    for place, line in enumerate(lines[:-1], start=1):
        number, row = _parsed(line)
        if row is None:
            faults.append(f"line {place} of {FILE} is garbled")
        elif number != place:
            faults.append(f"line {place} of {FILE} has number {number}")
        if row is not None:
            rows.append(row)
    if lines[-1]:
        faults.append(f"{FILE} ends within a line")
    return Kept(rows, faults)


def is_whole(folder: Path) -> bool:
    return (folder / FILE).exists() and not read(folder).faults


def n_kept(folder: Path) -> int:
    """The number of the last whole line; 0 where there is none. Raises CollectionDamaged."""
    line, _ = _last_line(folder)
    if not line:
        return 0
    number, row = _parsed(line)
    if row is None:
        raise damaged(folder, FILE, "its last line is garbled")
    return number


def n_known(folder: Path) -> int:
    """How many decisions the table must have at the least; a damaged file says nothing of it."""
    line, _ = _last_line(folder)
    number, row = _parsed(line)
    return 0 if row is None else number


def complete(store: Store) -> None:
    """Add what the table has and the file lacks; to be called while `store.deciding`.

    Raises CollectionDamaged where the file has what the table lacks, or cannot be read.
    """
    n_rows = store.count(TABLE) if store.has(TABLE) else 0
    n_lines = n_kept(store.path)
    if n_lines == n_rows and not _last_line(store.path)[1]:
        return
    kept = read(store.path)
    if [fault for fault in kept.faults if "ends within" not in fault]:
        raise damaged(store.path, FILE, kept.faults[0])
    known = {row["decision"] for row in kept.rows}
    rows = sorted_rows(store.read_later(TABLE).to_pylist())
    if len(rows) < len(known):
        raise damaged(store.path, f"table {TABLE}", f"{len(rows)} rows, {len(known)} were written")
    append(store.path, [row for row in rows if row["decision"] not in known])


def append(folder: Path, rows: Iterable[Row]) -> None:
    """Write rows behind the last whole line; they are on the disk when this returns."""
    with disk_errors(folder), (folder / FILE).open("ab+") as file:
        file.truncate(file.seek(0, os.SEEK_END) - len(_last_line(folder)[1]))
        first = n_kept(folder) + 1
        file.writelines(line_of(number, row) for number, row in enumerate(rows, first))
        file.flush()
        os.fsync(file.fileno())


def write(folder: Path, rows: Iterable[Row]) -> None:
    """Put a new file in the place of the old one."""
    draft = folder / f"{FILE}.new"
    with disk_errors(folder):
        with draft.open("wb") as file:
            file.writelines(line_of(number, row) for number, row in enumerate(rows, 1))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / FILE)


def sorted_rows(rows: Iterable[Row]) -> list[Row]:
    """Oldest first, as `decisions` lists them."""
    return sorted(rows, key=lambda row: (row["when"], row["decision"]))


def line_of(number: int, row: Row) -> bytes:
    """A row as a line that people can read and a program can check."""
    said = {
        "number": number,
        "when": row["when"].isoformat(),
        "who": row["who"],
        "verb": row["verb"],
        "details": json.loads(row["payload"]),
        "image_ids": list(row["image_ids"]),
        "region_ids": list(row["region_ids"]),
        "decision": row["decision"],
    }
    text = _encoded(said)[:-1]
    return text + f'{_ENDING}{_checksum(text)}"}}\n'.encode()


def _encoded(said: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(said, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # halves of characters
        return json.dumps(said).encode()


def _checksum(text: bytes) -> str:
    return blake2b(text, digest_size=8).hexdigest()


def _parsed(line: bytes) -> tuple[int, Row | None]:
    """A line's number and row; None where it is not what was written."""
    text, _, rest = line.rpartition(_ENDING.encode())
    if not text or rest != f'{_checksum(text)}"}}'.encode():
        return 0, None
    said = json.loads(text + b"}")
    row = {
        "decision": said["decision"],
        "verb": said["verb"],
        "image_ids": said["image_ids"],
        "region_ids": said["region_ids"],
        "payload": json.dumps(said["details"]),
        "who": said["who"],
        "when": datetime.fromisoformat(said["when"]),
    }
    return int(said["number"]), row


def _last_line(folder: Path) -> tuple[bytes, bytes]:
    """The last whole line, and what a kill left behind it."""
    try:
        file = (folder / FILE).open("rb")
    except FileNotFoundError:
        return b"", b""
    except OSError as error:
        raise damaged(folder, FILE, error.strerror or str(error)) from error
    with file:
        start = file.seek(0, os.SEEK_END)
        tail = b""
        while start and tail.count(b"\n") < 2:
            step = min(start, max(_BLOCK, len(tail)))  # a line of many images is long
            start = file.seek(start - step)
            tail = file.read(step) + tail
    *whole, rest = tail.split(b"\n")
    return (whole[-1] if whole else b""), rest
