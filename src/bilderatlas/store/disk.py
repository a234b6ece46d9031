"""What a disk refuses, in a person's words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import Timeout

from bilderatlas.errors import BilderatlasError, StoreError


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
        raise StoreError(_disk_message(path, error)) from error


def _disk_message(path: Path, error: Exception) -> str:
    text = str(error)
    code = getattr(error, "errno", None)
    if code in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT) or any(
        sign in text for sign in ("No space left", "File too large", "Disk quota")
    ):
        return (
            f"The disk of {path} is full. Nothing that was written before is lost: make room and "
            "run the same command again; it goes on where it stopped."
        )
    if code in (errno.EROFS, errno.EACCES, errno.EPERM) or any(
        sign in text for sign in ("Read-only file system", "Permission denied")
    ):
        is_read_only = code == errno.EROFS or "Read-only" in text
        why = "its disk is read-only" if is_read_only else "no permission"
        return f"{path} cannot be written: {why}. Choose a collection in a folder of yours."
    return f"Writing to {path} failed: {text.splitlines()[0] if text else error!r}"
