"""JPEG files whose last marker is missing: whether all else is there."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageChops

_END = b"\xff\xd9"  # EOI
_RESTARTS = [bytes((0xFF, marker)) for marker in range(0xD0, 0xD8)]  # RST0 .. RST7
_PROGRESSIVE, _SCAN, _TABLES = 0xC2, 0xDA, (0xC4, 0xC8, 0xCC)  # SOF2, SOS; DHT, JPG, DAC
_WITHOUT_LENGTH = (0x00, 0x01, *range(0xD0, 0xD9))  # a stuffed byte, TEM, RSTn, SOI


def completed(content: bytes) -> bytes | None:
    """The file with its last marker, if that is all that it lacks.

    libjpeg makes up what is missing, and Pillow cannot ask it whether it did. But pixels that are
    all there do not change with what follows them.
    """
    if not _has_all_scans(content):
        return None
    whole = content + _END
    with _opened(whole) as one, _opened(content + _more(content) + _END) as other:
        is_whole = ImageChops.difference(one, other).getbbox() is None
    return whole if is_whole else None


def _opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content), formats=("JPEG",))
    image.load()
    return image


def _more(content: bytes) -> bytes:
    """What could be more of the picture, behind whatever restart marker is waited for.

    It differs in its first bit from the zeros that libjpeg makes up. A last byte of 0xFF may be
    one of the picture's, if a zero follows.
    """
    dice = random.Random(0)
    noise = [b"\xaa" + bytes(dice.choices(range(255), k=256)) for _ in range(9)]
    stuffing = b"\0" if content.endswith(b"\xff") else b""
    return stuffing + b"".join(m + n for m, n in zip((b"", *_RESTARTS), noise, strict=True))


def _has_all_scans(content: bytes) -> bool:
    """Whether the last scan of every coefficient of every component begins (T.81, annex B)."""
    lacking: set[tuple[int, int]] = set()  # component, coefficient
    is_progressive, at = False, 2
    while (at := content.find(b"\xff", at)) >= 0 and at + 4 <= len(content):
        marker, start = content[at + 1], at + 4
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        segment = content[start : (at := at + 2 + int.from_bytes(content[at + 2 : start], "big"))]
        if 0xC0 <= marker <= 0xCF and marker not in _TABLES and len(segment) >= 6:
            is_progressive = marker == _PROGRESSIVE
            lacking |= {(c, k) for c in segment[6 : 6 + 3 * segment[5] : 3] for k in range(64)}
        elif marker == _SCAN and segment and len(segment) >= 4 + 2 * segment[0]:
            first, last, bits = segment[1 + 2 * segment[0] :][:3]
            band = range(first, last + 1) if is_progressive else range(64)
            if not is_progressive or bits & 15 == 0:
                lacking -= {(c, k) for c in segment[1 : 1 + 2 * segment[0] : 2] for k in band}
    return not lacking
