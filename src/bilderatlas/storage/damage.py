"""What is not as it was written, in one sentence that names the command which mends it."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bilderatlas.errors import BilderatlasError, CollectionDamaged, StoreError
from bilderatlas.storage.disk import gone

EXHAUSTED = ("Too many open files", "No space left", "Cannot allocate memory")  # no damage
PANIC = "PanicException"  # of Rust; no Exception, and in no module that can be imported


def damaged(folder: Path, what: str, why: str) -> CollectionDamaged:
    """The refusal of a verb that meets damage in a collection."""
    name = shlex.quote(folder.stem)
    return CollectionDamaged(
        f"{what} of collection '{folder.stem}' is damaged ({why}): see what is lost with "
        f"'bilderatlas doctor {name}', and mend it with 'bilderatlas doctor {name} --repair'."
    )


@contextmanager
def reading(folder: Path, what: str) -> Iterator[None]:
    """Say of whatever goes wrong in reading a part of a collection that the part is damaged."""
    try:
        yield
    except BilderatlasError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        if not folder.exists():
            raise gone(folder) from error
        if any(sign in str(error) for sign in EXHAUSTED):
            raise StoreError(f"{what} of {folder} cannot be read now: {told(error)}.") from error
        raise damaged(folder, what, told(error)) from error
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        raise damaged(folder, what, told(error)) from error


def told(error: BaseException) -> str:
    """The first line of what a library says, without the places in its source."""
    if isinstance(error, OSError) and error.strerror:
        return f"{errno.errorcode.get(error.errno or 0, 'error')}: {error.strerror}"
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.split(", /")[0][:200]
