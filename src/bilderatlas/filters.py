"""`--where`: a SQL condition on facts and metadata -> the images that fulfil it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from bilderatlas.errors import QueryError

FACTS = ("image_id", "path", "source", "width", "height", "media_type", "taken_at")
READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}
STEPS_BETWEEN_CHECKS, MAX_CHECKS = 1_000_000, 2_000


class FactsTable:
    """Facts and metadata of every place, in SQLite's memory, so that conditions are plain SQL.

    A condition may use the columns of `FACTS` and every metadata column: `price < 20 AND
    category = 'shoes'`, `taken_at >= '2019-01-01'`, `path LIKE '%holiday%'`.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Each row has the keys of `FACTS`, and `metadata` as a JSON object."""
        unpacked = [(row, json.loads(row["metadata"])) for row in rows]
        names = dict.fromkeys(name for _, metadata in unpacked for name in metadata)
        self.columns = {name: name for name in FACTS} | _free_names(names)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        listed = ", ".join(_quoted(name) for name in self.columns)
        marks = ", ".join("?" * len(self.columns))
        self._database.execute(f"CREATE TABLE places ({listed})")
        self._database.executemany(
            f"INSERT INTO places VALUES ({marks})",
            (
                [row[name] for name in FACTS] + [_cell(metadata.get(name)) for name in names]
                for row, metadata in unpacked
            ),
        )
        self._database.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_OK if action in READING else sqlite3.SQLITE_DENY
        )

    def matching(self, where: str) -> set[str]:
        """Ids of the images with a place that fulfils the condition. Raises QueryError."""
        n_checks = 0

        def takes_too_long() -> bool:
            nonlocal n_checks
            n_checks += 1
            return n_checks > MAX_CHECKS

        with self._lock:
            self._database.set_progress_handler(takes_too_long, STEPS_BETWEEN_CHECKS)
            try:
                rows = self._database.execute(f"SELECT image_id FROM places WHERE ({where}\n)")
                return {image_id for (image_id,) in rows}
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise QueryError(
                    f"The condition {where!r} cannot be used: {error}. Write it like "
                    f"\"width > 1000 AND path LIKE '%.png'\". Columns: {', '.join(self.columns)}."
                ) from error


def _free_names(names: Iterable[str]) -> dict[str, str]:
    """Column names for metadata; SQLite's do not differ by case, and facts come first."""
    taken = {name.lower() for name in FACTS}
    free = {}
    for name in names:
        column = name
        while column.lower() in taken:
            column = f"metadata_{column}"
        taken.add(column.lower())
        free[column] = name
    return free


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float)) else json.dumps(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""').replace("\0", "") + '"'
