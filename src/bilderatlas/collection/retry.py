"""Verbs that are tried again where a writer removed the version that they were reading."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from bilderatlas.errors import StoreError, VersionGone

Reader = TypeVar("Reader", bound="type[Renewable]")


class Renewable(Protocol):
    """What reads versions, and can go on to the newest."""

    def renew(self) -> None: ...


def retried(*, unless: tuple[str, ...]) -> Callable[[Reader], Reader]:
    """Try the public verbs of a class again with the newest version, but for some.

    These are the ones that write: half of it may be done when they fail.
    """

    def decorate(reader: Reader) -> Reader:
        for name, verb in list(vars(reader).items()):
            is_verb = inspect.isfunction(verb) and not inspect.isgeneratorfunction(verb)
            if is_verb and not name.startswith("_") and name not in unless:
                setattr(reader, name, _with_retry(verb))
        return reader

    return decorate


def _with_retry(verb: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(verb)
    def tried(self: Renewable, *given: Any, **options: Any) -> Any:
        try:
            return verb(self, *given, **options)
        except VersionGone:
            self.renew()
        try:
            return verb(self, *given, **options)
        except VersionGone as gone:
            raise StoreError(f"{gone} It was read once more, and replaced once more.") from gone

    return tried
