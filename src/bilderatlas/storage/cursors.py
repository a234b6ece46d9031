"""Where a list goes on: the last item's place in its order <-> an opaque text.

A cursor names the list that it belongs to and the sort key of the last item that was given out, so
that items that come or go meanwhile neither repeat nor skip others.
"""

from __future__ import annotations

import base64
import binascii
import json

from bilderatlas.errors import QueryError

Key = tuple[int | float | str, ...]
_SHOWN = 40  # characters of a refused cursor


def write(of: str, key: Key) -> str:
    """The cursor after the item with this sort key, in the list called `of`."""
    content = json.dumps([of, *key], ensure_ascii=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode("ascii")).decode("ascii").rstrip("=")


def read(cursor: str, of: str, *kinds: type) -> Key:
    """The sort key in a cursor of the list called `of`, its values of these kinds.

    Raises QueryError for a cursor that is damaged or of another list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeError, binascii.Error, ValueError, RecursionError):
        content = None
    if not isinstance(content, list) or [type(value) for value in content] != [str, *kinds]:
        raise _refused(cursor, "is damaged")
    if content[0] != of:
        raise _refused(cursor, f"belongs to the list {content[0]!r}, not to {of!r}")
    return tuple(content[1:])


def _refused(cursor: str, why: str) -> QueryError:
    shown = cursor[:_SHOWN] + "..." * (len(cursor) > _SHOWN)
    return QueryError(
        f"The cursor {shown!r} {why}. Use it as `next` gave it, with the same parameters, or "
        "begin again without one."
    )
