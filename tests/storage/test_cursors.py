"""A cursor is read as it was written, or refused."""

from __future__ import annotations

import base64

import pytest

from bilderatlas.errors import QueryError
from bilderatlas.storage import cursors


@pytest.mark.parametrize("key", [(3, "/a/b.png", ""), (-(2**63), "ä‮'\";--", "\ud800")])
def test_what_was_written_is_read(key: tuple[int, str, str]) -> None:
    cursor = cursors.write("name", key)
    assert cursor.isascii()
    assert "=" not in cursor
    assert cursors.read(cursor, "name", int, str, str) == key


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "%%%", "ä", "bm9uZQ"),
        *(cursors.write("name", (1,))[:-3], cursors.write("name", ("1",))),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
)
def test_a_damaged_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(QueryError, match="is damaged"):
        cursors.read(cursor, "name", int)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(QueryError, match="belongs to the list 'date', not to 'name'"):
        cursors.read(cursors.write("date", (1,)), "name", int)


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(QueryError, match="is damaged"):
        cursors.read(cursors.write("name", (True,)), "name", int)
