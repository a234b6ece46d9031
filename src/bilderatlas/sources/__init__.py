"""Sources: a folder, a table of paths or URLs, an archive -> ImageRecords.

`open(source)` looks at what is there and picks the reader. Nothing is decoded here; a record
knows where a picture lies and how to read its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol

from bilderatlas.errors import ImageProblem, SourceError

MAX_FILE_BYTES = 1 << 30  # a single picture of more than 1 GiB is a mistake, or an attack

Metadata = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A place where a picture should be, and how to read it."""

    uri: str  # absolute path, URL, or ARCHIVE!/MEMBER
    source: str  # the source it came from, as `Source.name`
    position: int  # in its sequence, from 0
    size: int | None  # bytes; None where nobody says beforehand (URLs)
    mtime: float | None  # seconds since 1970
    read: Callable[[], bytes]  # raises ImageProblem or OSError
    metadata: Metadata = field(default_factory=dict)


class Source(Protocol):
    """Anything that lists ImageRecords, in a fixed order."""

    name: str  # the absolute path
    n_other: int  # files seen so far that are not pictures

    def count(self) -> int | None:
        """How many records there are, as far as can be told cheaply."""
        ...

    def records(self) -> Iterator[ImageRecord]:
        """List the records. What cannot be listed is a record whose `read` says why."""
        ...


def open(source: str | Path, *, column: str | None = None, id_column: str | None = None) -> Source:
    """Find the reader for a source.

    Raises SourceError where there is none: nothing at the path, an unreadable archive, a table
    without the column.
    """
    from bilderatlas.sources import archives, tables
    from bilderatlas.sources.folders import Folder

    path = Path(source).expanduser().absolute()
    if not path.exists():
        raise SourceError(f"There is nothing at {path}. Give a folder, a table or an archive.")
    if tables.is_table(path):
        return tables.Table(path, column=column, id_column=id_column)
    if column or id_column:
        raise SourceError(
            f"{path} is not a table, so it has no columns. Leave out --column and --id-column, "
            "or give a .csv, .tsv or .parquet file."
        )
    if archives.is_archive(path):
        return archives.open_archive(path)
    return Folder(path)


def read_uri(uri: str) -> bytes:
    """Read a picture again from its place. Raises ImageProblem or OSError."""
    from bilderatlas.sources import fetching

    if uri.startswith(("http://", "https://")):
        return fetching.fetch(uri)
    container, inside, _ = uri.partition("!/")
    if inside and Path(container).is_file():
        for record in open(container).records():
            if record.uri == uri:
                return record.read()
        raise ImageProblem("no longer in its archive")
    path = Path(uri)
    return read_file(path if path.exists() else Path(re.sub(r"#\d+$", "", uri)))


def unreadable(uri: str, source: str, position: int, reason: str) -> ImageRecord:
    """A record for something that could not even be listed, so that it is not lost."""

    def read() -> NoReturn:
        raise ImageProblem(reason)

    return ImageRecord(uri, source, position, size=None, mtime=None, read=read)


def check_size(n_bytes: int) -> None:
    """Refuse a picture file that is larger than any picture."""
    if n_bytes > MAX_FILE_BYTES:
        raise ImageProblem(f"{n_bytes / 2**30:.1f} GiB; pictures of more than 1 GiB are not read")


def read_file(path: Path) -> bytes:
    """Read a file whole, with its size looked at first."""
    check_size(path.stat().st_size)
    return path.read_bytes()
