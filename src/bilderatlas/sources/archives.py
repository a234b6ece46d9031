"""Pictures in a ZIP or tar archive, read in place: nothing is unpacked to disk."""

from __future__ import annotations

import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from tarfile import EOFHeaderError  # type: ignore[attr-defined]
from typing import Self
from urllib.parse import quote_from_bytes

from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.images import looks_like_picture
from bilderatlas.sources import ImageRecord, Source, check_size, unreadable, uri_of, with_own_uris
from bilderatlas.sources.folders import SNIFFED_BYTES, has_picture_suffix

SUFFIXES = (
    ".zip", ".cbz", ".tar", ".cbt", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz",
)  # fmt: skip

# What the standard library raises for damaged archives (found by fuzzing).
DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, struct.error),
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError),
)


def is_archive(path: Path) -> bool:
    """Whether a file is an archive by its name."""
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def open_archive(path: Path) -> Source:
    """Open a ZIP or tar archive; raises SourceError where it is neither."""
    try:
        if tarfile.is_tarfile(path):  # first: a ZIP as the last member makes a tar look like one
            return TarArchive(path)
        if zipfile.is_zipfile(path):
            return ZipArchive(path)
    except DAMAGE as error:
        raise SourceError(f"Archive {path} cannot be read: {error}.") from error
    raise SourceError(
        f"{path} is named like an archive but is neither a ZIP nor a tar file, or it is damaged. "
        "Unpack what can be saved and index the folder."
    )


def _is_hidden(member: str) -> bool:
    parts = PurePosixPath(member).parts
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts)


def _member_uri(archive: str, member: str) -> str:
    """ARCHIVE!/MEMBER; a name whose bytes are no UTF-8 is percent-encoded."""
    try:
        member.encode()
    except UnicodeEncodeError:
        member = quote_from_bytes(os.fsencode(member))
    return f"{archive}!/{member}"


class ZipArchive:
    """The pictures of a ZIP file, in its own order."""

    def __init__(self, path: Path) -> None:
        self.name = uri_of(path)
        self.n_other = 0
        self._zip = zipfile.ZipFile(path)

    def count(self) -> int:
        return sum(has_picture_suffix(m.filename) for m in self._members())

    def records(self) -> Iterator[ImageRecord]:
        return with_own_uris(self._records())

    def _records(self) -> Iterator[ImageRecord]:
        self.n_other = 0
        position = 0
        for member in self._members():
            if not (has_picture_suffix(member.filename) or self._sniff(member)):
                self.n_other += 1
                continue
            yield ImageRecord(
                _member_uri(self.name, member.filename),
                self.name,
                position,
                size=member.file_size,
                mtime=_zip_time(member),
                read=partial(self._read, member),
            )
            position += 1

    def _members(self) -> Iterator[zipfile.ZipInfo]:
        for member in self._zip.infolist():
            name = member.filename  # empty in some damaged files
            if name and not member.is_dir() and not _is_hidden(name):
                yield member

    def _sniff(self, member: zipfile.ZipInfo) -> bool:
        try:
            with self._zip.open(member) as file:
                return looks_like_picture(file.read(SNIFFED_BYTES))
        except DAMAGE:
            return False  # no suffix and no readable first bytes: nothing says it is a picture

    def _read(self, member: zipfile.ZipInfo) -> bytes:
        check_size(member.file_size)
        if member.flag_bits & 1:
            raise ImageProblem("encrypted in its ZIP file; unpack it with the password first")
        try:
            with self._zip.open(member) as file:
                return file.read(member.file_size + 1)  # a lying header cannot fill the memory
        except DAMAGE as error:
            raise ImageProblem(f"damaged in its ZIP file: {error}") from error


def _zip_time(member: zipfile.ZipInfo) -> float:
    try:
        return datetime(*member.date_time).timestamp()
    except ValueError:
        return 0.0  # month 0 and the like stand in some ZIP files


class _Member(tarfile.TarInfo):
    """A header that is damaged, or missing, ends an archive for the standard library; not here."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if isinstance(error, EOFHeaderError):
                raise
            raise EOFError(f"{error}, before the end mark") from error


class TarArchive:
    """The pictures of a tar file, plain or compressed, read front to back in one pass.

    Each record carries its bytes: a compressed tar cannot be read at random.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = uri_of(path)
        self.n_other = 0

    def count(self) -> None:
        """Unknown: counting would unpack the whole archive."""

    def records(self) -> Iterator[ImageRecord]:
        return with_own_uris(self._records())

    def _records(self) -> Iterator[ImageRecord]:
        self.n_other = 0
        position = 0
        try:
            with tarfile.open(self.path, "r|*", tarinfo=_Member) as tar:
                for member in tar:
                    if not member.isfile() or _is_hidden(member.name):
                        continue
                    record = self._record(tar, member, position)
                    if record is None:
                        self.n_other += 1
                        continue
                    yield record
                    position += 1
        except DAMAGE as error:
            reason = f"the archive is damaged after {position} pictures: {error}"
            yield unreadable(f"{self.name}!/", self.name, position, reason)

    def _record(
        self, tar: tarfile.TarFile, member: tarfile.TarInfo, position: int
    ) -> ImageRecord | None:
        uri = _member_uri(self.name, member.name)
        file = tar.extractfile(member)
        assert file is not None, "a regular member of a tar file has content"
        head = file.read(SNIFFED_BYTES)
        if not (has_picture_suffix(member.name) or looks_like_picture(head)):
            return None
        try:
            check_size(member.size)
        except ImageProblem as problem:
            return unreadable(uri, self.name, position, str(problem))
        content = head + file.read()
        return ImageRecord(
            uri,
            self.name,
            position,
            size=member.size,
            mtime=float(member.mtime),
            read=lambda: content,
        )
