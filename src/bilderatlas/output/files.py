"""Tables and pictures -> files: CSV, Parquet, PNG."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa

from bilderatlas.errors import QueryError, StoreError

FORMATS = {".csv": "csv", ".parquet": "parquet"}


def write_rows(rows: pa.Table, output: Path | IO[bytes], format: str | None = None) -> None:
    """Write rows as CSV or Parquet, by the file's name where no format is given.

    Raises QueryError for another format, StoreError where the file cannot be written.
    """
    format = format_of(output, format)
    if not isinstance(output, Path):
        _write(rows, output, format)
        return
    with told_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("wb") as file:
            _write(rows, file, format)


def write_png(png: bytes, path: Path) -> None:
    """Write a picture. Raises QueryError for a name of another kind, StoreError."""
    if path.suffix.lower() != ".png":
        raise QueryError(f"{path} does not end in .png. Call it {path.with_suffix('.png').name}.")
    with told_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)


def format_of(output: Path | IO[bytes], format: str | None = None) -> str:
    """csv or parquet, by the file's name where it is not given. Raises QueryError for another."""
    if format is None:
        suffix = output.suffix.lower() if isinstance(output, Path) else ""
        format = FORMATS.get(suffix, suffix)
    if format not in FORMATS.values():
        raise QueryError(
            f"Format {format!r} is not offered. Use --format csv or --format parquet, or "
            "name the file .csv or .parquet."
        )
    return format


def _write(rows: pa.Table, file: IO[bytes], format: str) -> None:
    if format == "csv":
        import pyarrow.csv

        pyarrow.csv.write_csv(rows, file)
    else:
        import pyarrow.parquet

        pyarrow.parquet.write_table(rows, file)


@contextmanager
def told_errors(path: Path) -> Iterator[None]:
    """Say in a person's words why a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error
