"""A server with two keys, and what to send to be one of their owners."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bilderatlas.server.auth import Access, api_keys
from bilderatlas.server.auth.api_keys import Keys

(_editor, EDITOR), (_viewer, VIEWER) = (
    api_keys.make("anna", "editor"),
    api_keys.make("ben", "viewer"),
)
ACCESS = Access(keys=Keys([_editor, _viewer]))


def access(**changes: Any) -> Access:
    """What the server allows, with some of it changed."""
    return replace(ACCESS, **changes)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
