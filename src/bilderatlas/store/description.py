"""What a collection says of itself: `atlas.json` in its folder."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from bilderatlas.errors import CollectionNotFound, SchemaTooNew, StoreError
from bilderatlas.results import IndexRun, StageSpeed
from bilderatlas.store import schema

FILE = "atlas.json"


def new() -> dict[str, Any]:
    """That of an empty collection."""
    return {"schema_version": schema.SCHEMA_VERSION, "active_space": None, "spaces": {}}


def read(path: Path) -> dict[str, Any]:
    """The description of the collection at `path`.

    Raises CollectionNotFound, SchemaTooNew or StoreError.
    """
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


def write(path: Path, description: dict[str, Any]) -> None:
    """Put a description in the place of the old one: the whole of it is on disk, or nothing."""
    draft = path / f"{FILE}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(description, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path / FILE)
