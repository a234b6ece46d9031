"""Thumbnails -> a few sheets of small pictures, as large as a file may be."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bilderatlas.arrays import Box
from bilderatlas.errors import QueryError
from bilderatlas.indexing import images

SIDES = (224, 160, 112, 80, 56, 40, 28)  # of the square that a picture is fitted into, pixels
SHEET_SIDE = 2048
QUALITY = 62  # of WebP
N_TRIED = 48  # pictures whose size is measured

JpegsOf = Callable[[Sequence[int]], Sequence[bytes]]  # numbers of pictures -> thumbnails


@dataclass(frozen=True, slots=True)
class Sheet:
    """Some pictures in rows on one WebP."""

    webp: bytes
    sizes: NDArray[np.uint8]  # (n, 2) width and height of each picture in its cell


@dataclass(frozen=True, slots=True)
class Sprites:
    """N pictures, each in the upper left of a cell, row by row and sheet by sheet."""

    side: int  # of a cell, pixels
    n_across: int  # cells in a row, and rows on a full sheet
    sheets: tuple[Sheet, ...]

    @property
    def n_bytes(self) -> int:
        return sum(len(sheet.webp) for sheet in self.sheets)


def make(n: int, jpegs_of: JpegsOf, boxes: Sequence[Box], *, max_bytes: int) -> Sprites:
    """Draw n pictures as large as keeps all of them within `max_bytes`.

    Each is the part within its box (relative) of its thumbnail. Raises QueryError where the
    smallest size is too large.
    """
    side = _largest_side(n, jpegs_of, boxes, max_bytes)
    n_across = max(1, min(SHEET_SIDE // side, int(np.ceil(np.sqrt(n)))))
    return Sprites(side, n_across, tuple(_sheets(n, jpegs_of, boxes, side, n_across)))


def _largest_side(n: int, jpegs_of: JpegsOf, boxes: Sequence[Box], max_bytes: int) -> int:
    tried = np.unique(np.linspace(0, n - 1, min(n, N_TRIED)).astype(int)).tolist()
    jpegs = jpegs_of(tried)
    parts = [boxes[i] for i in tried]
    needed = 0.0
    for side in SIDES:
        n_across = int(np.ceil(np.sqrt(len(tried))))
        needed = len(_sheet(jpegs, parts, side, n_across).webp) * n / len(tried)
        if needed <= max_bytes:
            return side
    raise QueryError(
        f"{n:,} pictures of {SIDES[-1]} pixels take {needed / 1e6:,.1f} MB, and the file has room "
        f"for {max(0, max_bytes) / 1e6:,.1f} MB. Allow a larger one (--max-mb), map one kind of "
        "region, or draw the map without pictures (--figure)."
    )


def _sheets(
    n: int, jpegs_of: JpegsOf, boxes: Sequence[Box], side: int, n_across: int
) -> Iterator[Sheet]:
    def sheet(start: int) -> Sheet:
        numbers = range(start, min(n, start + n_across**2))
        return _sheet(jpegs_of(numbers), [boxes[i] for i in numbers], side, n_across)

    with ThreadPoolExecutor(2) as threads:  # each holds the thumbnails of a sheet
        yield from threads.map(sheet, range(0, n, n_across**2))


def _sheet(jpegs: Sequence[bytes], boxes: Sequence[Box], side: int, n_across: int) -> Sheet:
    n_rows = -(-len(jpegs) // n_across)
    paper = Image.new("RGB", (min(len(jpegs), n_across) * side, n_rows * side))
    sizes = np.empty((len(jpegs), 2), np.uint8)
    for i, (jpeg, box) in enumerate(zip(jpegs, boxes, strict=True)):
        picture = _small(jpeg, box, side)
        paper.paste(picture, (i % n_across * side, i // n_across * side))
        sizes[i] = picture.size
    out = io.BytesIO()
    paper.save(out, "WEBP", quality=QUALITY, method=2)
    return Sheet(out.getvalue(), sizes)


def _small(jpeg: bytes, box: Box, side: int) -> Image.Image:
    is_whole = box == (0, 0, 1, 1)
    picture = images.decode(jpeg, min_side=side if is_whole else None).image
    part = picture if is_whole else images.crop(picture, box)
    part.thumbnail((side, side), Image.Resampling.LANCZOS)
    return part
