"""Sources: a folder, a table of paths or URLs, an archive -> ImageRecords.

`open(source)` looks at what is there and picks the reader. Nothing is decoded here; a record
knows where a picture lies and how to read its bytes.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Protocol
from urllib.parse import unquote_to_bytes

from bilderatlas.errors import ImageProblem, SourceError

MAX_FILE_BYTES = 1 << 30  # a single picture of more than 1 GiB is a mistake, or an attack
FILE_URL = re.compile(r"file:(?://[^/]*)?([^?#]*)", re.IGNORECASE)

Metadata = Mapping[str, Any]
Headers = Mapping[str, str]  # that servers are sent with each question


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A place where a picture should be, and how to read it."""

    uri: str  # `uri_of` an absolute path, a URL, or ARCHIVE!/MEMBER; one of a kind in its source
    source: str  # the source it came from, as `Source.name`
    position: int  # in its sequence, from 0
    size: int | None  # bytes; None where nobody says beforehand (URLs)
    mtime: float | None  # seconds since 1970
    read: Callable[[], bytes]  # raises ImageProblem or OSError
    metadata: Metadata = field(default_factory=dict)


class Source(Protocol):
    """Anything that lists ImageRecords, in a fixed order."""

    name: str  # `uri_of` the absolute path
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

    path = absolute(path_of(str(source)))
    if not (path.is_file() or path.is_dir()):
        found = "something that is neither" if path.exists() else "nothing"
        raise SourceError(f"There is {found} at {path}. Give a folder, a table or an archive.")
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


def uri_of(path: Path | str) -> str:
    """How a place is stored: its path, or a file: URL where the path's bytes are no UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:  # Python keeps such bytes as lone surrogates
        return Path(path).as_uri()
    return str(path)


def path_of(given: str) -> Path:
    """The path that a person, a table or `uri_of` wrote: plain, below ~/, or as a file: URL."""
    if url := FILE_URL.fullmatch(given):
        return Path(os.fsdecode(unquote_to_bytes(url[1])))
    # "~name" is a file more often than a user
    return Path(given).expanduser() if given.startswith("~/") else Path(given)


def absolute(path: Path) -> Path:
    """One spelling for a place: whoever says `..` follows links, nobody else."""
    return Path(os.path.realpath(path)) if ".." in path.parts else path.absolute()


def read_uri(uri: str) -> bytes:
    """Read a picture again from its place. Raises ImageProblem or OSError."""
    from bilderatlas.sources import fetching

    if uri.startswith(("http://", "https://")):
        return fetching.fetch(uri)
    if archive := _archive_of(uri):
        return next(_members(archive, {uri})).read()
    path = path_of(uri)
    return read_file(path if path.exists() else path_of(re.sub(r"#\d+$", "", uri)))


def records_of(uris: Iterable[str]) -> Iterator[ImageRecord]:
    """Records to read the pictures of some places again; an archive is gone through once."""
    inside: dict[str, set[str]] = {}
    for uri in uris:
        if archive := _archive_of(uri):
            inside.setdefault(archive, set()).add(uri)
        else:
            yield ImageRecord(uri, "", 0, size=None, mtime=None, read=partial(read_uri, uri))
    for archive, members in inside.items():
        yield from _members(archive, members)


def _archive_of(uri: str) -> str | None:
    """The archive that a place lies in."""
    starts = (uri[: inside.start()] for inside in re.finditer("!/", uri))
    return next((start for start in starts if path_of(start).is_file()), None)


def _members(archive: str, uris: set[str]) -> Iterator[ImageRecord]:
    """The records of some members, in the archive's order; those not found say so when read."""
    missing, reason = set(uris), f"no longer in {archive}"
    try:
        for record in open(archive).records():
            if record.uri in missing:
                missing.remove(record.uri)
                yield record
            if not missing:
                return
    except SourceError as error:
        reason = str(error)
    for uri in sorted(missing):
        yield unreadable(uri, archive, 0, reason)


def with_own_uris(records: Iterable[ImageRecord]) -> Iterator[ImageRecord]:
    """Number the second and further records of one place: two rows of a table for one picture."""
    seen: Counter[str] = Counter()
    for record in records:
        uri, n = record.uri, seen[record.uri] + 1
        while uri in seen:
            uri, n = f"{record.uri}#{n}", n + 1
        seen[record.uri] += 1
        if uri != record.uri:
            seen[uri] += 1
        yield record if uri == record.uri else replace(record, uri=uri)


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
    """Read a file whole, with its kind and its size looked at first."""
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        kind = "a folder" if stat.S_ISDIR(facts.st_mode) else "a pipe or a device"
        raise ImageProblem(f"not a file but {kind}")  # which might block, or never end
    check_size(facts.st_size)
    return path.read_bytes()
