"""The process of one condition: it reads SQL on its standard input, and says on its standard output
which rows fulfil it, a byte for each.

    python condition.py URI_OF_THE_DATABASE NUMBER_OF_ROWS SECONDS < SQL > ROWS

SQLite asks nobody while it is inside one call of a function, and such a call may take hours. So a
condition has a process of its own, which can be ended whatever it does, and whose memory is
bounded. Only Python's own library is imported: it is there within 30 ms.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading

FUNCTIONS = frozenset(  # others reach files
    (
        *("like", "glob", "lower", "upper", "length", "substr", "substring", "instr", "replace"),
        *("trim", "ltrim", "rtrim", "abs", "round", "min", "max", "sum", "total", "avg", "count"),
        *("coalesce", "ifnull", "nullif", "iif", "typeof", "date", "time", "datetime"),
        *("julianday", "strftime", "unixepoch", "json_extract", "json_array_length", "->", "->>"),
    )
)
MAX_MEMORY_BYTES = 400_000_000  # of SQLite, what it sorts and collects included
MAX_VALUE_BYTES = 100_000_000
MAPPED_BYTES = 1 << 36  # of the file: read where it lies
NICENESS = 5  # people who look at pages go first
REFUSED, TOO_LONG = 3, 4  # exit statuses that Python itself has not


def main() -> None:
    """Answer one condition."""
    uri, n_rows, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    end = threading.Timer(seconds, os._exit, [TOO_LONG])  # whoever asked may be gone
    end.daemon = True
    end.start()
    os.nice(NICENESS) if hasattr(os, "nice") else None
    try:
        found = matching(_opened(uri), sys.stdin.buffer.read().decode("utf-8"), n_rows)
    except MemoryError:
        _refuse(f"it takes more than {MAX_MEMORY_BYTES / 1e6:g} MB of memory")
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        _refuse(str(error))
    else:
        sys.stdout.buffer.write(found)


def matching(database: sqlite3.Connection, sql: str, n_rows: int) -> bytearray:
    """A byte for each row, 1 where its number is among the answers."""
    found = bytearray(n_rows)
    for (row,) in database.execute(sql):
        if isinstance(row, int) and 0 <= row < n_rows:
            found[row] = 1
    return found


def _opened(uri: str) -> sqlite3.Connection:
    database = sqlite3.connect(uri, uri=True)
    database.execute(f"PRAGMA hard_heap_limit = {MAX_MEMORY_BYTES}")
    database.execute("PRAGMA temp_store = MEMORY")  # so that the limit holds for all of it
    database.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    database.set_authorizer(_may)
    return database


def _may(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Whether a condition may do what SQLite asks for: read the facts, and nothing else."""
    may = (
        action == sqlite3.SQLITE_SELECT
        or (action == sqlite3.SQLITE_READ and first == "places")
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS)
    )
    return sqlite3.SQLITE_OK if may else sqlite3.SQLITE_DENY


def _refuse(reason: str) -> None:
    sys.stderr.buffer.write(reason.encode("utf-8", "replace"))
    sys.exit(REFUSED)


if __name__ == "__main__":
    main()
