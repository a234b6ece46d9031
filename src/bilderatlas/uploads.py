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
import time
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self

from bilderatlas.errors import UploadError, UploadNotFound, UploadTooLarge
from bilderatlas.images import looks_like_picture
from bilderatlas.sources.archives import DAMAGE, open_tar, tar_members
from bilderatlas.sources.passing import ARCHIVE_SUFFIXES
from bilderatlas.store.disk import disk_errors

FOLDER = "uploads"
PART = ".part"
PICTURES, ARCHIVES = "pictures", "archives"
N_HEAD = 512  # bytes that say what a file is
MAX_NAME_BYTES = 200  # of one part of a name; most disks take 255
MAX_DEPTH = 20  # folders in a name
STALE_S = 24 * 3600  # an upload that nothing was added to for so long is given up
ROOM_LEFT = 500_000_000  # bytes of the disk that uploads leave free
MANY_BYTES = 100_000_000  # what may be packed as tightly as it likes
UNSAFE = re.compile(r'[<>:"|?*]')  # in a file's name, on one system or another


@dataclass(frozen=True, slots=True)
class Limits:
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
    """The uploads of one collection that are not finished yet."""

    def __init__(self, collection: Path, limits: Limits | None = None) -> None:
        self._collection = collection
        self._limits = limits or Limits()
        self._tallies: dict[str, _Tally] = {}

    def begin(self) -> str:
        """Make room for an upload; its id."""
        sweep(self._collection)
        upload = secrets.token_hex(8)
        with disk_errors(self._collection):
            (self._collection / FOLDER / f"{upload}{PART}").mkdir(parents=True)
        return upload

    def receive(self, upload: str, name: str) -> Incoming:
        """Take in a file. Raises UploadNotFound, UploadTooLarge, UploadError for such a name."""
        part = _open_folder(self._collection, upload)
        if upload not in self._tallies:
            sizes = [file.stat().st_size for file in part.rglob("*") if file.is_file()]
            self._tallies[upload] = _Tally(len(sizes), sum(sizes))
        return Incoming(part, name, self._limits, self._tallies[upload])

    def finish(self, upload: str) -> int:
        """Close an upload, so that it can be indexed; how many files it has.

        Raises UploadNotFound, UploadError where it has none.
        """
        part = _open_folder(self._collection, upload)
        n_files = sum(1 for file in part.rglob("*") if file.is_file())
        if not n_files:
            raise UploadError("Nothing was uploaded: no file was a picture or an archive.")
        self._tallies.pop(upload, None)
        with disk_errors(self._collection):
            part.rename(part.with_suffix(""))
        return n_files

    def discard(self, upload: str) -> None:
        """Give up an upload and what it holds. Raises UploadNotFound."""
        part = _open_folder(self._collection, upload)
        self._tallies.pop(upload, None)
        with disk_errors(self._collection):
            shutil.rmtree(part)


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
    left = [
        part
        for part in (collection / FOLDER).glob(f"*{PART}")
        if max(file.lstat().st_mtime for file in (part, *part.rglob("*"))) < oldest
    ]
    for part in left:
        shutil.rmtree(part)
    return len(left)


class Incoming:
    """One file that arrives, piece by piece. What is not `close`d leaves nothing behind."""

    def __init__(self, part: Path, name: str, limits: Limits, tally: _Tally) -> None:
        """`part` is the upload's folder."""
        self._part, self._limits, self._tally = part, limits, tally
        self._name, self._safe = name, safe_name(name)
        if tally.n_files >= limits.n_files:
            raise UploadTooLarge(f"An upload has {limits.n_files:,} files at most.")
        free = shutil.disk_usage(part).free - ROOM_LEFT
        self._room = min(limits.total_bytes - tally.n_bytes, free)
        self._draft = part / f".{secrets.token_hex(8)}"
        self._file: BinaryIO | None = None
        self._head = b""
        self._n_bytes = 0

    def __enter__(self) -> Self:
        with disk_errors(self._part):
            self._file = self._draft.open("wb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()
        self._draft.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """Take in some bytes. Raises UploadTooLarge, UploadError, StoreError."""
        assert self._file, "used in a with statement"
        if len(self._head) < N_HEAD:
            self._head += piece[: N_HEAD - len(self._head)]
        self._n_bytes += len(piece)
        self._check_size()
        with disk_errors(self._part):
            self._file.write(piece)

    def _check_size(self) -> None:
        is_archive = _archive_suffix(self._head) is not None
        most = self._limits.archive_bytes if is_archive else self._limits.picture_bytes
        if self._n_bytes > most:
            raise UploadTooLarge(f"{self._name}: more than {most / 2**30:.1f} GiB.")
        if self._n_bytes > self._room:
            raise UploadTooLarge(
                f"{self._name}: there is no room for it. An upload holds "
                f"{self._limits.total_bytes / 2**30:.0f} GiB at most, and leaves room on the disk."
            )

    def close(self) -> Received:
        """Say that the file is whole. Raises UploadError for what is no picture or archive."""
        assert self._file, "used in a with statement"
        with disk_errors(self._part):
            self._file.close()
        suffix = _archive_suffix(self._head)
        if suffix is None and not looks_like_picture(self._head):
            raise UploadError(
                f"{self._name}: neither a picture nor a ZIP or tar archive, by its content."
            )
        if suffix is not None:
            _check_archive(self._draft, self._name, self._limits)
        place = self._place(suffix)
        self._tally.n_files += 1
        self._tally.n_bytes += self._n_bytes
        kind = "picture" if suffix is None else "archive"
        kept_as = place.relative_to(self._part).as_posix()
        return Received(self._name, kept_as, kind, self._n_bytes)

    def _place(self, suffix: str | None) -> Path:
        """Move the file to where nothing else lies."""
        wanted = PurePosixPath(self._safe)
        if suffix is None:
            place = self._part / PICTURES / wanted
        else:
            is_told = wanted.name.lower().endswith(ARCHIVE_SUFFIXES)
            place = self._part / ARCHIVES / (wanted.name if is_told else wanted.name + suffix)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UploadError(
                f"{shown(self._name)} lies in a folder that has the name of a file sent before."
            ) from None
        with disk_errors(self._part):
            free, n = place, 1
            while True:
                try:
                    free.touch(exist_ok=False)
                except FileExistsError:
                    n += 1
                    free = place.with_name(f"{place.stem} ({n}){place.suffix}")
                else:
                    return self._draft.replace(free)


def safe_name(name: str) -> str:
    """A relative name that every disk takes and that leads nowhere else.

    Raises UploadError for a name that is absolute, climbs up, or is none.
    """
    parts = name.replace("\\", "/").split("/")
    if not name or name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise UploadError(
            f"{shown(name)} is no name for an upload: it must be relative and must not climb up."
        )
    safe = [_safe_part(part) for part in parts if part not in ("", ".")]
    if not safe or len(safe) > MAX_DEPTH:
        raise UploadError(
            f"{shown(name)} is no name for an upload, or has over {MAX_DEPTH} folders."
        )
    return "/".join(safe)


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


def _check_archive(path: Path, name: str, limits: Limits) -> None:
    """Refuse what would explode. Raises UploadTooLarge, UploadError for what is damaged."""
    try:
        sizes = _zip_sizes(path) if zipfile.is_zipfile(path) else _tar_sizes(path, limits)
    except DAMAGE as error:
        raise UploadError(f"{shown(name)} is a damaged archive: {error}.") from error
    unpacked = sum(sizes)
    is_bomb = unpacked > MANY_BYTES and unpacked > limits.ratio * path.stat().st_size
    if len(sizes) > limits.n_members or unpacked > limits.unpacked_bytes or is_bomb:
        raise UploadTooLarge(f"{shown(name)} would unpack to too much, and was refused.")


def _zip_sizes(path: Path) -> list[int]:
    with zipfile.ZipFile(path) as archive:
        return [member.file_size for member in archive.infolist()]


def _tar_sizes(path: Path, limits: Limits) -> list[int]:
    """The sizes of a tar's members, up to the first that is past any limit."""
    sizes: list[int] = []
    limit = limits.unpacked_bytes
    with open_tar(path) as archive:
        for member in tar_members(archive):
            sizes.append(member.size)
            limit -= member.size
            if limit < 0:
                break
    return sizes


def _open_folder(collection: Path, upload: str) -> Path:
    part = collection / FOLDER / f"{_id(upload)}{PART}"
    if not part.is_dir():
        raise UploadNotFound(
            f"There is no open upload {upload!r}. POST /api/v1/uploads begins one."
        )
    return part


def _id(upload: str) -> str:
    """An id that is one: sixteen digits, and so no path."""
    if not re.fullmatch(r"[0-9a-f]{16}", upload):
        raise UploadNotFound(f"{shown(upload)} is no upload.")
    return upload
