"""Pictures whose colours are known, and the bytes of their files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bilderatlas.collection import Collection
from bilderatlas.storage import Store
from tests.toy_encoder import ToyEncoder

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(width: int = 48, height: int = 32) -> Image.Image:
    """Red and green above, blue and white below."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(WHITE, (width // 2, height // 2, width, height))
    return image


def corners(image: Image.Image) -> list[tuple[int, int, int]]:
    """Colours in the middle of the four quarters, row by row, rounded to 0, 64, 128, 192, 255."""
    width, height = image.size
    places = [(width // 4, height // 4), (3 * width // 4, height // 4)]
    places += [(x, 3 * height // 4) for x, _ in places]
    pixels = np.array([image.getpixel(place) for place in places])
    return [tuple(row) for row in np.minimum((pixels + 32) // 64 * 64, 255).tolist()]


def saved(image: Image.Image, format: str, **how: Any) -> bytes:
    """The file that Pillow writes."""
    buffer = io.BytesIO()
    image.save(buffer, format, **how)
    return buffer.getvalue()


def plain(colour: str, *, side: int = 16, format: str = "PNG") -> bytes:
    """A square of one colour."""
    return saved(Image.new("RGB", (side, side), colour), format)


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def collect(folder: Path, *sources: Path, **how: Any) -> Collection:
    """A new collection of these sources, made with the ToyEncoder."""
    atlas = Collection(Store.create(folder / "toy.atlas"), encoder=ToyEncoder())
    atlas.index(*sources, **how)
    return atlas
