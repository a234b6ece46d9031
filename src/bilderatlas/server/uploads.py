"""Files that people send: kept inside the collection, and safe to read from there.

An upload is a folder `uploads/ID` of the collection. While files arrive it is called `ID.part`;
what was never finished is swept away. `pictures/` holds pictures under their own relative names,
made safe, `archives/` holds ZIP and tar files, which are read in place and never unpacked. Whether
something is a picture or an archive, its bytes say, not its name.
"""

from __future__ import annotations

import re
import secrets
import shutil
import threading
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self

from bilderatlas.errors import DiskFull, UploadError, UploadNotFound, UploadTooLarge
from bilderatlas.indexing.images import looks_like_picture
from bilderatlas.indexing.sources.archives import DAMAGE, open_tar, tar_members
from bilderatlas.indexing.sources.exclude import ARCHIVE_SUFFIXES
from bilderatlas.storage.disk import disk_errors, gone

FOLDER = "uploads"
PART = ".part"
PICTURES, ARCHIVES = "pictures", "archives"
N_ID_BYTES = 16
N_HEAD = 512  # bytes that say what a file is
MAX_NAME_BYTES = 200  # of one part of a name; most disks take 255
MAX_DEPTH = 20  # folders in a name
MAX_PATH_BYTES = 2000  # of a whole name; the collection's own place comes on top
STALE_S = 24 * 3600  # an upload that nothing was added to for so long is given up
ROOM_LEFT = 500_000_000  # bytes of the disk that uploads leave free
MANY_BYTES = 100_000_000  # what may be packed as tightly as it likes
UNSAFE = re.compile(r'[<>:"|?*]')  # in a file's name, on one system or another


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What one upload may hold."""

    n_files: int = 200_000
    picture_bytes: int = 2**30
    archive_bytes: int = 20 * 2**30
    total_bytes: int = 50 * 2**30
    unpacked_bytes: int = 100 * 2**30  # of one archive
    n_members: int = 1_000_000  # of one archive
    ratio: int = 200  # unpacked to packed, where that is MANY_BYTES


@dataclass(slots=True)
class _Tally:
    """What an upload holds so far."""

    n_files: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Received:
    """A file that was taken in."""

    name: str  # as it was sent
    kept_as: str  # its place in the upload
    kind: str  # "picture" or "archive"
    n_bytes: int


class Uploads:
    """The uploads of one collection that are not finished yet. Safe from several threads."""

    def __init__(self, collection: Path, limits: UploadLimits | None = None) -> None:
        self._collection = collection
        self._limits = limits or UploadLimits()
        self._tallies: dict[str, _Tally] = {}
        self._counting = threading.Lock()
        self.finishing = threading.Lock()  # to be held while one is closed and its job begins

    def begin(self) -> str:
        """Make room for an upload; its id."""
        upload = secrets.token_hex(N_ID_BYTES)
        with disk_errors(self._collection):
            sweep(self._collection)
            folder = self._collection / FOLDER
            folder.mkdir(exist_ok=True)  # no parents: what was moved away is not made anew
            (folder / f"{upload}{PART}").mkdir()
        return upload

    def receive(self, upload: str, name: str) -> Incoming:
        """Take in a file. Raises UploadNotFound, UploadTooLarge, UploadError for such a name."""
        part = _open_folder(self._collection, upload)
        with self._counting, disk_errors(self._collection):
            if upload not in self._tallies:
                sizes = [file.stat().st_size for file in _kept(part)]
                self._tallies[upload] = _Tally(len(sizes), sum(sizes))
            return Incoming(self._collection, part, name, self._limits, self._tallies[upload])

    def is_finished(self, upload: str) -> bool:
        """Whether an upload is closed. Raises UploadNotFound for what is no id."""
        return (self._collection / FOLDER / _id(upload)).is_dir()

    def finish(self, upload: str) -> int:
        """Close an upload, so that it can be indexed; how many files it has.

        One that is closed stays so. Raises UploadNotFound, UploadError where it has no file.
        """
        closed = self._collection / FOLDER / _id(upload)
        if self.is_finished(upload):
            return len(_kept(closed))
        part = _open_folder(self._collection, upload)
        n_files = len(_kept(part))
        if not n_files:
            raise UploadError("Nothing was uploaded: no file was a picture or an archive.")
        with disk_errors(self._collection):
            for draft in _drafts(part):
                draft.unlink(missing_ok=True)
            part.rename(closed)
        self._tallies.pop(upload, None)
        return n_files

    def reopen(self, upload: str) -> None:
        """Take `finish` back, because what was to follow was refused."""
        closed = self._collection / FOLDER / _id(upload)
        with disk_errors(self._collection):
            closed.rename(closed.with_name(f"{upload}{PART}"))

    def discard(self, upload: str) -> None:
        """Give up an upload and what it holds. Raises UploadNotFound."""
        part = _open_folder(self._collection, upload)
        with disk_errors(self._collection):
            shutil.rmtree(part, ignore_errors=True)  # what still arrives may leave meanwhile
            if part.exists():
                shutil.rmtree(part)
        self._tallies.pop(upload, None)


def sources(collection: Path, upload: str) -> list[Path]:
    """What to index of a finished upload: its pictures, and each archive. Raises UploadNotFound."""
    folder = collection / FOLDER / _id(upload)
    if not folder.is_dir():
        raise UploadNotFound(f"There is no finished upload {upload!r}.")
    pictures, archives = folder / PICTURES, folder / ARCHIVES
    return [
        *([pictures] if pictures.is_dir() else []),
        *(sorted(archives.iterdir()) if archives.is_dir() else []),
    ]


def sweep(collection: Path, *, now: float | None = None) -> int:
    """Remove uploads that were never finished and have rested for a day; how many."""
    oldest = (time.time() if now is None else now) - STALE_S
    left = [part for part in (collection / FOLDER).glob(f"*{PART}") if _changed_at(part) < oldest]
    for part in left:
        shutil.rmtree(part, ignore_errors=True)  # what cannot be removed keeps nobody from sending
    return len(left)


def _changed_at(part: Path) -> float:
    """When something was added to an upload; what leaves meanwhile counts nothing."""
    times = [0.0]
    for file in (part, *part.rglob("*")):
        with suppress(FileNotFoundError):
            times.append(file.lstat().st_mtime)
    return max(times)


def _kept(folder: Path) -> list[Path]:
    """The files that an upload holds, without those that still arrive."""
    found = (file for kind in (PICTURES, ARCHIVES) for file in (folder / kind).rglob("*"))
    return [file for file in found if file.is_file()]


def _drafts(part: Path) -> list[Path]:
    """The files that still arrive, or of which a server that was killed had a part."""
    return [file for file in part.iterdir() if file.is_file()]


class Incoming:
    """One file that arrives, piece by piece. What is not `close`d leaves nothing behind."""

    def __init__(
        self, collection: Path, part: Path, name: str, limits: UploadLimits, tally: _Tally
    ) -> None:
        """`part` is the upload's folder."""
        self._collection, self._part, self._limits, self._tally = collection, part, limits, tally
        self._name, self._safe = name, safe_name(name)
        if tally.n_files >= limits.n_files:
            raise UploadTooLarge(f"An upload has {limits.n_files:,} files at most.")
        self._left = limits.total_bytes - tally.n_bytes
        self._free = shutil.disk_usage(part).free - ROOM_LEFT
        self._draft = part / f".{secrets.token_hex(8)}"
        self._file: BinaryIO | None = None
        self._head = b""
        self._n_bytes = 0

    def __enter__(self) -> Self:
        with disk_errors(self._collection):
            self._file = self._draft.open("wb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with disk_errors(self._collection):
            try:
                if self._file:
                    self._file.close()  # it writes what it has not yet
            finally:
                self._draft.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """Take in some bytes. Raises UploadTooLarge, DiskFull, StoreError."""
        assert self._file, "used in a with statement"
        if len(self._head) < N_HEAD:
            self._head += piece[: N_HEAD - len(self._head)]
        self._n_bytes += len(piece)
        self._check_size()
        with disk_errors(self._collection):
            self._file.write(piece)

    def _check_size(self) -> None:
        is_archive = _archive_suffix(self._head) is not None
        most = self._limits.archive_bytes if is_archive else self._limits.picture_bytes
        if self._n_bytes > most:
            raise UploadTooLarge(f"{self._name}: more than {most / 2**30:.1f} GiB.")
        if self._n_bytes > self._left:
            raise UploadTooLarge(
                f"{self._name}: there is no room for it. An upload holds "
                f"{self._limits.total_bytes / 2**30:.0f} GiB at most."
            )
        if self._n_bytes > self._free:
            raise DiskFull(
                f"{self._name}: there is no room for it on the disk of {self._collection}; uploads "
                f"leave {ROOM_LEFT / 1e9:g} GB of it free. Make room and send it again."
            )

    def close(self) -> Received:
        """Say that the file is whole. Raises UploadError for what is no picture or archive."""
        assert self._file, "used in a with statement"
        with disk_errors(self._collection):
            self._file.close()
        self._check_open()
        suffix = _archive_suffix(self._head)
        if suffix is None and not looks_like_picture(self._head):
            raise UploadError(
                f"{self._name}: neither a picture nor a ZIP or tar archive, by its content."
            )
        if suffix is not None:
            _check_archive(self._draft, suffix, self._name, self._limits)
        place = self._place(suffix)
        self._tally.n_files += 1
        self._tally.n_bytes += self._n_bytes
        kind = "picture" if suffix is None else "archive"
        kept_as = place.relative_to(self._part).as_posix()
        return Received(self._name, kept_as, kind, self._n_bytes)

    def _check_open(self) -> None:
        """Refuse a file whose upload did not wait for it."""
        if self._draft.exists():
            return
        if not self._collection.exists():
            raise gone(self._collection)
        raise UploadNotFound(
            f"The upload was finished or given up while {shown(self._name)} was sent. "
            "POST /api/v1/uploads begins another."
        )

    def _place(self, suffix: str | None) -> Path:
        """Move the file to where nothing else lies."""
        wanted = PurePosixPath(self._safe)
        if suffix is None:
            place = self._part / PICTURES / wanted
        else:
            is_told = wanted.name.lower().endswith(ARCHIVE_SUFFIXES)
            place = self._part / ARCHIVES / (wanted.name if is_told else wanted.name + suffix)
        with disk_errors(self._collection):
            self._make_folders(place)
            free, n = place, 1
            while True:
                try:
                    free.touch(exist_ok=False)
                except FileExistsError:
                    n += 1
                    free = _numbered(place, n)
                else:
                    return self._draft.replace(free)

    def _make_folders(self, place: Path) -> None:
        """Make the folders of a file within the upload, but not the upload: it may be gone."""
        above = [*place.relative_to(self._part).parents]  # the nearest first, "." last
        try:
            for folder in above[-2::-1]:
                (self._part / folder).mkdir(exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UploadError(
                f"{shown(self._name)} lies in a folder that has the name of a file sent before."
            ) from None


def _numbered(place: Path, n: int) -> Path:
    """`a (2).tar.gz`: what a file is known by stays at its end."""
    ends = (end for end in ARCHIVE_SUFFIXES if place.name.lower().endswith(end))
    stem = place.name[: -len(next(ends, place.suffix)) or None]
    return place.with_name(f"{stem} ({n}){place.name[len(stem) :]}")


def safe_name(name: str) -> str:
    """A relative name that every disk takes and that leads nowhere else.

    Raises UploadError for a name that is absolute, climbs up, or is none.
    """
    parts = name.replace("\\", "/").split("/")
    if not name or name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise UploadError(
            f"{shown(name)} cannot be the name of an upload: it must be relative and must not "
            "climb up."
        )
    safe = [_safe_part(part) for part in parts if part not in ("", ".")]
    whole = "/".join(safe)
    if not safe or len(safe) > MAX_DEPTH or len(whole.encode()) > MAX_PATH_BYTES:
        raise UploadError(
            f"{shown(name)} cannot be the name of an upload, or has over {MAX_DEPTH} folders or "
            f"{MAX_PATH_BYTES:,} bytes."
        )
    return whole


def _safe_part(part: str) -> str:
    """One folder's or file's name, without what some system or the reader stumbles over."""
    kept = "".join("_" if unicodedata.category(sign)[0] == "C" else sign for sign in part)
    kept = UNSAFE.sub("_", kept).rstrip(". ")
    if kept.startswith("."):
        kept = f"_{kept[1:]}"  # hidden files are passed over by `index`
    if kept.lower().endswith(".atlas"):
        kept = f"{kept[:-6]}_atlas"  # and so are collections
    stem, dot, suffix = kept.rpartition(".")
    if len(kept.encode()) > MAX_NAME_BYTES:
        short = (stem if dot else kept).encode()[: MAX_NAME_BYTES - 20].decode(errors="ignore")
        kept = f"{short}{dot}{suffix[:10]}" if dot else short
    return kept or "_"


def shown(name: str) -> str:
    """A name as a message shows it: not longer than a line."""
    return repr(name if len(name) <= 80 else f"{name[:77]}...")


def _archive_suffix(head: bytes) -> str | None:
    """What an archive that begins so should be called; None for what is none."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ".zip"
    if head[257:262] == b"ustar":
        return ".tar"
    packed = {b"\x1f\x8b": ".tar.gz", b"BZh": ".tar.bz2", b"\xfd7zXZ\x00": ".tar.xz"}
    return next((suffix for start, suffix in packed.items() if head.startswith(start)), None)


def _check_archive(path: Path, suffix: str, name: str, limits: UploadLimits) -> None:
    """Refuse what would explode. Raises UploadTooLarge, UploadError for what is damaged."""
    sizes = _zip_sizes(path) if suffix == ".zip" else _tar_sizes(path)
    try:
        is_small = _are_few(sizes, path.stat().st_size, limits)
    except DAMAGE as error:
        raise UploadError(f"{shown(name)} is a damaged archive: {error}.") from error
    if not is_small:
        raise UploadTooLarge(f"{shown(name)} would be too large unpacked, and was refused.")


def _are_few(sizes: Iterator[int], packed: int, limits: UploadLimits) -> bool:
    """Whether an archive's members keep to the limits; read up to the first that does not."""
    left = min(limits.unpacked_bytes, max(MANY_BYTES, limits.ratio * packed))
    for n_members, size in enumerate(sizes, start=1):
        left -= size
        if left < 0 or n_members > limits.n_members:
            return False
    return True


def _zip_sizes(path: Path) -> Iterator[int]:
    with zipfile.ZipFile(path) as archive:
        yield from (member.file_size for member in archive.infolist())


def _tar_sizes(path: Path) -> Iterator[int]:
    with open_tar(path) as archive:
        yield from (max(0, member.size) for member in tar_members(archive))


def _open_folder(collection: Path, upload: str) -> Path:
    part = collection / FOLDER / f"{_id(upload)}{PART}"
    if part.is_dir():
        return part
    if not collection.exists():
        raise gone(collection)
    raise UploadNotFound(f"There is no open upload {upload!r}. POST /api/v1/uploads begins one.")


def _id(upload: str) -> str:
    """An id that is one: hexadecimal digits, and so no path."""
    if not re.fullmatch(f"[0-9a-f]{{{2 * N_ID_BYTES}}}", upload):
        raise UploadNotFound(f"{shown(upload)} is not an upload.")
    return upload
