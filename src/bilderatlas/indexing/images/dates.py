"""When a picture was taken, by what its file says: EXIF first, then XMP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from PIL import Image

from bilderatlas.indexing.images.damage import DAMAGE

_EXIF = 0x8769
_ORIGINAL, _DIGITIZED, _CHANGED = 0x9003, 0x9004, 0x0132
_XMP = re.compile(
    rb"(?:exif:DateTimeOriginal|photoshop:DateCreated|xmp:CreateDate)(?:\s*=\s*[\"']|>)([^\"'<]+)"
)


def taken_at(image: Image.Image) -> datetime | None:
    """When the camera, or else the scanner, made it, in its own time zone.

    The first date counts that is one: cameras without a clock write blanks or zeros.
    """
    return next((date for text in _written(image) if (date := _date(text))), None)


def _written(image: Image.Image) -> Iterator[str]:
    try:
        exif = image.getexif()
        inner = exif.get_ifd(_EXIF)
    except DAMAGE:  # EXIF is damaged more often than the picture
        exif, inner = Image.Exif(), {}
    for value in (inner.get(_ORIGINAL), inner.get(_DIGITIZED), exif.get(_CHANGED)):
        yield _text(value)
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    for match in _XMP.finditer(xmp if isinstance(xmp, bytes) else str(xmp).encode()):
        yield _text(match[1])


def _text(value: object) -> str:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return text.strip("\0 \n")


def _date(text: str) -> datetime | None:
    """`2019:01:02 03:04:05` as EXIF has it, or ISO 8601 as many programs write."""
    day = re.sub(r"[:/.]", "-", text[:10])
    try:
        return datetime.fromisoformat(day + text[10:]).replace(tzinfo=None)
    except ValueError:
        return None
