"""What a collection says of itself: `atlas.json` in its folder, and a second copy in `spare`."""

from __future__ import annotations

import json
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

from bilderatlas.errors import CollectionNotFound, SchemaTooNew
from bilderatlas.results import IndexRun, StageSpeed
from bilderatlas.storage import schema
from bilderatlas.storage.checksums import SPARE
from bilderatlas.storage.damage import damaged, told
from bilderatlas.storage.disk import disk_errors, gone, write_whole

FILE = "atlas.json"
CHECKSUM = "checksum"  # of everything else that the file says


class Description:
    """The description of one collection; read again when another process wrote it."""

    def __init__(self, folder: Path) -> None:
        """Raises CollectionNotFound, SchemaTooNew or StoreError."""
        self._folder = folder
        self._seen = _fingerprint(folder)
        self._stated = _read(folder)

    def stated(self) -> dict[str, Any]:
        """Everything that it says now; not to be changed. Raises CollectionNotFound, StoreError."""
        seen = _fingerprint(self._folder)
        if seen is None and not self._folder.exists():
            raise gone(self._folder)
        if seen != self._seen:
            self._stated, self._seen = _read(self._folder), seen
        return self._stated

    def update(self, **facts: Any) -> None:
        """Say something new or otherwise. Only one process may, see `Store.writing`."""
        with disk_errors(self._folder):
            write(self._folder, self.stated() | facts)


def new() -> dict[str, Any]:
    """That of an empty collection."""
    return {"schema_version": schema.SCHEMA_VERSION, "active_space": None, "spaces": {}}


def write(folder: Path, stated: dict[str, Any]) -> None:
    """Put a description in the place of the old one: the whole of it is on disk, or nothing.

    The second copy comes first: where the two differ, it is the newer one.
    """
    spare = folder / SPARE / FILE
    if spare.is_dir() or (folder / SPARE).is_file():
        raise damaged(folder, f"{SPARE}/{FILE}", "it is not a file")
    spare.parent.mkdir(exist_ok=True)
    text = json.dumps(stated | {CHECKSUM: _checksum(stated)}, indent=2)
    for file in (spare, folder / FILE):
        write_whole(file, text.encode())


def _checksum(stated: dict[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(stated, sort_keys=True).encode()):08x}"


def _fingerprint(folder: Path) -> tuple[int, int] | None:
    """What tells whether the file was put in place anew."""
    try:
        facts = (folder / FILE).stat()
    except OSError:
        return None  # `_read` says what is wrong
    return facts.st_ino, facts.st_mtime_ns


def _read(path: Path) -> dict[str, Any]:
    if not (path / FILE).exists() and not is_left_of_one(path):
        raise CollectionNotFound(
            f"There is no collection at {path}. Make one with: bilderatlas index {path} PICTURES"
        )
    described = parsed(path / FILE)
    if isinstance(described, str):
        raise damaged(path, FILE, described)
    if described["schema_version"] > schema.SCHEMA_VERSION:
        raise SchemaTooNew(
            f"{path} has schema version {described['schema_version']}; this Bilderatlas "
            f"knows {schema.SCHEMA_VERSION}. Upgrade it: pip install --upgrade bilderatlas"
        )
    return described


def is_left_of_one(path: Path) -> bool:
    """Whether a folder without a description has tables."""
    return any((path / f"{table}.lance").is_dir() for table in schema.TABLES)


def parsed(file: Path) -> dict[str, Any] | str:
    """What a description says, without its checksum; or what is wrong with it.

    Versions before 2026-11-28 wrote none.
    """
    try:
        stated = json.loads(file.read_text("utf-8"))
    except (ValueError, OSError) as error:
        return told(error)
    if not isinstance(stated, dict) or not isinstance(stated.get("schema_version"), int):
        return "it does not describe a collection"
    if stated["schema_version"] > schema.SCHEMA_VERSION:
        return stated  # who knows how it is to be read
    checksum = stated.pop(CHECKSUM, None)
    if checksum not in (None, _checksum(stated)):
        return "it does not hold what was written"
    return stated if {"active_space", "spaces"} <= stated.keys() else "it names no spaces"


def last_index(description: dict[str, Any]) -> IndexRun | None:
    """What really ran the last time that pictures were embedded or searched."""
    stated = description.get("last_index")
    if stated is None:
        return None
    read = {
        "finished_at": datetime.fromisoformat(stated["finished_at"]),
        "finders": tuple(stated["finders"]),
        "stages": tuple(StageSpeed(**row) for row in stated["stages"]),
    }
    return IndexRun(**stated | read)
