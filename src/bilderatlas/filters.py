"""`--where`: a SQL condition on facts and metadata -> the images that fulfil it."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bilderatlas.errors import QueryError

FACTS = {
    "image_id": "TEXT",
    "path": "TEXT",
    "source": "TEXT",
    "width": "NUMERIC",
    "height": "NUMERIC",
    "media_type": "TEXT",
    "taken_at": "TEXT",
}
FUNCTIONS = frozenset(  # others reach files, or take the memory
    (
        *("like", "glob", "lower", "upper", "length", "substr", "substring", "instr", "replace"),
        *("trim", "ltrim", "rtrim", "abs", "round", "min", "max", "sum", "total", "avg", "count"),
        *("coalesce", "ifnull", "nullif", "iif", "typeof", "date", "time", "datetime"),
        *("julianday", "strftime", "unixepoch", "json_extract", "json_array_length", "->", "->>"),
    )
)
TIMEOUT_S, STEPS_BETWEEN_CHECKS = 10.0, 100_000
NO_FACETS = ("image_id", "path")  # every image has another
MAX_FACETS, MAX_FACET_VALUES = 24, 12
MAX_VALUE_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a column, and in how many places it stands."""

    value: str | int | float
    n_places: int


@dataclass(frozen=True, slots=True)
class Facet:
    """A column of facts or metadata that images can be chosen by."""

    column: str  # as a condition names it
    is_number: bool
    n_values: int  # different ones
    low: str | int | float  # the least and the greatest value
    high: str | int | float
    values: tuple[FacetValue, ...]  # the most frequent; none where hardly any comes twice


class FactsTable:
    """Facts and metadata of every place, in SQLite's memory, so that conditions are plain SQL.

    A condition may use the columns of `FACTS` and every metadata column: `price < 20 AND
    category = 'shoes'`, `taken_at >= '2019-01-01'`, `path LIKE '%holiday%'`. A column is of
    numbers where all its values are, else of text; SQLite reads the other side of a comparison
    to match, so that `code = 12` and `code = '12'` find the same.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Each row has the keys of `FACTS`, and `metadata` as a JSON object.

        Raises QueryError where there are more columns than SQLite takes.
        """
        unpacked = [(row, json.loads(row["metadata"])) for row in rows]
        kinds = _kinds(metadata for _, metadata in unpacked)
        self.columns = [*FACTS, *free_names(kinds, FACTS)]
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._create([*FACTS.values(), *kinds.values()])
        marks = ", ".join("?" * len(self.columns))
        self._database.executemany(
            f"INSERT INTO places VALUES ({marks})",
            (
                [row[name] for name in FACTS] + [_cell(metadata.get(name)) for name in kinds]
                for row, metadata in unpacked
            ),
        )
        self._database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        self._database.set_authorizer(_may)

    def facets(self) -> list[Facet]:
        """The columns that images can be chosen by, each with its most frequent values."""
        with self._lock:
            self._database.set_progress_handler(None, 0)
            found = [self._facet(name) for name in self.columns if name not in NO_FACETS]
        return [facet for facet in found if facet and facet.n_values > 1][:MAX_FACETS]

    def _facet(self, column: str) -> Facet | None:
        name = _quoted(column)
        n_values, n_places, n_numbers, low, high = self._database.execute(
            f"SELECT count(DISTINCT {name}), count({name}), "
            f"sum(typeof({name}) IN ('integer', 'real')), min({name}), max({name}) FROM places"
        ).fetchone()
        if not n_places:
            return None
        values = (
            self._most_frequent(name) if n_values <= max(n_places / 2, MAX_FACET_VALUES) else ()
        )
        return Facet(column, n_numbers == n_places, n_values, low, high, tuple(values))

    def _most_frequent(self, name: str) -> list[FacetValue]:
        rows = self._database.execute(
            f"SELECT {name}, count(*) FROM places WHERE {name} IS NOT NULL GROUP BY {name} "
            f"ORDER BY count(*) DESC, {name} LIMIT {MAX_FACET_VALUES}"
        )
        return [FacetValue(value, n) for value, n in rows]

    def _create(self, kinds: Sequence[str]) -> None:
        most = self._database.getlimit(sqlite3.SQLITE_LIMIT_COLUMN)
        if len(kinds) > most:
            raise QueryError(
                f"The collection has {len(kinds) - len(FACTS):,} metadata columns; conditions "
                f"work with up to {most - len(FACTS):,}. Index a table with fewer."
            )
        listed = zip(self.columns, kinds, strict=True)
        columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in listed)
        self._database.execute(f"CREATE TABLE places ({columns})")

    def matching(self, where: str, *, timeout_s: float = TIMEOUT_S) -> set[str]:
        """Ids of the images with a place that fulfils the condition. Raises QueryError."""
        deadline = time.monotonic() + timeout_s
        with self._lock:
            self._database.set_progress_handler(
                lambda: time.monotonic() > deadline, STEPS_BETWEEN_CHECKS
            )
            try:
                rows = self._database.execute(f"SELECT image_id FROM places WHERE ({where}\n)")
                return {name for (name,) in rows if isinstance(name, str)}
            except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
                too_long = time.monotonic() > deadline
                reason = f"it takes longer than {timeout_s:g} s" if too_long else error
                raise QueryError(
                    f"The condition {where!r} cannot be used: {reason}. Write it like "
                    f"\"width > 1000 AND path LIKE '%.png'\". Columns: {', '.join(self.columns)}."
                ) from error


def _may(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Whether a condition may do what SQLite asks for: read the facts, and nothing else."""
    may = (
        action == sqlite3.SQLITE_SELECT
        or (action == sqlite3.SQLITE_READ and first == "places")
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS)
    )
    return sqlite3.SQLITE_OK if may else sqlite3.SQLITE_DENY


def _kinds(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The type of every metadata column, as SQLite calls it."""
    kinds: dict[str, str] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None and not isinstance(value, (int, float)):
                kinds[name] = "TEXT"
            else:
                kinds.setdefault(name, "NUMERIC")
    return kinds


def equals(column: str, value: str) -> str:
    """The condition that a column has a value."""
    return f"{_quoted(column)} = {_text(value)}"


def between(column: str, low: float | None, high: float | None) -> str:
    """The condition that a column of numbers lies in low..high; None: it is open there."""
    name = _quoted(column)
    return " AND ".join(
        [
            *([] if low is None else [f"{name} >= {low!r}"]),
            *([] if high is None else [f"{name} <= {high!r}"]),
        ]
    )


def during(column: str, first: str | None, last: str | None) -> str:
    """The condition that a column of dates lies in first..last: 1954 to 1955-06 is with that June.

    A date may be cut short as it is written: "1954", "1954-06", "1954-06-30". None: it is open.
    """
    name = _quoted(column)
    until = f"substr({name}, 1, {len(last or '')}) <= {_text(last or '')}"
    return " AND ".join(
        [
            *([] if first is None else [f"{name} >= {_text(first)}"]),
            *([] if last is None else [until]),
        ]
    )


def free_names(names: Iterable[str], facts: Iterable[str]) -> list[str]:
    """Column names for metadata beside facts; SQLite's do not differ by case."""
    taken, free = {fact.lower() for fact in facts}, []
    for name in names:
        column = name.replace("\0", "")
        while column.lower() in taken:
            column = f"metadata_{column}"
        taken.add(column.lower())
        free.append(column)
    return free


def _cell(value: Any) -> Any:
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return float(value)  # SQLite's integers have 64 bits
    return value if value is None or isinstance(value, (str, int, float)) else json.dumps(value)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''").replace("\0", "") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
