"""Pictures in a folder and all folders below it, or single files that were named."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.indexing.sources import (
    SINGLE_FILES,
    ImageRecord,
    Other,
    archives,
    read_file,
    unreadable,
    uri_of,
)
from bilderatlas.indexing.sources.exclude import (
    COLLECTION,
    Names,
    has_picture_suffix,
    why_no_picture,
)

SNIFFED_BYTES = 512


class Folder:
    """Every picture below a folder, in the order of their paths, those in archives included.

    A file is a picture when its suffix or its first bytes say so: recovered disks have lost
    their names. Hidden files and folders, collections (`*.atlas`) and what `exclude` names are
    passed over. Links to folders are followed once, after everything that is really there.

    Raises SourceError where the folder cannot be listed; one below it becomes a problem.
    """

    is_whole = True

    def __init__(self, path: Path, *, exclude: Sequence[str] = ()) -> None:
        self.path = path
        self.name = uri_of(path)
        self.others: list[Other] = []
        self._names = Names(exclude)
        try:
            if path.is_dir():
                os.scandir(path).close()
        except OSError as error:
            raise SourceError(
                f"Folder {path} {_reason(error)}. Look at its permissions."
            ) from error

    def count(self) -> int | None:
        """Files whose suffix says picture; those known by content or in archives come on top."""
        files = (path for path in self._files([]) if isinstance(path, str))
        return sum(map(has_picture_suffix, files)) or None

    def records(self) -> Iterator[ImageRecord]:
        self.others.clear()
        return _numbered(
            (
                record
                for path in self._files(self.others)
                for record in _records_at(path, self.others, self._names)
            ),
            self.name,
        )

    def _files(self, others: list[Other]) -> Iterator[str | OSError]:
        """Files below the folder; a folder that cannot be listed comes as its error."""
        if not self.path.is_dir():
            yield str(self.path)
            return
        if (self.path / "atlas.json").is_file():
            others.append(Other(self.name, COLLECTION))
            return
        visited: set[tuple[int, int]] = set()
        links = deque([str(self.path)])
        while links:
            yield from self._walk(links.popleft(), visited, links, others)

    def _walk(
        self, top: str, visited: set[tuple[int, int]], links: deque[str], others: list[Other]
    ) -> Iterator[str | OSError]:
        """Depth first, names sorted; links to folders are put aside, so that loops end."""
        folders = [top]
        while folders:
            folder = folders.pop()
            try:
                facts = Path(folder).stat()
                if (facts.st_dev, facts.st_ino) in visited:
                    continue
                visited.add((facts.st_dev, facts.st_ino))
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                yield error
                continue
            below: list[str] = []
            for entry in self._not_passed(entries, others):
                if not _is_folder(entry):
                    yield entry.path
                else:
                    (links if entry.is_symlink() else below).append(entry.path)
            folders.extend(reversed(below))

    def _not_passed(
        self, entries: Iterable[os.DirEntry[str]], others: list[Other]
    ) -> Iterator[os.DirEntry[str]]:
        """What is not passed over by its name; the rest is noted."""
        for entry in entries:
            below = entry.path[len(str(self.path).rstrip("/")) + 1 :]
            reason = self._names.why(below, is_folder=_is_folder(entry))
            if reason is None:
                yield entry
            elif reason:
                others.append(Other(uri_of(entry.path), reason))


class Files:
    """Files that were named one by one; however many, they are one source.

    What is not named this time is not looked at, and so not missing.
    """

    name = SINGLE_FILES
    is_whole = False

    def __init__(self, paths: Mapping[Path, str | None], *, exclude: Sequence[str] = ()) -> None:
        """`paths` says of some why they are passed over."""
        self._paths = {str(path): reason for path, reason in paths.items()}
        self._names = Names(exclude, with_hidden=True)
        self.others: list[Other] = []

    def count(self) -> int:
        return len(self._paths)

    def records(self) -> Iterator[ImageRecord]:
        self.others.clear()
        return _numbered((record for path in self._paths for record in self._at(path)), self.name)

    def _at(self, path: str) -> Iterator[ImageRecord]:
        reason = self._paths[path] or self._names.why(Path(path).name, is_folder=False)
        if reason is None:
            return _records_at(path, self.others, self._names)
        if reason:
            self.others.append(Other(uri_of(path), reason))
        return iter(())


def _numbered(records: Iterable[ImageRecord], source: str) -> Iterator[ImageRecord]:
    for position, record in enumerate(records):
        yield replace(record, source=source, position=position)


def _records_at(path: str | OSError, others: list[Other], names: Names) -> Iterator[ImageRecord]:
    """The picture that a file is, or those inside an archive; `others` notes what is none."""
    try:
        if isinstance(path, OSError):
            raise path
        if archives.is_archive(path):
            yield from _records_inside(Path(path), others, names)
        elif reason := _why_none(path):
            others.append(Other(uri_of(path), reason))
        else:
            facts = os.stat(path)  # noqa: PTH116
            read = partial(read_file, path)
            yield ImageRecord(uri_of(path), "", 0, facts.st_size, facts.st_mtime, read=read)
    except OSError as error:
        where = str(error.filename) if isinstance(path, OSError) else path
        yield unreadable(uri_of(where), "", 0, _reason(error))


def _records_inside(path: Path, others: list[Other], names: Names) -> Iterator[ImageRecord]:
    """The pictures of an archive; one that is damaged is a problem that lies inside it."""
    try:
        archive = archives.open_archive(path, names=names, others=others)
    except SourceError as error:
        yield unreadable(f"{uri_of(path)}!/", "", 0, str(error))
    else:
        yield from archive.records()


def _why_none(path: str) -> str | None:
    """Why a file is no picture; None where it is one. Raises OSError."""
    if has_picture_suffix(path):
        return None
    try:
        return why_no_picture(path, read_file(path, SNIFFED_BYTES))
    except ImageProblem:
        return "pipes and devices are never opened"
    except FileNotFoundError:
        return "dead links are passed over"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself; reading it will say so
        return False


def _reason(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"
