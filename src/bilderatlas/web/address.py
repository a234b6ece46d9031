"""What every page takes and gives: an address in, a title and its children out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError
from bilderatlas.web import i18n
from bilderatlas.web.query_pictures import QueryPictures

MAX_TEXT = 2000  # characters of a parameter, as in the REST API
Children = list[Any]  # Dash components and strings


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page works with."""

    collection: Collection
    pictures: QueryPictures  # those that visitors search with


@dataclass(frozen=True, slots=True)
class Page:
    """One page, ready to be shown."""

    title: str
    children: Children


@dataclass(frozen=True, slots=True)
class Address:
    """The path and the parameters of an address: the whole state of a page."""

    path: str
    parameters: dict[str, str]

    @classmethod
    def parse(cls, path: str, query: str) -> Address:
        """Read `/search` and `?q=red&k=24`. Of a repeated parameter the last counts.

        What is no text in either becomes question marks: every page writes its address again.
        """
        path, query = (given.encode("utf-8", "replace").decode() for given in (path, query))
        found = parse_qs(query.removeprefix("?"))
        return cls(path, {name: values[-1].strip() for name, values in found.items()})

    def text(self, name: str) -> str | None:
        """A parameter, or None where it is left out or empty. Raises QueryError if too long."""
        given = self.parameters.get(name) or None
        if given and len(given) > MAX_TEXT:
            raise QueryError(i18n.too_long(name, len(given), MAX_TEXT))
        return given

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        """A whole number in low..high."""
        return int(self._number(name, default, low, high))

    def number(self, name: str, *, low: float = -1, high: float = 1) -> float | None:
        """A number in low..high, by default a score, or None where it is left out."""
        return self._number(name, None, low, high) if self.text(name) else None

    def _number(self, name: str, default: float | None, low: float, high: float) -> float:
        written = self.text(name)
        try:
            number = float(written) if written else default
        except ValueError:
            number = None
        if number is None or not low <= number <= high:
            raise QueryError(i18n.no_such_number(name, written or "", low, high))
        return number

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """One of some words, the first of them where it is left out."""
        written = self.text(name) or choices[0]
        if written not in choices:
            raise QueryError(i18n.no_such_choice(name, written, choices))
        return written

    @property
    def here(self) -> str:
        """The address itself, as a link has it."""
        return link(self.path, **self.parameters)

    def but(self, **changes: object) -> str:
        """The same address with some parameters changed."""
        return link(self.path, **(self.parameters | changes))


def aria(**attributes: str) -> dict[str, Any]:
    """Attributes for screen readers, in the spelling that Dash wants."""
    return {f"aria-{name}": value for name, value in attributes.items()}


def data(**attributes: str) -> dict[str, Any]:
    """Attributes that our scripts read: `data(next_page="/map")` is `data-next-page`."""
    return {f"data-{name.replace('_', '-')}": value for name, value in attributes.items()}


def link(path: str, **parameters: object) -> str:
    """The address of a page; parameters that are None or empty are left out."""
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return quote(path) + (f"?{urlencode(given)}" if given else "")
