"""What a collection says of itself: `atlas.json` in its folder."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from bilderatlas.errors import CollectionNotFound, SchemaTooNew, StoreError
from bilderatlas.results import IndexRun, StageSpeed
from bilderatlas.store import schema
from bilderatlas.store.disk import disk_errors, gone, write_whole

FILE = "atlas.json"


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
    """Put a description in the place of the old one: the whole of it is on disk, or nothing."""
    write_whole(folder / FILE, json.dumps(stated, indent=2).encode())


def _fingerprint(folder: Path) -> tuple[int, int] | None:
    """What tells whether the file was put in place anew."""
    try:
        facts = (folder / FILE).stat()
    except OSError:
        return None  # `_read` says what is wrong
    return facts.st_ino, facts.st_mtime_ns


def _read(path: Path) -> dict[str, Any]:
    try:
        description = json.loads((path / FILE).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise CollectionNotFound(
            f"There is no collection at {path}. Make one with: bilderatlas index {path} PICTURES"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        raise StoreError(f"{path / FILE} cannot be read: {error}.") from error
    if not isinstance(description, dict) or "schema_version" not in description:
        raise StoreError(f"{path / FILE} does not describe a collection. Is it another?")
    if description["schema_version"] > schema.SCHEMA_VERSION:
        raise SchemaTooNew(
            f"{path} has schema version {description['schema_version']}; this Bilderatlas "
            f"knows {schema.SCHEMA_VERSION}. Upgrade it: pip install --upgrade bilderatlas"
        )
    return description


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
