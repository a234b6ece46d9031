"""Pictures in a ZIP or tar archive, read in place: nothing is unpacked to disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import os
import shutil
import struct
import tarfile
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from tarfile import EOFHeaderError  # type: ignore[attr-defined]
from typing import IO, Any, BinaryIO, Self, cast
from urllib.parse import quote_from_bytes

from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.indexing.sources import (
    ImageRecord,
    Other,
    Source,
    check_size,
    opener,
    unreadable,
    uri_of,
    with_own_uris,
)
from bilderatlas.indexing.sources.exclude import (
    ARCHIVE_SUFFIXES,
    Names,
    has_picture_suffix,
    why_no_picture,
)

SNIFFED_BYTES = 512
UNREADABLE = b"\0"
MAX_HEADER_BYTES = 4 << 20  # all that may stand before a member of a tar; most take 1 KiB
MAX_DICTIONARY_BYTES = 128 << 20  # of LZMA: `xz -9` takes half of it, an attack asks for 4 GiB
XZ = b"\xfd7zXZ\x00"
CHUNK_BYTES = 1 << 20
UNPACKERS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    XZ: lambda packed: _Xz(packed),
    b"\x5d\x00\x00": lambda packed: _Xz(packed),
}

# What the standard library raises for damaged archives (found by fuzzing).
DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError),
)


def is_archive(path: str | Path) -> bool:
    """Whether a file is an archive by its name."""
    return str(path).lower().endswith(ARCHIVE_SUFFIXES) and Path(path).is_file()


def open_archive(
    path: Path, *, names: Names | None = None, others: list[Other] | None = None
) -> Source:
    """Open a ZIP or tar archive; raises SourceError where it is neither.

    `names` says what is passed over, `others` is where that is noted.
    """
    names, others = names or Names(), [] if others is None else others
    try:
        if _is_tar(path):  # first: a ZIP as the last member makes a tar look like one
            return TarArchive(path, names, others)
        if _is_zip(path):
            return ZipArchive(path, names, others)
    except DAMAGE as error:
        raise SourceError(f"Archive {path} cannot be read: {error}.") from error
    raise SourceError(
        f"{path} is named like an archive but is neither a ZIP nor a tar file, or it is damaged. "
        "Unpack what can be saved and index the folder."
    )


def _is_zip(path: Path) -> bool:
    with open(path, "rb", opener=opener) as file:
        return zipfile.is_zipfile(file)


def _is_tar(path: Path) -> bool:
    if not path.stat().st_size:
        return False  # files of the kernel say so, and may never end
    try:
        with open_tar(path):
            return True
    except (tarfile.TarError, EOFError):
        return False


class _Members:
    """What archives of both kinds share: which of their members are pictures."""

    is_whole = True

    def __init__(self, path: Path, names: Names, others: list[Other]) -> None:
        self.path = path
        self.name = uri_of(path)
        self.others = others
        self._names = names
        self._noted: set[str] = set()

    def records(self) -> Iterator[ImageRecord]:
        self._noted.clear()
        return with_own_uris(self._records())

    def _records(self) -> Iterator[ImageRecord]:
        raise NotImplementedError

    def _is_passed(self, member: str) -> bool:
        """Whether a member is passed over by its name; that is noted, once for a folder."""
        passed = self._names.why_inside(member)
        if passed is None:
            return False
        where, reason = passed
        if reason and where not in self._noted:
            self._noted.add(where)
            self._note(where, reason)
        return True

    def _is_picture(self, member: str, head: bytes) -> bool:
        """Whether a member is a picture; what is none is noted."""
        reason = why_no_picture(member, head)
        if reason:
            self._note(member, reason)
        return reason is None

    def _note(self, member: str, reason: str) -> None:
        self.others.append(Other(self._uri(member), reason))

    def _uri(self, member: str) -> str:
        """ARCHIVE!/MEMBER; a name whose bytes are no UTF-8 is percent-encoded."""
        try:
            member.encode()
        except UnicodeEncodeError:
            member = quote_from_bytes(os.fsencode(member))
        return f"{self.name}!/{member}"


class ZipArchive(_Members):
    """The pictures of a ZIP file, in its own order."""

    def __init__(self, path: Path, names: Names, others: list[Other]) -> None:
        super().__init__(path, names, others)
        file = open(path, "rb", opener=opener)  # noqa: SIM115  open as long as its records
        weakref.finalize(self, file.close)
        self._zip = zipfile.ZipFile(file)

    def count(self) -> int | None:
        names = (member.filename for member in self._zip.infolist())
        return sum(map(has_picture_suffix, names))

    def _records(self) -> Iterator[ImageRecord]:
        position = 0
        for member in self._zip.infolist():
            name = member.filename  # empty in some damaged files
            if not name or member.is_dir() or self._is_passed(name):
                continue
            if not (has_picture_suffix(name) or self._is_picture(name, self._head(member))):
                continue
            yield ImageRecord(
                self._uri(name),
                self.name,
                position,
                size=member.file_size,
                mtime=_zip_time(member),
                read=partial(self._read, member),
            )
            position += 1

    def _head(self, member: zipfile.ZipInfo) -> bytes:
        try:
            with self._open(member) as file:
                return file.read(SNIFFED_BYTES)
        except DAMAGE:
            return UNREADABLE  # no suffix and no first bytes: nothing says it is a picture

    def _read(self, member: zipfile.ZipInfo) -> bytes:
        check_size(member.file_size)  # `ZipFile.open` gives no more, whatever there is
        try:
            with self._open(member) as file:
                return _rest(file)
        except ImageProblem:
            raise
        except DAMAGE as error:
            raise ImageProblem(f"damaged in its ZIP file: {error}") from error

    def _open(self, member: zipfile.ZipInfo) -> IO[bytes]:
        if member.flag_bits & 1:
            raise ImageProblem("encrypted in its ZIP file; unpack it with the password first")
        if member.compress_type == zipfile.ZIP_LZMA:
            self._check_dictionary(member)
        return self._zip.open(member)

    def _check_dictionary(self, member: zipfile.ZipInfo) -> None:
        """Refuse what asks for much memory to be unpacked (APPNOTE 4.3.7, 5.8.8)."""
        with open(self.path, "rb", opener=opener) as file:
            file.seek(member.header_offset + 26)
            n_names = sum(int.from_bytes(file.read(2), "little") for _ in range(2))
            file.seek(n_names + 5, os.SEEK_CUR)
            n_bytes = int.from_bytes(file.read(4), "little")
        if n_bytes > MAX_DICTIONARY_BYTES:
            raise ImageProblem(f"would take {n_bytes >> 20:,} MiB of memory to be unpacked")


def _rest(file: IO[bytes], head: bytes = b"") -> bytes:
    """What begins so and goes on in a file, held in memory once."""
    content = io.BytesIO()
    content.write(head)
    shutil.copyfileobj(file, content, CHUNK_BYTES)
    return content.getvalue()


def _zip_time(member: zipfile.ZipInfo) -> float:
    try:
        return datetime(*member.date_time).timestamp()
    except ValueError:
        return 0.0  # month 0 and the like stand in some ZIP files


class _Xz:
    """What an xz or lzma file unpacks to, with a bound on the memory that it asks for."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._unpacker = self._new_unpacker()
        self._unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, n_bytes: int) -> bytes:
        """The next bytes, as many or fewer; none at the end. Raises LZMAError, EOFError."""
        content = b""
        while n_bytes and not content:
            if self._unpacker.eof:
                if not self._begin_next():
                    break
            elif self._unpacker.needs_input:
                self._unread = self._packed.read(CHUNK_BYTES)
                if not self._unread:
                    raise EOFError("it ends before its end mark")
            content = self._unpacker.decompress(self._unread, n_bytes)
            self._unread = self._unpacker.unused_data
        return content

    def _begin_next(self) -> bool:
        """Whether another one stands behind; what is none is left alone, as `xz` does."""
        self._unread = (self._unread or self._packed.read(CHUNK_BYTES)).lstrip(b"\0")
        self._unpacker = self._new_unpacker() if self._unread.startswith(XZ) else self._unpacker
        return not self._unpacker.eof

    def _new_unpacker(self) -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(memlimit=MAX_DICTIONARY_BYTES)


class _Unpacked:
    """The bytes of a tar, unpacked as they are asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.header_bytes_left = math.inf  # less while a header is read

    def read(self, n_bytes: int) -> bytes:
        content = self._file.read(n_bytes)
        self.header_bytes_left -= len(content)
        if self.header_bytes_left < 0:
            raise ImageProblem(f"a header of more than {MAX_HEADER_BYTES >> 20} MiB")
        return content


def _member_of(stream: _Unpacked) -> type[tarfile.TarInfo]:
    """Members whose headers are bounded, and whose damage is told."""

    class Member(tarfile.TarInfo):
        @classmethod
        def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
            """Called again for what a header belongs to, within its bounds."""
            is_first = math.isinf(stream.header_bytes_left)
            if is_first:
                stream.header_bytes_left = MAX_HEADER_BYTES
            try:
                return super().fromtarfile(archive)
            except tarfile.HeaderError as error:  # the end of an archive for the standard library
                if isinstance(error, EOFHeaderError):
                    raise
                raise EOFError(f"{error}, before the end mark") from error
            finally:
                if is_first:
                    stream.header_bytes_left = math.inf

    return Member


@contextmanager
def open_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """A tar file, plain or packed, to be read front to back."""
    with open(path, "rb", opener=opener) as packed:
        head = packed.read(6)
        packed.seek(0)
        unpack = next((how for start, how in UNPACKERS.items() if head.startswith(start)), None)
        with unpack(packed) if unpack else nullcontext(packed) as file:
            stream = _Unpacked(file)
            tarinfo = _member_of(stream)
            readable = cast("BinaryIO", stream)  # nothing else is asked of it
            with tarfile.open(fileobj=readable, mode="r|", tarinfo=tarinfo) as tar:
                yield tar


def tar_members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members, one after the other; none is kept, as there may be millions."""
    while member := tar.next():
        tar.members.clear()  # type: ignore[attr-defined]
        yield member


class TarArchive(_Members):
    """The pictures of a tar file, plain or compressed, read front to back in one pass.

    A record is read before the next one is listed: a compressed tar cannot be read at random.
    """

    def count(self) -> None:
        """Unknown: counting would unpack the whole archive."""

    def _records(self) -> Iterator[ImageRecord]:
        position = 0
        try:
            with open_tar(self.path) as tar:
                for member in tar_members(tar):
                    if not member.isfile() or self._is_passed(member.name):
                        continue
                    file = tar.extractfile(member)
                    assert file is not None, "a regular member of a tar file has content"
                    head = file.read(SNIFFED_BYTES)
                    if self._is_picture(member.name, head):
                        yield self._record(member, position, partial(_read_on, file, head))
                        position += 1
        except DAMAGE as error:
            reason = f"the archive is damaged after {position} pictures: {error}"
            yield unreadable(f"{self.name}!/", self.name, position, reason)

    def _record(
        self, member: tarfile.TarInfo, position: int, read: Callable[[int], bytes]
    ) -> ImageRecord:
        return ImageRecord(
            self._uri(member.name),
            self.name,
            position,
            size=member.size,
            mtime=float(member.mtime),
            read=partial(read, member.size),
            passes_by=True,
        )


def _read_on(file: IO[bytes], head: bytes, n_bytes: int) -> bytes:
    check_size(n_bytes)
    try:
        return _rest(file, head)
    except DAMAGE as error:
        raise ImageProblem(f"damaged in its archive: {error}") from error
