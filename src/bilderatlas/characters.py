"""What people type -> a text, a name or a path; refused where none of these can be so."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from bilderatlas.errors import BilderatlasError, QueryError

LONGEST_PART, LONGEST_PATH = 255, 4095  # bytes that file systems take
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
_IN_NO_PATH = re.compile("[\0\ud800-\udc7f\udd00-\udfff]")  # Python keeps other bytes as the rest
_UNREADABLE = ("Cc", "Cs")  # controls, and halves of characters
_SHOWN = 60  # characters of a refused text


def check(text: str, what: str, refusal: type[BilderatlasError] = QueryError) -> None:
    """Raise `refusal` where a text holds a NUL or half of a character (a lone surrogate).

    Neither can be kept, sent or looked for. `what` is what the text is: "The query".
    """
    if wrong := _NO_CHARACTER.search(text):
        raise refusal(
            f"{what} {_shown(text)} holds {wrong[0]!a} at character {wrong.start() + 1:,}, which "
            "is not a valid character: bytes that are not UTF-8 turn into these. Leave it out."
        )


def check_name(name: str, what: str, refusal: type[BilderatlasError]) -> None:
    """Raise `refusal` where a name that is kept and shown holds what nobody can read."""
    for character in name:
        if unicodedata.category(character) in _UNREADABLE:
            raise refusal(
                f"{what} {_shown(name)} holds {character!a}, which cannot be shown. Leave it out."
            )


def check_path(path: Path) -> None:
    """Raise QueryError for a path that no file can have. Its bytes need be no UTF-8."""
    if wrong := _IN_NO_PATH.search(str(path)):
        raise QueryError(
            f"No file can be called {_shown(str(path))}: {wrong[0]!a} cannot be in a name. Give a "
            "path as `bilderatlas export` lists it."
        )
    longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
    if longest > LONGEST_PART or len(os.fsencode(path)) > LONGEST_PATH:
        raise QueryError(
            f"No file can be called {_shown(str(path))}: a name has at most {LONGEST_PART} bytes, "
            f"a path {LONGEST_PATH:,}."
        )


def _shown(text: str) -> str:
    return ascii(text[:_SHOWN] + "..." * (len(text) > _SHOWN))
