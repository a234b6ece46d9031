"""What a disk refuses, in a person's words."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import Timeout

from bilderatlas.errors import BilderatlasError, CollectionNotFound, DiskFull, StoreError

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
FULL_SIGNS = ("No space left", "File too large", "Disk quota")  # as Lance reports it


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder. What is removed meanwhile, by a writer, counts nothing."""
    n_bytes = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):
            n_bytes += file.stat().st_size if file.is_file() else 0
    return n_bytes


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Say in a person's words what the disk refused. Lance reports it as text."""
    try:
        yield
    except (BilderatlasError, Timeout):
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise _refusal(path, error) from error


def gone(path: Path) -> CollectionNotFound:
    """What to say of a collection that was there before."""
    return CollectionNotFound(
        f"{path} is no longer there: it was moved or removed. Put it back, or open it where it "
        "lies now."
    )


def is_full(error: BaseException) -> bool:
    """Whether an error says that there is no room on a disk."""
    return getattr(error, "errno", None) in FULL or any(sign in str(error) for sign in FULL_SIGNS)


def full_elsewhere(error: OSError) -> DiskFull | None:
    """What to say where another disk than the collection's is full; None for any other error."""
    if not is_full(error):
        return None
    where = error.filename or tempfile.gettempdir()
    return DiskFull(f"The disk of {where} is full. Make room and try again.")


def write_whole(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Put a file in the place of an older one: the whole of it is on disk, or the older one is.

    `mode` says who may read it, as far as the umask lets them. Raises OSError.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        draft.touch(mode, exist_ok=False)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with suppress(OSError):  # there is none where all went well
            draft.unlink()


def _refusal(path: Path, error: Exception) -> BilderatlasError:
    text = str(error)
    code = getattr(error, "errno", None)
    if is_full(error):
        return DiskFull(
            f"The disk of {path} is full. Nothing that was written before is lost: make room and "
            "try again; it goes on where it stopped."
        )
    if code in (errno.EROFS, errno.EACCES, errno.EPERM) or any(
        sign in text for sign in ("Read-only file system", "Permission denied")
    ):
        is_read_only = code == errno.EROFS or "Read-only" in text
        why = "its disk is read-only" if is_read_only else "no permission"
        return StoreError(
            f"{path} cannot be written: {why}. Make it writable, or use a collection in a folder "
            "of your own."
        )
    if isinstance(error, FileNotFoundError) and not path.exists():
        return gone(path)
    return StoreError(f"Writing to {path} failed: {text.splitlines()[0] if text else error!r}")
