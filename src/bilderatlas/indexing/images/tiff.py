"""Which page of a TIFF file is its picture, and what Pillow does not see of it.

A TIFF file is a chain of directories, each a picture with its tags (TIFF 6.0, section 2; BigTIFF
has the same with longer numbers). Pillow opens the first, which may be a thumbnail.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bilderatlas.errors import ImageProblem
from bilderatlas.indexing.images import unread
from bilderatlas.indexing.images.colours import Scale

_BIG_ENDIAN_BIG = b"MM\0+"
STARTS = (b"II*\0", b"MM\0*", b"II+\0", _BIG_ENDIAN_BIG)  # with a +: BigTIFF

_KIND, _OLD_KIND, _WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC = _SHAPE = 254, 255, 256, 257, 258, 262
_N_SAMPLES, _MAX_SAMPLE, _SUB_DIRECTORIES, _SAMPLE_FORMAT, _S_MAX_SAMPLE = _SENSE = (
    *(277, 281, 330, 339, 341),
)
_TAGS = frozenset((*_SHAPE, *_SENSE))
_TYPES = {
    1: "B",
    3: "H",
    4: "I",
    6: "b",
    8: "h",
    9: "i",
    11: "f",
    12: "d",
    13: "I",
    16: "Q",
    18: "Q",
}
_REDUCED, _MASK = 1, 4  # bits of _KIND
_OLD_REDUCED = 2
_WHITE_IS_ZERO, _MOSAIC, _LINEAR_RAW = 0, 32803, 34892  # of _PHOTOMETRIC
_SIGNED = 2  # of _SAMPLE_FORMAT
_MAX_VALUES = 64  # of one tag: nobody has more bits per sample, or pyramid levels
_MAX_ENTRIES, _MAX_PAGES = 4096, 100_000


@dataclass(frozen=True, slots=True)
class Directory:
    """One picture of a TIFF file: where it is described, and what of that is looked at."""

    at: int  # bytes from the beginning of the file
    tags: dict[int, tuple[float, ...]]
    places: dict[int, int]  # tag -> where its first value lies

    def value(self, tag: int, default: int = 0) -> int:
        return int(self.tags[tag][0]) if self.tags.get(tag) else default

    @property
    def is_page(self) -> bool:
        """Whether it is a picture of its own: no thumbnail and no mask of another."""
        is_reduced = self.value(_KIND) & _REDUCED or self.value(_OLD_KIND) == _OLD_REDUCED
        return not (is_reduced or self.value(_KIND) & _MASK)

    @property
    def n_pixels(self) -> int:
        return self.value(_WIDTH) * self.value(_HEIGHT)

    def __str__(self) -> str:
        return (
            f"{self.value(_N_SAMPLES, 1)} samples of {self.value(_BITS, 1)} bits, "
            f"format {self.value(_SAMPLE_FORMAT, 1)}, photometric {self.value(_PHOTOMETRIC)}"
        )


@dataclass(frozen=True, slots=True)
class Page:
    """The picture of a TIFF file, as a file that begins with it."""

    content: bytes
    scale: Scale
    n_passed: int  # other pages
    kind: str  # in the terms of TIFF


def main_page(content: bytes) -> Page | None:
    """Find the first page that is no thumbnail; None where the file cannot be followed.

    Raises ImageProblem for raw files, which are TIFF files with a mosaic in them, and for what
    Pillow does not read.
    """
    if content.startswith(_BIG_ENDIAN_BIG):
        raise ImageProblem("big-endian BigTIFF files are not read; convert them to PNG")
    if unread.by_content(content[:32]) is unread.RAW:
        raise ImageProblem(unread.RAW.reason)
    reader = _Reader(content)
    chain = list(reader.chain())
    below = [directory for parent in chain for directory in reader.below(parent)]
    if any(d.value(_PHOTOMETRIC) in (_MOSAIC, _LINEAR_RAW) for d in (*chain, *below)):
        raise ImageProblem(unread.RAW.reason)
    if not chain:
        return None
    pages = [directory for directory in chain if directory.is_page]
    full = pages or [directory for directory in below if directory.is_page]
    page = full[0] if full else max(chain, key=lambda directory: directory.n_pixels)
    return Page(reader.beginning_with(page), _scale(page), max(0, len(pages) - 1), str(page))


def native(tiles: Sequence[Any]) -> list[Any]:
    """Pillow's tiles, with the order of bytes in which libtiff gives them, which Pillow forgets.

    It does so for big-endian values that are signed or floats.
    """
    here = {"I;16BS": "I;16S", "I;32BS": "I;32S", "F;32BF": "F;32F"}
    return [
        tile._replace(args=(here.get(tile.args[0], tile.args[0]), *tile.args[1:]))
        if tile.codec_name == "libtiff" and sys.byteorder == "little"
        else tile
        for tile in tiles
    ]


def _scale(page: Directory) -> Scale:
    """What its values mean, where they have more than 8 bits."""
    stated = page.tags.get(_S_MAX_SAMPLE) or page.tags.get(_MAX_SAMPLE)
    return Scale(
        n_bits=page.value(_BITS, 1),
        is_signed=page.value(_SAMPLE_FORMAT, 1) == _SIGNED,
        white=max(stated) if stated else None,
        is_inverted=_is_deep_inverted(page),
    )


def _is_deep_inverted(page: Directory) -> bool:
    """Whether white is zero in more than 8 bits: Pillow inverts fewer, and not all more."""
    is_inverted = page.value(_PHOTOMETRIC, 1) == _WHITE_IS_ZERO
    return is_inverted and page.value(_BITS, 1) > 8


class _Reader:
    """Directories of a TIFF file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._order = "<" if content[:2] == b"II" else ">"
        is_big = b"+" in content[2:4]
        self._offset, self._count, self._header = ("Q", "Q", 8) if is_big else ("I", "H", 4)

    def chain(self) -> Iterator[Directory]:
        """The directories that follow each other, as far as they can be read."""
        seen: set[int] = set()
        try:
            (at,) = self._numbers(self._offset, self._header)
            while at and at not in seen and len(seen) < _MAX_PAGES:
                seen.add(at)
                directory, at = self._directory(at)
                yield directory
        except struct.error:  # beyond the end of the file
            return

    def below(self, parent: Directory) -> Iterator[Directory]:
        """The directories that belong to another: reduced pictures of it, or the raw one."""
        for at in parent.tags.get(_SUB_DIRECTORIES, ()):
            try:
                yield self._directory(int(at))[0]
            except struct.error:
                continue

    def beginning_with(self, page: Directory) -> bytes:
        """The file with this page as its first, and white the highest value if it was zero."""
        (first,) = self._numbers(self._offset, self._header)
        if page.at == first and not _is_deep_inverted(page):
            return self._content
        content = bytearray(self._content)
        struct.pack_into(self._order + self._offset, content, self._header, page.at)
        if _is_deep_inverted(page):
            struct.pack_into(self._order + "H", content, page.places[_PHOTOMETRIC], 1)
        return bytes(content)

    def _directory(self, at: int) -> tuple[Directory, int]:
        """A directory, and where the next one lies."""
        (n_entries,) = self._numbers(self._count, at)
        if n_entries > _MAX_ENTRIES:
            raise struct.error(f"{n_entries} tags cannot be right")
        at_entry = at + struct.calcsize("=" + self._count)
        directory = Directory(at, {}, {})
        entry = struct.Struct(self._order + "HH" + self._offset + self._offset)
        for _ in range(n_entries):
            tag, kind, n, place = entry.unpack_from(self._content, at_entry)
            if tag in _TAGS and kind in _TYPES and n <= _MAX_VALUES:
                values = f"{n}{_TYPES[kind]}"
                inside = struct.calcsize("=" + values) <= struct.calcsize("=" + self._offset)
                place = (
                    at_entry + entry.size - struct.calcsize("=" + self._offset) if inside else place
                )
                directory.tags[tag] = self._numbers(values, place)
                directory.places[tag] = place
            at_entry += entry.size
        (following,) = self._numbers(self._offset, at_entry)
        return directory, following

    def _numbers(self, format: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + format, self._content, at)
