"""A CSV or Parquet table with a column of paths or URLs; its other columns become metadata."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.sources import ImageRecord, fetching, read_file, unreadable
from bilderatlas.sources.folders import has_picture_suffix

DELIMITED = {".csv": ",", ".tsv": "\t"}
PARQUET = {".parquet", ".pq"}
USUAL_COLUMNS = (
    "image", "image_path", "imagepath", "path", "file", "filename", "file_name", "image_url",
    "imageurl", "url", "uri", "src", "link",
)  # fmt: skip

INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
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

    def __init__(
        self, path: Path, *, column: str | None = None, id_column: str | None = None
    ) -> None:
        self.path = path
        self.name = str(path)
        self.n_other = 0
        columns, first = self._columns_and_first_row()
        self.id_column = _existing(id_column, columns, path) if id_column else None
        self.column = _existing(column, columns, path) if column else _guess(columns, first, path)

    def count(self) -> int | None:
        if self.path.suffix.lower() in PARQUET:
            import pyarrow.parquet as pq

            return int(pq.read_metadata(self.path).num_rows)
        with self.path.open("rb") as file:
            blocks = iter(lambda: file.read(1 << 20), b"")
            return max(0, sum(block.count(b"\n") for block in blocks) - 1)

    def records(self) -> Iterator[ImageRecord]:
        seen: Counter[str] = Counter()
        for position, row in enumerate(self._rows()):
            record = self._record(row, position)
            seen[record.uri] += 1
            if seen[record.uri] > 1:  # another row for the same picture keeps its own metadata
                record = ImageRecord(
                    f"{record.uri}#{seen[record.uri]}", record.source, position, record.size,
                    record.mtime, record.read, record.metadata,
                )  # fmt: skip
            yield record

    def _record(self, row: Row, position: int) -> ImageRecord:
        value = row.get(self.column)
        metadata = {k: _plain(v) for k, v in row.items() if k != self.column and k is not None}
        if self.id_column:
            metadata["id"] = _plain(row.get(self.id_column))
        here = partial(ImageRecord, source=self.name, position=position, metadata=metadata)
        if isinstance(value, Mapping) and value.get("bytes"):
            content = bytes(value["bytes"])
            uri = f"{self.name}!/{value.get('path') or position}"
            return here(uri, size=len(content), mtime=None, read=lambda: content)
        text = str(value or "").strip()
        if not text:
            reason = f"row {position + 1} has nothing in column {self.column!r}"
            return unreadable(f"{self.name}!/{position}", self.name, position, reason)
        if urlsplit(text).scheme in ("http", "https"):
            return here(text, size=None, mtime=None, read=partial(fetching.fetch, text))
        return self._file_record(text, here)

    def _file_record(self, text: str, here: partial[ImageRecord]) -> ImageRecord:
        local = unquote(urlsplit(text).path) if text.startswith("file:") else text
        path = (self.path.parent / Path(local).expanduser()).absolute()
        try:
            facts = path.stat()
        except (OSError, ValueError):
            return here(str(path), size=None, mtime=None, read=partial(_missing, path))
        return here(
            str(path), size=facts.st_size, mtime=facts.st_mtime, read=partial(read_file, path)
        )

    def _columns_and_first_row(self) -> tuple[list[str], Row]:
        rows = self._rows()
        first = next(rows, None)
        if first is None:
            raise SourceError(f"Table {self.path} has no rows.")
        return [str(name) for name in first if name is not None], first

    def _rows(self) -> Iterator[Row]:
        return self._parquet_rows() if self.path.suffix.lower() in PARQUET else self._text_rows()

    def _parquet_rows(self) -> Iterator[Row]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=256):
                    yield from batch.to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"Parquet file {self.path} cannot be read: {error}.") from error

    def _text_rows(self) -> Iterator[Row]:
        csv.field_size_limit(1 << 27)
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                head = file.read(1 << 16)
                file.seek(0)
                rows = csv.DictReader(file, delimiter=_delimiter(head, self.path))
                for row in rows:
                    row.pop(None, None)  # more cells than columns
                    yield {name: _typed(cell) for name, cell in row.items()}
        except (UnicodeDecodeError, csv.Error) as error:
            raise SourceError(
                f"Table {self.path} cannot be read as UTF-8 text with one row a line: {error}. "
                "Save it as UTF-8 CSV, or as Parquet."
            ) from error


def _delimiter(head: str, path: Path) -> str:
    """Semicolons and tabs are common in .csv files too; the header line decides."""
    header = head.splitlines()[0] if head else ""
    counts = {mark: header.count(mark) for mark in (",", ";", "\t", "|")}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else DELIMITED[path.suffix.lower()]


def _typed(cell: str | None) -> Any:
    """The number that a cell plainly is ("007" and "1_000" are not), else its text."""
    if not cell:
        return None
    if INTEGER.fullmatch(cell):
        return int(cell)
    return float(cell) if DECIMAL.fullmatch(cell) else cell


def _plain(value: Any) -> Any:
    """A value that JSON can hold."""
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
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
    if isinstance(cell, Mapping):
        return bool(cell.get("bytes"))
    return isinstance(cell, str) and has_picture_suffix(urlsplit(cell).path)


def _missing(path: Path) -> bytes:
    raise ImageProblem(f"the table names a file that is not there: {path}")
