"""PNG files of every sort, written by hand: Pillow writes few of those that it reads."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
N_SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(
    values: NDArray, colour: int = GREY, *chunks: bytes, depth: int = 8, after: bytes = b""
) -> bytes:
    """(H, W) or (H, W, C) values of so many bits; further chunks before and after the pixels."""
    rows, columns = values.shape[:2]
    assert np.atleast_3d(values).shape[2] == N_SAMPLES[colour]
    samples = values.reshape(rows, -1)
    bits = (samples[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    packed = np.packbits(bits.reshape(rows, -1).astype(np.uint8), axis=1)
    lines = np.pad(packed, ((0, 0), (1, 0)))  # no filter
    header = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            *chunks,
            chunk(b"IDAT", zlib.compress(lines.tobytes())),
            after,
            chunk(b"IEND", b""),
        )
    )
