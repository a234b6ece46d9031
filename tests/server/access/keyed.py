"""A server with two keys, and what to send to be one of their owners."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bilderatlas.server.access import Access, keys
from bilderatlas.server.access.keys import Keys

(_editor, EDITOR), (_viewer, VIEWER) = keys.make("anna", "editor"), keys.make("ben", "viewer")
ACCESS = Access(keys=Keys([_editor, _viewer]))


def access(**changes: Any) -> Access:
    """What the server allows, with some of it changed."""
    return replace(ACCESS, **changes)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
