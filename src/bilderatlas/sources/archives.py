"""Pictures in a ZIP or tar archive, read in place: nothing is unpacked to disk."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath

from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.images import looks_like_picture
from bilderatlas.sources import ImageRecord, Source, check_size, unreadable
from bilderatlas.sources.folders import SNIFFED_BYTES, has_picture_suffix

SUFFIXES = (
    ".zip", ".cbz", ".tar", ".cbt", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz",
)  # fmt: skip


def is_archive(path: Path) -> bool:
    """Whether a file is an archive by its name."""
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def open_archive(path: Path) -> Source:
    """Open a ZIP or tar archive; raises SourceError where it is neither."""
    try:
        if zipfile.is_zipfile(path):
            return ZipArchive(path)
        if tarfile.is_tarfile(path):
            return TarArchive(path)
    except OSError as error:
        raise SourceError(f"Archive {path} cannot be opened: {error}.") from error
    raise SourceError(
        f"{path} is named like an archive but is neither a ZIP nor a tar file, or it is damaged. "
        "Unpack what can be saved and index the folder."
    )


def _is_hidden(member: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(member).parts)


class ZipArchive:
    """The pictures of a ZIP file, in its own order."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.n_other = 0
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise SourceError(f"ZIP file {path} cannot be read: {error}.") from error

    def count(self) -> int:
        return sum(has_picture_suffix(m.filename) for m in self._members())

    def records(self) -> Iterator[ImageRecord]:
        self.n_other = 0
        position = 0
        for member in self._members():
            if not (has_picture_suffix(member.filename) or self._sniff(member)):
                self.n_other += 1
                continue
            yield ImageRecord(
                f"{self.name}!/{member.filename}",
                self.name,
                position,
                size=member.file_size,
                mtime=_zip_time(member),
                read=partial(self._read, member),
            )
            position += 1

    def _members(self) -> Iterator[zipfile.ZipInfo]:
        return (m for m in self._zip.infolist() if not m.is_dir() and not _is_hidden(m.filename))

    def _sniff(self, member: zipfile.ZipInfo) -> bool:
        try:
            with self._zip.open(member) as file:
                return looks_like_picture(file.read(SNIFFED_BYTES))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError):
            return False  # no suffix and no readable first bytes: nothing says it is a picture

    def _read(self, member: zipfile.ZipInfo) -> bytes:
        check_size(member.file_size)
        if member.flag_bits & 1:
            raise ImageProblem("encrypted in its ZIP file; unpack it with the password first")
        try:
            with self._zip.open(member) as file:
                return file.read(member.file_size + 1)  # a lying header cannot fill the memory
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
            raise ImageProblem(f"damaged in its ZIP file: {error}") from error


def _zip_time(member: zipfile.ZipInfo) -> float:
    try:
        return datetime(*member.date_time).timestamp()
    except ValueError:
        return 0.0  # month 0 and the like stand in some ZIP files


class TarArchive:
    """The pictures of a tar file, plain or compressed, read front to back in one pass.

    Each record carries its bytes: a compressed tar cannot be read at random.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.n_other = 0

    def count(self) -> None:
        """Unknown: counting would unpack the whole archive."""

    def records(self) -> Iterator[ImageRecord]:
        self.n_other = 0
        position = 0
        try:
            with tarfile.open(self.path, "r|*") as tar:
                for member in tar:
                    if not member.isfile() or _is_hidden(member.name):
                        continue
                    record = self._record(tar, member, position)
                    if record is None:
                        self.n_other += 1
                        continue
                    yield record
                    position += 1
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            reason = f"the archive is damaged after {position} pictures: {error}"
            yield unreadable(f"{self.name}!/", self.name, position, reason)

    def _record(
        self, tar: tarfile.TarFile, member: tarfile.TarInfo, position: int
    ) -> ImageRecord | None:
        uri = f"{self.name}!/{member.name}"
        try:
            check_size(member.size)
        except ImageProblem as problem:
            return unreadable(uri, self.name, position, str(problem))
        file = tar.extractfile(member)
        assert file is not None, "a regular member of a tar file has content"
        content = file.read()
        if not (has_picture_suffix(member.name) or looks_like_picture(content)):
            return None
        return ImageRecord(
            uri,
            self.name,
            position,
            size=member.size,
            mtime=float(member.mtime),
            read=lambda: content,
        )
