"""Who may ask the server, and for what."""

from __future__ import annotations

from bilderatlas.server.access.gate import Gate
from bilderatlas.server.access.policy import Access

__all__ = ["Access", "Gate"]
