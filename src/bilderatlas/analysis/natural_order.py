"""The order in which people read names: 2 before 10."""

from __future__ import annotations

import re

DIGITS = re.compile(r"(\d+)")


def key(name: str) -> tuple[list[str | int], str]:
    """What to sort a name by: its numbers count as numbers, capital letters as small ones."""
    parts = DIGITS.split(name.casefold())  # text, digits, text, ...
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name
