"""Bilderatlas puts a pile of images in order by what the pictures mean.

import bilderatlas as ba

atlas = ba.open("holiday.atlas")
for hit in atlas.search("red bicycle", k=12):
    print(hit.path, hit.score)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bilderatlas._open import create as create
    from bilderatlas._open import open as open
    from bilderatlas.collection import Collection as Collection

__version__ = "0.1.0"
__all__ = ["BilderatlasError", "Collection", "create", "open"]

from bilderatlas import no_telemetry as no_telemetry
from bilderatlas.errors import BilderatlasError as BilderatlasError


def __getattr__(name: str) -> Any:
    """Load the rest when it is first used: `import bilderatlas` stays light."""
    if name in ("Collection", "create", "open"):
        from bilderatlas import _open

        return getattr(_open, name)
    raise AttributeError(f"module 'bilderatlas' has no attribute {name!r}")
