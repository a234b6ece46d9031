"""Who may ask the server, and for what."""

from __future__ import annotations

from bilderatlas.server.auth.middleware import Gate
from bilderatlas.server.auth.policy import Access

__all__ = ["Access", "Gate"]
