"""Pictures in a folder and all folders below it, or a single picture file."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePath

from bilderatlas.errors import SourceError
from bilderatlas.images import PICTURE_SUFFIXES, looks_like_picture
from bilderatlas.sources import ImageRecord, read_file, unreadable, uri_of

SNIFFED_BYTES = 32


class Folder:
    """Every picture below a folder, in the order of their paths.

    A file is a picture when its suffix or its first bytes say so: recovered disks have lost
    their names. Hidden files and folders, and collections (`*.atlas`), are passed over. Links
    to folders are followed once, after everything that is really there.

    Raises SourceError where the folder cannot be listed; one below it becomes a problem.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = uri_of(path)
        self.n_other = 0
        try:
            if path.is_dir():
                os.scandir(path).close()
        except OSError as error:
            raise SourceError(
                f"Folder {path} {_reason(error)}. Look at its permissions."
            ) from error

    def count(self) -> int:
        """Files whose suffix says picture; those known by content only come on top."""
        return sum(
            has_picture_suffix(entry.name)
            for entry in self._entries()
            if isinstance(entry, os.DirEntry)
        )

    def records(self) -> Iterator[ImageRecord]:
        self.n_other = 0
        position = 0
        for entry in self._entries():
            try:
                record = self._record(entry, position)
            except OSError as error:
                record = unreadable(uri_of(_path(entry)), self.name, position, _reason(error))
            if record is None:
                self.n_other += 1
                continue
            position += 1
            yield record

    def _record(self, entry: os.DirEntry[str] | OSError, position: int) -> ImageRecord | None:
        if isinstance(entry, OSError):
            raise entry
        if not is_picture_file(entry):
            return None
        facts = entry.stat()
        read = partial(read_file, Path(entry.path))
        return ImageRecord(
            uri_of(entry.path), self.name, position, facts.st_size, facts.st_mtime, read=read
        )

    def _entries(self) -> Iterator[os.DirEntry[str] | OSError]:
        """Files below the folder; a folder that cannot be listed comes as its error."""
        if self.path.is_file():
            yield from (e for e in os.scandir(self.path.parent) if e.name == self.path.name)
            return
        visited: set[tuple[int, int]] = set()
        links = deque([str(self.path)])
        while links:
            yield from _walk(links.popleft(), visited, links)


def _walk(
    top: str, visited: set[tuple[int, int]], links: deque[str]
) -> Iterator[os.DirEntry[str] | OSError]:
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
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if not _is_folder(entry):
                yield entry
            elif not entry.name.endswith(".atlas"):
                (links if entry.is_symlink() else below).append(entry.path)
        folders.extend(reversed(below))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself; reading it will say so
        return False


def has_picture_suffix(name: str) -> bool:
    """Whether a file name ends like a picture's."""
    return PurePath(name).suffix.lower() in PICTURE_SUFFIXES


def is_picture_file(entry: os.DirEntry[str]) -> bool:
    """Whether a file is a picture by its suffix or its first bytes."""
    if has_picture_suffix(entry.name):
        return True
    if not entry.is_file():
        return False  # a pipe or a device would block; a link may lead nowhere
    with Path(entry.path).open("rb") as file:
        return looks_like_picture(file.read(SNIFFED_BYTES))


def _path(entry: os.DirEntry[str] | OSError) -> str:
    return str(entry.filename) if isinstance(entry, OSError) else entry.path


def _reason(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"
