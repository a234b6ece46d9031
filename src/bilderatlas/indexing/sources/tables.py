"""A CSV or Parquet table with a column of paths or URLs; its other columns become metadata."""

from __future__ import annotations

import csv
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.indexing.images import looks_like_picture
from bilderatlas.indexing.sources import (
    Headers,
    ImageRecord,
    Other,
    absolute,
    http,
    path_of,
    read_file,
    refuse,
    unreadable,
    uri_of,
    with_own_uris,
)
from bilderatlas.indexing.sources.exclude import has_picture_suffix
from bilderatlas.indexing.sources.named_files import NamedFiles

DELIMITED = {".csv": ",", ".tsv": "\t"}
PARQUET = {".parquet", ".pq"}
USUAL_COLUMNS = (
    "image", "image_path", "imagepath", "path", "file", "filename", "file_name", "image_url",
    "imageurl", "url", "uri", "src", "link",
)  # fmt: skip

ROWS_AT_ONCE = 16  # of Parquet; each may hold a picture
INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
WEB = ("http://", "https://")
QUOTED = re.compile(r'"[^"]*"?')
SEP = re.compile(r'"?sep=([,;|\t:~^])"?\r?\n', re.IGNORECASE)  # a first line for Excel
DECIMAL = re.compile(r"-?(0|[1-9]\d*)\.\d+([eE][-+]?\d{1,2})?")

Row = Mapping[str, Any]


def is_table(path: Path) -> bool:
    """Whether a file is a table by its suffix."""
    return path.is_file() and path.suffix.lower() in DELIMITED.keys() | PARQUET


class Table:
    """One record a row. Relative paths start at the table's own folder.

    `column` names the paths or URLs (guessed where it is obvious), `id_column` the rows' own
    ids, kept as metadata `id`. A Parquet column of embedded pictures (`{"bytes": ..., "path":
    ...}`, as Hugging Face datasets have) is read too.
    """

    is_whole = True

    def __init__(
        self,
        path: Path,
        *,
        column: str | None = None,
        id_column: str | None = None,
        headers: Headers | None = None,
    ) -> None:
        self.path = path
        self.name = uri_of(path)
        self.others: list[Other] = []  # every row is to be a picture
        self._headers = headers
        self._find = NamedFiles(path.parent).find
        self._is_parquet = path.suffix.lower() in PARQUET
        columns, first = self._columns_and_first_row()
        self.id_column = _existing(id_column, columns, path) if id_column else None
        self.column = _existing(column, columns, path) if column else _guess(columns, first, path)

    def count(self) -> int | None:
        if self._is_parquet:
            import pyarrow.parquet as pq

            return int(pq.read_metadata(self.path).num_rows)
        with self.path.open("rb") as file:
            n_heads = 1 + bool(SEP.match(file.readline().decode("utf-8-sig", "replace")))
            return max(0, 1 + sum(1 for _ in file) - n_heads)

    def records(self) -> Iterator[ImageRecord]:
        """One for every row; another row for the same picture keeps its own metadata."""
        return with_own_uris(self._record(row, n) for n, row in enumerate(read_rows(self.path)))

    def _record(self, row: Row, position: int) -> ImageRecord:
        metadata = {k: self._typed(v) for k, v in row.items() if k != self.column}
        if self.id_column:
            if "id" in metadata and self.id_column != "id":
                metadata["table_id"] = metadata["id"]  # its own column of that name
            metadata["id"] = self._typed(row.get(self.id_column))
        here = partial(ImageRecord, source=self.name, position=position, metadata=metadata)
        content, text = _content_and_path(row.get(self.column))
        if content:
            uri = f"{self.name}!/{text or position}"
            return here(uri, size=len(content), mtime=None, read=[content].pop)
        if not text:
            reason = f"row {position + 1} has nothing in column {self.column!r}"
            return unreadable(f"{self.name}!/{position}", self.name, position, reason)
        if text.lower().startswith(WEB):
            read = partial(http.fetch, text, headers=self._headers)
            return here(text, size=None, mtime=None, read=read)
        return self._file_record(text, here)

    def _file_record(self, text: str, here: partial[ImageRecord]) -> ImageRecord:
        path = absolute(self.path.parent / path_of(text))
        try:
            path = self._find(text)
            facts = path.stat()
        except (ImageProblem, OSError) as problem:
            read = partial(refuse, str(problem))
            return here(uri_of(path), size=None, mtime=None, read=read)
        return here(
            uri_of(path), size=facts.st_size, mtime=facts.st_mtime, read=partial(read_file, path)
        )

    def _typed(self, value: Any) -> Any:
        return plain(value) if self._is_parquet else _number_or_text(value)

    def _columns_and_first_row(self) -> tuple[list[str], Row]:
        rows = read_rows(self.path)
        first = next(rows, None)
        if first is None:
            raise SourceError(f"Table {self.path} has no rows.")
        return [str(name) for name in first], first


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a CSV, TSV or Parquet file; the cells of the first two are text.

    Raises SourceError where the file cannot be read.
    """
    return _parquet_rows(path) if path.suffix.lower() in PARQUET else _text_rows(path)


def _parquet_rows(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"Parquet file {path} cannot be read: {error}.") from error


def _text_rows(path: Path) -> Iterator[Row]:
    csv.field_size_limit(1 << 27)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.read(1 << 16)
            file.seek(0)
            if told := SEP.match(head):
                file.readline()
            rows = csv.DictReader(file, delimiter=told[1] if told else _delimiter(head, path))
            for row in rows:
                row.pop(None, None)  # more cells than columns
                yield row
    except OSError as error:
        raise SourceError(f"Table {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(
            f"Table {path} cannot be read as UTF-8 text with one row a line: {error}. "
            "Save it as UTF-8 CSV, or as Parquet."
        ) from error


def _delimiter(head: str, path: Path) -> str:
    """Semicolons and tabs are common in .csv files too; the header line decides."""
    header = QUOTED.sub("", head.split("\n", 1)[0])
    counts = {mark: header.count(mark) for mark in (",", ";", "\t", "|")}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else DELIMITED[path.suffix.lower()]


def _number_or_text(cell: str | None) -> Any:
    """The number that a cell plainly is ("007" and "1_000" are not), else its text."""
    if not cell:
        return None
    if INTEGER.fullmatch(cell):
        return int(cell)
    return float(cell) if DECIMAL.fullmatch(cell) else cell


def plain(value: Any) -> Any:
    """A value that JSON can hold."""
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and math.isnan(value):
        return None  # how pandas writes a missing number
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return str(value)
    return value


def _existing(column: str, columns: Sequence[str], path: Path) -> str:
    if column not in columns:
        raise SourceError(
            f"Table {path} has no column {column!r}. Its columns: {', '.join(columns)}."
        )
    return column


def _guess(columns: Sequence[str], first: Row, path: Path) -> str:
    """The column of pictures: by its usual name, else by what its first cell looks like."""
    by_name = {name.lower().replace(" ", "_"): name for name in columns}
    named = (by_name[usual] for usual in USUAL_COLUMNS if usual in by_name)
    looking = (name for name in columns if _points_to_picture(first.get(name)))
    for name in itertools.chain(looking, named):
        return name
    raise SourceError(
        f"No column of table {path} looks like paths or URLs of pictures. "
        f"Name it with --column; its columns: {', '.join(columns)}."
    )


def _points_to_picture(cell: Any) -> bool:
    content, text = _content_and_path(cell)
    if content:
        return isinstance(cell, Mapping) or looks_like_picture(content[:32])
    return isinstance(cell, str) and has_picture_suffix(text.partition("?")[0])


def _content_and_path(cell: Any) -> tuple[bytes, str]:
    """An embedded picture and its name, or where the picture lies."""
    if isinstance(cell, Mapping):
        content, cell = cell.get("bytes"), cell.get("path")
        return content if isinstance(content, bytes) else b"", str(cell or "")
    if isinstance(cell, bytes):
        return cell, ""
    return b"", "" if plain(cell) is None else str(cell).strip()
