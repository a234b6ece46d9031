"""Sources: a folder, a table of paths or URLs, an archive -> ImageRecords.

`open(source)` looks at what is there and picks the reader. Nothing is decoded here; a record
knows where a picture lies and how to read its bytes.
"""

from __future__ import annotations

import builtins
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Protocol
from urllib.parse import unquote_to_bytes

from bilderatlas import characters
from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.results import kind_of

MAX_FILE_BYTES = 1 << 30  # a single picture of more than 1 GiB is a mistake, or an attack
NONBLOCKING = getattr(os, "O_NONBLOCK", 0)  # not on Windows
FILE_URL = re.compile(r"file:(?://[^/]*)?([^?#]*)", re.IGNORECASE)

SINGLE_FILES = "(single files)"  # the name of the source that files named one by one make

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
    passes_by: bool = False  # it is read before the next record is listed, or never


@dataclass(frozen=True, slots=True)
class Other:
    """A file or folder that is passed over, as `sources.passing` says."""

    uri: str
    reason: str  # begins with its kind: "PDF documents are not read; ..."

    @property
    def kind(self) -> str:
        return kind_of(self.reason)


def counted(kinds: Mapping[str, int], *, n_shown: int = 5) -> str:
    """Kinds of files and how many there are: "3 PDF documents, 1 raw file"."""
    told = [f"{n:,} {kind if n != 1 else _one_of(kind)}" for kind, n in kinds.items()]
    n_left = sum(list(kinds.values())[n_shown:])
    return ", ".join([*told[:n_shown], *([f"{n_left:,} more"] if n_left else [])]) or "nothing"


def _one_of(kind: str) -> str:
    """ "pipes and devices" -> "pipe or device"."""
    return " or ".join(word.removesuffix("s") for word in kind.split(" and "))


class Source(Protocol):
    """Anything that lists ImageRecords, in a fixed order."""

    name: str  # `uri_of` the absolute path, or SINGLE_FILES
    is_whole: bool  # whether what it no longer lists is gone
    others: list[Other]  # what was passed over; whoever took note of it clears the list

    def count(self) -> int | None:
        """How many records there are, as far as can be told cheaply."""
        ...

    def records(self) -> Iterator[ImageRecord]:
        """List the records. What cannot be listed is a record whose `read` says why."""
        ...


def open_all(
    given: Iterable[str | Path],
    *,
    column: str | None = None,
    id_column: str | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    exclude: Sequence[str] = (),
    headers: Headers | None = None,
) -> list[Source]:
    """The readers for some sources; files that are named one by one are one source.

    `columns` are those of tables by name, `column` and `id_column`, where others are not asked for.

    Raises SourceError as `open` does, but for damaged archives and tables without pictures that
    are beside other sources, as in `folder/*`.
    """
    from bilderatlas.indexing.sources import archives, tables
    from bilderatlas.indexing.sources.folders import Files, Folder

    paths = list(dict.fromkeys(absolute(typed_path(str(source))) for source in given))
    singles: dict[Path, str | None] = {}  # and why they are passed over
    opened: list[Source] = []
    for path in paths:
        is_table, is_archive = tables.is_table(path), archives.is_archive(path)
        if path.is_file() and not (is_table or is_archive or column or id_column):
            singles[path] = None
            continue
        asked = {"column": column, "id_column": id_column}
        usual = (columns or {}).get(uri_of(path), {})
        named = {each: name or usual.get(each) for each, name in asked.items()}
        try:
            opened.append(open(path, **named, exclude=exclude, headers=headers))
        except SourceError as error:
            if len(paths) == 1 or column or id_column or not (is_table or is_archive):
                raise
            if is_archive:
                opened.append(Folder(path))  # in which it is a problem
            else:
                singles[path] = f"tables are passed over beside other sources: {error}"
    return [*([Files(singles, exclude=exclude)] if singles else []), *opened]


def open(
    source: str | Path,
    *,
    column: str | None = None,
    id_column: str | None = None,
    exclude: Sequence[str] = (),
    headers: Headers | None = None,
) -> Source:
    """Find the reader for a source.

    `exclude` names what is passed over in folders and archives, `headers` go to the servers of a
    table's URLs. Raises SourceError where there is none: nothing at the path, an unreadable
    archive, a table without the column.
    """
    from bilderatlas.indexing.sources import archives, tables
    from bilderatlas.indexing.sources.exclude import Names
    from bilderatlas.indexing.sources.folders import Folder

    path = absolute(typed_path(str(source)))
    if not (path.is_file() or path.is_dir()):
        found = "something that is neither" if path.exists() else "nothing"
        raise SourceError(f"There is {found} at {path}. Give a folder, a table or an archive.")
    if tables.is_table(path):
        return tables.Table(path, column=column, id_column=id_column, headers=headers)
    if column or id_column:
        raise SourceError(
            f"{path} is not a table, so it has no columns. Leave out --column and --id-column, "
            "or give a .csv, .tsv or .parquet file."
        )
    if archives.is_archive(path):
        return archives.open_archive(path, names=Names(exclude))
    return Folder(path, exclude=exclude)


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


def typed_path(given: str) -> Path:
    """The path that a person wrote. Raises QueryError for what no file can be called."""
    path = path_of(given)
    characters.check_path(path)
    return path


def absolute(path: Path) -> Path:
    """One spelling for a place: whoever says `..` follows links, nobody else."""
    return Path(os.path.realpath(path)) if ".." in path.parts else path.absolute()


def read_uri(uri: str, headers: Headers | None = None) -> bytes:
    """Read a picture again from its place. Raises ImageProblem or OSError."""
    from bilderatlas.indexing.sources import http

    if uri.startswith(("http://", "https://")):
        return http.fetch(uri, headers=headers)
    if archive := _archive_of(uri):
        for record in _members(archive, {uri}):
            return record.read()
    path = path_of(uri)
    return read_file(path if path.exists() else path_of(re.sub(r"#\d+$", "", uri)))


def records_of(uris: Iterable[str], headers: Headers | None = None) -> Iterator[ImageRecord]:
    """Records to read the pictures of some places again; an archive is gone through once."""
    inside: dict[str, set[str]] = {}
    for uri in uris:
        if archive := _archive_of(uri):
            inside.setdefault(archive, set()).add(uri)
        else:
            read = partial(read_uri, uri, headers)
            yield ImageRecord(uri, "", 0, size=None, mtime=None, read=read)
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
    return ImageRecord(uri, source, position, size=None, mtime=None, read=partial(refuse, reason))


def held(record: ImageRecord) -> ImageRecord:
    """The same with its bytes in memory; they are given once, so that nobody keeps them."""
    try:
        content = [record.read()]
    except ImageProblem as problem:
        return replace(record, read=partial(refuse, str(problem)), passes_by=False)
    return replace(record, read=content.pop, passes_by=False)


def refuse(reason: str) -> NoReturn:
    """What reads a record that cannot be read."""
    raise ImageProblem(reason)


def check_size(n_bytes: int) -> None:
    """Refuse a picture file that is larger than any picture."""
    if n_bytes > MAX_FILE_BYTES:
        raise ImageProblem(f"{n_bytes / 2**30:.1f} GiB; pictures of more than 1 GiB are not read")


def opener(path: str, flags: int) -> int:
    """For `open`: a descriptor of a file and nothing else, which never blocks.

    What was a file when it was listed may be a pipe now.
    """
    _check_kind(Path(path).stat())  # first: to open a device may set it to work
    descriptor = os.open(path, flags | NONBLOCKING)
    try:
        _check_kind(os.fstat(descriptor))
    except ImageProblem:
        os.close(descriptor)
        raise
    return descriptor


def _check_kind(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        kind = "a folder" if stat.S_ISDIR(facts.st_mode) else "a pipe or a device"
        raise ImageProblem(f"not a file but {kind}")


def read_file(path: str | Path, n_bytes: int | None = None) -> bytes:
    """Read a file whole, or its first bytes. Raises ImageProblem or OSError."""
    with builtins.open(path, "rb", opener=opener) as file:
        size = os.fstat(file.fileno()).st_size  # files of the kernel say 0, and may never end
        if n_bytes is None:
            check_size(size)
        return file.read(size if n_bytes is None else min(size, n_bytes)) or b""
