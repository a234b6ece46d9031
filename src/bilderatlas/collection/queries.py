"""A query as a person writes it -> weighted terms: "2:dog + ./beach.jpg - snow".

Terms are joined by " + " and " - " with spaces around them, so that t-shirts stay whole; a number
and a colon before a term is its weight. A term that looks like a picture file is one. Words in
double quotes are taken as they are, a doubled double quote for each one in them: `phrase`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bilderatlas import characters
from bilderatlas.errors import QueryError
from bilderatlas.indexing.images import PICTURE_SUFFIXES

MAX_TERMS = 32
MAX_WEIGHT = 1_000_000  # beside which all other terms are nothing

_SIGN = re.compile(r'\s+([+-])\s+(?=(?:[^"]*"[^"]*")*[^"]*$)')  # not inside double quotes
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?)\s*:\s*(?=[^\s\d])")  # 16:9 is no weight
_IMAGE_ID = re.compile(r"image:([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a query: words, a picture file, or an image of the collection."""

    weight: float  # negative: unlike this
    words: str | None = None
    is_phrase: bool = False  # words in double quotes
    file: str | None = None
    image_id: str | None = None


def parse(query: str, *, beside_picture: bool = False) -> tuple[Term, ...]:
    """Take a query apart.

    Raises QueryError where nothing is asked for: no terms, or none with a positive weight, unless
    a picture is asked with as well.
    """
    sign = "+"
    text = query.strip()
    if text[:2] in ("- ", "+ "):
        sign, text = text[0], text[2:]
    pieces = _SIGN.split(text)  # term, sign, term, sign, term ...
    signs = [sign, *pieces[1::2]]
    terms = tuple(
        _term(piece, -1.0 if sign == "-" else 1.0)
        for sign, piece in zip(signs, pieces[::2], strict=True)
    )
    if len(terms) > MAX_TERMS:
        raise QueryError(f"The query has {len(terms)} terms; at most {MAX_TERMS} are taken.")
    if not beside_picture and all(term.weight <= 0 for term in terms):
        raise QueryError(
            f"The query {query!r} only says what the pictures should not show. Add what they "
            "should, or put words that begin with a sign into double quotes."
        )
    return terms


def phrase(text: str) -> str:
    """The query for a text as it is: a caption may begin with a dash, and hold signs and quotes."""
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def written(terms: Sequence[Term]) -> str:
    """Put a query together again, so that `parse` reads the same terms from it."""
    pieces: list[str] = []
    for term in terms:
        sign = "-" if term.weight < 0 else "+"
        weight = "" if abs(term.weight) == 1 else f"{abs(term.weight):g}:"
        is_plain_first = not pieces and sign == "+"
        pieces.append(f"{'' if is_plain_first else sign + ' '}{weight}{_named(term)}")
    return " ".join(pieces)


def _named(term: Term) -> str:
    if term.image_id:
        return f"image:{term.image_id}"
    return phrase(term.words or "") if term.is_phrase else term.words or term.file or ""


def _term(piece: str, sign: float) -> Term:
    weighted = _WEIGHT.match(piece)
    weight = sign * (_weight(weighted[1]) if weighted else 1.0)
    rest = piece[weighted.end() :].strip() if weighted else piece.strip()
    if len(rest) > 1 and rest[0] == rest[-1] == '"':
        return Term(weight, words=_words(rest[1:-1].replace('""', '"')), is_phrase=True)
    if image := _IMAGE_ID.fullmatch(rest):
        return Term(weight, image_id=image[1])
    if _is_file(rest):
        return Term(weight, file=rest)
    return Term(weight, words=_words(rest))


def _weight(text: str) -> float:
    weight = float(text)
    if weight > MAX_WEIGHT:
        raise QueryError(f"The weight {text[:20]} is too large; give at most {MAX_WEIGHT:,}.")
    return weight


def _words(text: str) -> str:
    if not text.strip():
        raise QueryError("The query is empty. Say what the pictures should show.")
    characters.check(text, "The query")
    return text.strip()


def _is_file(text: str) -> bool:
    """Whether a term can only mean a picture file."""
    return text.startswith(("./", "../", "/", "~/")) or (
        Path(text).suffix.lower() in PICTURE_SUFFIXES
    )


def weights(given: Sequence[str]) -> dict[str, float]:
    """Weights of kinds as a person writes them: "person=2". Raises QueryError."""
    return dict(map(_weight_of_kind, given))


def _weight_of_kind(given: str) -> tuple[str, float]:
    kind, _, weight = given.partition("=")
    try:
        return kind.strip(), float(weight)
    except ValueError:
        raise QueryError(
            f"The weight {given!r} cannot be read. Write a kind, = and a number: person=2"
        ) from None
