"""`--where`: a SQL condition on facts and metadata -> the images that fulfil it."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bilderatlas import characters
from bilderatlas.errors import QueryError, ServerBusy, StoreError
from bilderatlas.storage import where_process

logger = logging.getLogger(__name__)

FACTS = {
    "image_id": "TEXT",
    "path": "TEXT",
    "source": "TEXT",
    "width": "NUMERIC",
    "height": "NUMERIC",
    "media_type": "TEXT",
    "taken_at": "TEXT",
}
TIMEOUT_S = 10.0
NO_FACETS = ("image_id", "path")  # every image has another
MAX_FACETS, MAX_FACET_VALUES = 24, 12
ROWS_AT_ONCE = 20_000  # made Python objects of
LONGEST_SHOWN = 200  # characters of a refused condition


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
    """Facts and metadata of every place as a table of SQLite, so that conditions are plain SQL.

    A condition may use the columns of `FACTS` and every metadata column: `price < 20 AND
    category = 'shoes'`, `taken_at >= '2019-01-01'`, `path LIKE '%holiday%'`. A column is of
    numbers where all its values are, else of text; SQLite reads the other side of a comparison
    to match, so that `code = 12` and `code = '12'` find the same.

    The table is a file of its own, which goes with this object: each condition is asked of it in
    a process that is ended when its time is up (`condition`).
    """

    def __init__(self, places: pa.Table, kinds: Mapping[str, str]) -> None:
        """`places` (P,) have the columns of `FACTS`, and `metadata` as JSON objects whose columns
        are of these `kinds`.

        Raises QueryError where there are more columns than SQLite takes, and StoreError where the
        disk of temporary files does not take the table.
        """
        self.columns = [*FACTS, *free_names(kinds, FACTS)]
        (self._number,) = free_names(["number"], self.columns)
        self._n_places = len(places)
        self._counting = threading.Lock()
        self._facets: list[Facet] | None = None
        try:
            self._file = self._made_file()
            self._fill(places, kinds)
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreError(
                f"The facts of {len(places):,} places cannot be kept in {tempfile.gettempdir()} "
                f"for conditions: {error}. Make room there, or name another folder in TMPDIR."
            ) from error

    def _made_file(self) -> Path:
        folder = tempfile.mkdtemp(prefix="bilderatlas-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder) / "facts.sqlite"

    def _fill(self, places: pa.Table, kinds: Mapping[str, str]) -> None:
        typed = zip(self.columns, [*FACTS.values(), *kinds.values()], strict=True)
        columns = [f"{_quoted(self._number)} INTEGER PRIMARY KEY"]
        columns += [f"{_quoted(name)} {kind}" for name, kind in typed]
        with closing(sqlite3.connect(self._file)) as database:
            _check_number(len(kinds), database.getlimit(sqlite3.SQLITE_LIMIT_COLUMN))
            database.execute("PRAGMA journal_mode = OFF")  # a file that is not whole is never read
            database.execute("PRAGMA synchronous = OFF")
            database.execute(f"CREATE TABLE places ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            with database:
                database.executemany(f"INSERT INTO places VALUES ({marks})", _rows(places, kinds))

    def facets(self) -> list[Facet]:
        """The columns that images can be chosen by, each with its most frequent values."""
        with self._counting:
            if self._facets is None:
                self._facets = self._counted()
            return self._facets

    def _counted(self) -> list[Facet]:
        with closing(sqlite3.connect(self._uri, uri=True)) as database:
            found = (_facet(database, name) for name in self.columns if name not in NO_FACETS)
            telling = (facet for facet in found if facet and facet.n_values > 1)
            return list(islice(telling, MAX_FACETS))

    @property
    def _uri(self) -> str:
        return f"{self._file.as_uri()}?mode=ro&immutable=1"

    def matching(self, where: str, *, timeout_s: float = TIMEOUT_S) -> NDArray[np.bool_]:
        """(P,) which places fulfil a condition. Raises QueryError, ServerBusy."""
        characters.check(where, "The condition")
        sql = f"SELECT {_quoted(self._number)} FROM places WHERE ({where}\n)"
        asked = [self._uri, str(self._n_places), str(timeout_s + 1)]
        answer = _answered(asked, sql, timeout_s)
        if answer.returncode:
            raise self._refusal(where, _reason(answer, timeout_s))
        return np.frombuffer(answer.stdout, np.bool_)

    def _refusal(self, where: str, reason: str) -> QueryError:
        shown = where[:LONGEST_SHOWN] + "..." * (len(where) > LONGEST_SHOWN)
        return QueryError(
            f'The condition {shown!r} cannot be used: {reason}. Write it like "width > 1000 AND '
            f"path LIKE '%.png'\". Columns: {', '.join(self.columns)}."
        )


def _check_number(n_metadata: int, most: int) -> None:
    own = 1 + len(FACTS)
    if n_metadata > most - own:
        raise QueryError(
            f"The collection has {n_metadata:,} metadata columns; conditions work with up to "
            f"{most - own:,}. Index a table with fewer."
        )


def _answered(
    asked: Sequence[str], sql: str, timeout_s: float
) -> subprocess.CompletedProcess[bytes]:
    """What the process of a condition said; it is no more when this returns."""
    command = [sys.executable, "-I", "-S", where_process.__file__, *asked]
    try:
        return subprocess.run(
            command, input=sql.encode("utf-8"), capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, where_process.TOO_LONG)
    except OSError as error:
        raise ServerBusy(f"No process can be started for the condition: {error}.") from error


def _reason(answer: subprocess.CompletedProcess[bytes], timeout_s: float) -> str:
    """Why the process of a condition has no answer."""
    if answer.returncode == where_process.REFUSED:
        return str(answer.stderr, "utf-8")
    if answer.returncode == where_process.TOO_LONG:
        return f"it takes longer than {timeout_s:g} s"
    logger.warning("The process of a condition broke down: %s", answer.stderr)
    return f"SQLite crashed on it (exit status {answer.returncode})"


def _facet(database: sqlite3.Connection, column: str) -> Facet | None:
    name = _quoted(column)
    n_values, n_places, n_numbers, low, high = database.execute(
        f"SELECT count(DISTINCT {name}), count({name}), "
        f"sum(typeof({name}) IN ('integer', 'real')), min({name}), max({name}) FROM places"
    ).fetchone()
    if not n_places:
        return None
    has_frequent = n_values <= max(n_places / 2, MAX_FACET_VALUES)
    values = _most_frequent(database, name) if has_frequent else ()
    return Facet(column, n_numbers == n_places, n_values, low, high, tuple(values))


def _most_frequent(database: sqlite3.Connection, name: str) -> list[FacetValue]:
    rows = database.execute(
        f"SELECT {name}, count(*) FROM places WHERE {name} IS NOT NULL GROUP BY {name} "
        f"ORDER BY count(*) DESC, {name} LIMIT {MAX_FACET_VALUES}"
    )
    return [FacetValue(value, n) for value, n in rows]


def _rows(places: pa.Table, kinds: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of the table; Python objects are made of a batch at a time."""
    names, number = list(kinds), 0
    for batch in places.to_batches(max_chunksize=ROWS_AT_ONCE):
        facts = zip(*(batch[name].to_pylist() for name in FACTS), strict=True)
        for its_facts, text in zip(facts, batch["metadata"].to_pylist(), strict=True):
            metadata = json.loads(text)
            yield (number, *its_facts, *(_cell(metadata.get(name)) for name in names))
            number += 1


def kinds_of(metadata: pa.ChunkedArray) -> dict[str, str]:
    """The type of every metadata column, as SQLite calls it; `metadata` (P,) are JSON objects."""
    kinds: dict[str, str] = {}
    for batch in metadata.filter(pc.not_equal(metadata, "{}")).chunks:
        for start in range(0, len(batch), ROWS_AT_ONCE):
            for text in batch.slice(start, ROWS_AT_ONCE).to_pylist():
                _add_kinds(kinds, json.loads(text))
    return kinds


def _add_kinds(kinds: dict[str, str], row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        if value is not None and not isinstance(value, (int, float)):
            kinds[name] = "TEXT"
        else:
            kinds.setdefault(name, "NUMERIC")


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
