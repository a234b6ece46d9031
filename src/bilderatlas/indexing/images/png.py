"""PNG files whose texts or profile are larger than Pillow reads: the picture without them."""

from __future__ import annotations

import re
import struct
import zlib

from PIL import ImageFile, PngImagePlugin

START = b"\x89PNG\r\n\x1a\n"

# Where compressed bytes begin in a chunk that may have such.
_PACKED = {
    b"tEXt": re.compile(rb"(?!)"),
    b"zTXt": re.compile(rb"[^\0]*\0\0"),
    b"iCCP": re.compile(rb"[^\0]*\0\0"),
    b"iTXt": re.compile(rb"[^\0]*\0\x01\0[^\0]*\0[^\0]*\0"),
}

# Profiles made of tables have some MiB; Pillow's own limit is one.
PngImagePlugin.MAX_TEXT_CHUNK = 16 << 20


def without_large_texts(content: bytes) -> bytes:
    """The file without those texts and profiles that Pillow would refuse all of it for."""
    kept: list[bytes] = []
    start, at, n_so_far = 0, len(START), 0
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        after = at + 12 + length  # length, kind, checksum
        if kind in _PACKED:
            n = _n_unpacked(kind, content[at + 8 : after - 4])
            if n < PngImagePlugin.MAX_TEXT_CHUNK and n_so_far + n < PngImagePlugin.MAX_TEXT_MEMORY:
                n_so_far += n
            else:
                kept.append(content[start:at])
                start = after
        at = after
    return b"".join((*kept, content[start:])) if kept else content


def mend_transparency(file: ImageFile.ImageFile) -> None:
    """Bring the transparent colour to 8 bits as Pillow does with the others, before it is loaded.

    Of grey of 2 and 4 bits it leaves it as it is, and of 16-bit colours it takes the lower bytes.
    """
    transparent, packed = file.info.get("transparency"), file.tile[0].args
    if transparent is not None and packed in ("L;2", "L;4"):
        file.info["transparency"] = transparent * {"L;2": 85, "L;4": 17}[packed]
    if transparent is not None and packed == "RGB;16B":
        file.info["transparency"] = tuple(value >> 8 for value in transparent)


def _n_unpacked(kind: bytes, chunk: bytes) -> int:
    """How many bytes a chunk has when unpacked, up to what Pillow takes."""
    packed = _PACKED[kind].match(chunk)
    if not packed:
        return len(chunk)
    try:
        most = PngImagePlugin.MAX_TEXT_CHUNK
        return len(zlib.decompressobj().decompress(chunk[packed.end() :], most))
    except zlib.error:  # which Pillow passes over
        return 0
