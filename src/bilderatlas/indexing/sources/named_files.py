"""The file that a cell of a table means, where another system wrote its name."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from bilderatlas.errors import ImageProblem
from bilderatlas.indexing.sources import absolute, path_of

SCHEME = re.compile(r"(?!file:)([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
DRIVE = re.compile(r"[A-Za-z]:[\\/]")
N_LISTED = 64  # folders whose names are remembered
N_SHOWN = 3


class NamedFiles:
    """Finds files below a table's folder by names that may be spelled otherwise there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spelled = lru_cache(N_LISTED)(_spelled)

    def find(self, text: str) -> Path:
        """The file of this name, or the only one whose name differs as systems write names.

        Backslashes are slashes, of a path with a drive letter the last parts count, and letters
        may be of other case or otherwise composed (NFC, NFD). Raises ImageProblem where there is
        no such file, or several.
        """
        path = absolute(self._folder / path_of(text))
        if _is_there(path):
            return path
        _check_address(text)
        for spelled in _spellings(text):
            found = self._like(spelled)
            if len(found) > 1:
                names = ", ".join(str(each) for each in found[:N_SHOWN])
                raise ImageProblem(f"the table names {text!r}, which may be any of {names}")
            if found:
                return found[0]
        raise ImageProblem(f"the table names a file that is not there: {path}")

    def _like(self, text: str) -> list[Path]:
        """The paths that are spelled like this one, but for case and composition."""
        path = absolute(self._folder / path_of(text))
        found = [Path(path.anchor)]
        for part in path.parts[1:]:
            found = [below for folder in found for below in self._below(folder, part)]
        return found

    def _below(self, folder: Path, name: str) -> list[Path]:
        if _is_there(folder / name):
            return [folder / name]
        return [folder / spelled for spelled in self._spelled(folder).get(_folded(name), ())]


def _check_address(text: str) -> None:
    """Refuse what is an address, and none that is read. Raises ImageProblem."""
    if scheme := SCHEME.match(text):
        raise ImageProblem(
            f"{scheme[1]}:// addresses are not read: {text}. Give an https:// URL, or copy the "
            "files here and give their paths"
        )
    if text.startswith(("//", "\\\\")):
        host = text.replace("\\", "/").strip("/")
        raise ImageProblem(
            f"{text} is neither a path nor a whole URL. Give https://{host}, or the path where "
            "that share is mounted"
        )


def _spellings(text: str) -> Iterator[str]:
    """A path as it is written, with slashes, and below each of its folders where it has a drive."""
    slashed = text.replace("\\", "/")
    yield text
    if slashed != text:
        yield slashed
    if DRIVE.match(text):
        parts = slashed.split("/")[1:]
        yield from ("/".join(parts[n:]) for n in range(len(parts)))


def _spelled(folder: Path) -> dict[str, list[str]]:
    """The names in a folder, by what they have in common in all spellings."""
    names: dict[str, list[str]] = {}
    try:
        for entry in sorted(folder.iterdir()):
            names.setdefault(_folded(entry.name), []).append(entry.name)
    except OSError:
        return {}  # no folder, or one that may not be listed: nothing is found there
    return names


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _is_there(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  False for what is no path, or may not be seen
