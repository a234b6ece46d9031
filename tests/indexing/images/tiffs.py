"""TIFF files of every sort, written by hand: Pillow writes few of those that it reads."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FORMATS = {"u": 1, "i": 2, "f": 3}  # numpy's kind -> SampleFormat


def page(values: NDArray, *, photometric: int = 1, deflated: bool = False, **tags: object) -> dict:
    """A page of (H, W) or (H, W, C) values. Tags by their number: `t254=1`."""
    rows, columns, n_samples = np.atleast_3d(values).shape
    return {
        "values": values,
        "deflated": deflated,
        254: 0,
        256: columns,
        257: rows,
        258: [values.dtype.itemsize * 8] * n_samples,
        259: 8 if deflated else 1,
        262: photometric,
        277: n_samples,
        278: rows,
        339: [FORMATS[values.dtype.kind]] * n_samples,
    } | {int(name[1:]): value for name, value in tags.items()}


def tiff(*pages: dict, order: str = "<", big: bool = False) -> bytes:
    """Pages that follow each other. A tag's value may be pages below it: `t330=[page]`."""
    writer = _Writer(order, big)
    writer.chain(pages, writer.header)
    return bytes(writer.content)


class _Writer:
    def __init__(self, order: str, big: bool) -> None:
        self.order, self.offset, self.count = order, *(("Q", "Q") if big else ("I", "H"))
        mark = b"II" if order == "<" else b"MM"
        self.header = 8 if big else 4  # where the first offset stands
        rest = struct.pack(order + "HHH", 43, 8, 0) if big else struct.pack(order + "H", 42)
        self.content = bytearray(mark + rest + bytes(struct.calcsize(self.offset)))

    def chain(self, pages: Sequence[dict], link: int) -> None:
        for each in pages:
            at, next_link = self.directory(each)
            struct.pack_into(self.order + self.offset, self.content, link, at)
            link = next_link

    def directory(self, given: dict) -> tuple[int, int]:
        tags = {tag: value for tag, value in given.items() if isinstance(tag, int)}
        strip = given["values"].astype(given["values"].dtype.newbyteorder(self.order)).tobytes()
        strip = zlib.compress(strip) if given["deflated"] else strip
        tags |= {273: self.put(strip), 279: len(strip)}
        if 330 in tags:
            tags[330] = [self.directory(below)[0] for below in tags[330]]
        entries = b"".join(self.entry(tag, tags[tag]) for tag in sorted(tags))
        at = self.put(struct.pack(self.order + self.count, len(tags)) + entries)
        return at, self.put(bytes(struct.calcsize(self.offset)))

    def entry(self, tag: int, value: object) -> bytes:
        values = value if isinstance(value, list) else [value]
        kind, code = (2, "s") if isinstance(value, str) else (4, "I") if tag >= 273 else (3, "H")
        if tag in (277, 278, 280, 281, 339):
            kind, code = 3, "H"
        packed = (
            value.encode() + b"\0"
            if isinstance(value, str)
            else struct.pack(f"{self.order}{len(values)}{code}", *values)
        )
        n, room = len(packed) if kind == 2 else len(values), struct.calcsize(self.offset)
        head = struct.pack(self.order + "HH" + self.offset, tag, kind, n)
        if len(packed) > room:
            packed = struct.pack(self.order + self.offset, self.put(packed))
        return head + packed.ljust(room, b"\0")

    def put(self, content: bytes) -> int:
        at = len(self.content)
        self.content += content
        return at
