"""What people type -> a text, or a refusal: the characters that no text has."""

from __future__ import annotations

import re

from bilderatlas.errors import BilderatlasError, QueryError

_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
_SHOWN = 60  # characters of a refused text


def check(text: str, what: str, refusal: type[BilderatlasError] = QueryError) -> None:
    """Raise `refusal` where a text holds a NUL or half of a character (a lone surrogate).

    Neither can be kept, sent or looked for. `what` is what the text is: "The query". Names of
    files are no such text: they may be any bytes, and Python keeps those as lone surrogates.
    """
    wrong = _NO_CHARACTER.search(text)
    if wrong is None:
        return
    kind = "a NUL" if wrong[0] == "\0" else "half of a character, as bytes that are no UTF-8 become"
    shown = text[:_SHOWN] + "..." * (len(text) > _SHOWN)
    raise refusal(
        f"{what} {shown!a} holds {wrong[0]!a} at character {wrong.start() + 1:,}: {kind}. Expected "
        "text in UTF-8; leave that out or write it anew."
    )
