"""Images that somebody chose by hand, on a map for instance: kept under a short id.

The id is made of the images themselves, so that the same ones have the same id and an address that
names it can be shared. A selection is a file of the collection, `selections/ID`: its image ids, 16
bytes each. The ones used least lately make room for new ones.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from bilderatlas.errors import QueryError, SelectionNotFound
from bilderatlas.store.disk import disk_errors

FOLDER = "selections"
MAX_KEPT_BYTES = 256_000_000  # sixteen selections of a million images
MAX_KEPT = 1000
ID = re.compile("[0-9a-f]{16}")
_N_ID_BYTES = 16  # of an image


def keep(collection: Path, image_ids: Iterable[str], *, max_bytes: int = MAX_KEPT_BYTES) -> str:
    """Keep some images (by their ids); the selection's id. Raises QueryError for none at all."""
    content = bytes.fromhex("".join(sorted(set(image_ids))))
    if not content:
        raise QueryError("A selection needs images; there are none.")
    selection = blake2b(content, digest_size=8).hexdigest()
    folder = collection / FOLDER
    with disk_errors(collection):
        folder.mkdir(exist_ok=True)
        draft = folder / f"{selection}.{secrets.token_hex(4)}.new"
        draft.write_bytes(content)
        draft.replace(folder / selection)
        _make_room(folder, max_bytes)
    return selection


def read(collection: Path, selection: str) -> list[str]:
    """The ids of its images. Raises SelectionNotFound."""
    file = collection / FOLDER / selection
    try:
        content = file.read_bytes() if ID.fullmatch(selection) else b""
    except FileNotFoundError:
        content = b""
    if not content:
        raise SelectionNotFound(
            f"There is no selection {selection[:40]!r}: it was made elsewhere, or has made room "
            "for newer ones. Select the images again."
        )
    _note_use(file)
    ids = content.hex()
    width = 2 * _N_ID_BYTES
    return [ids[start : start + width] for start in range(0, len(ids), width)]


def _note_use(file: Path) -> None:
    """What was used lately stays; on a disk that cannot be written nothing has to make room."""
    if os.access(file, os.W_OK):
        file.touch()


def _make_room(folder: Path, max_bytes: int) -> None:
    """Remove the selections used least lately, but for the newest."""
    files = [(file.stat().st_mtime_ns, file.stat().st_size, file) for file in folder.iterdir()]
    n_bytes = 0
    for number, (_, size, file) in enumerate(sorted(files, reverse=True)):
        n_bytes += size
        if number and (n_bytes > max_bytes or number >= MAX_KEPT):
            file.unlink(missing_ok=True)
