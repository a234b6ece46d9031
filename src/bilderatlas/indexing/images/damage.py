"""What damaged files raise."""

from __future__ import annotations

import struct
import zlib

# What Pillow raises for damaged files (found by fuzzing); OSError and the like only to begin with.
DAMAGE = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, RuntimeError, AssertionError, struct.error, zlib.error),
)
