"""An encoder whose numbers can be worked out by hand, for every test that needs one.

A picture is its 2 x 2 grid of mean colours; each cell is (red, green, blue, darkness) in 0..1,
darkness being 1 - max(red, green, blue). A wholly red picture is four cells (1, 0, 0, 0), so its
vector has 0.5 at places 0, 4, 8 and 12. The word "red" lands on exactly that vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from bilderatlas.arrays import Embeddings, Pixels, to_unit_length
from bilderatlas.models.encoders import ImageEmbeddings

COLOURS = {
    "black": (0.0, 0.0, 0.0),
    "white": (1.0, 1.0, 1.0),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "yellow": (1.0, 1.0, 0.0),
    "cyan": (0.0, 1.0, 1.0),
    "magenta": (1.0, 0.0, 1.0),
    "grey": (0.5, 0.5, 0.5),
}


@dataclass
class ToyEncoder:
    """Mean colours of a 2 x 2 grid; colour words in the same space; any other word is grey."""

    name: str = "toy"
    space: str = "toy"
    weights_hash: str = "0" * 32
    device: str = "cpu"
    dim: int = 16
    joint_dim: int | None = None
    reads_images: bool = True
    reads_text: bool = True
    input_side: int = 8
    query_prompt: str = ""

    def prepare(self, image: Image.Image) -> Pixels:
        """One RGB picture -> (3, 8, 8) in 0..1."""
        small = image.convert("RGB").resize((8, 8), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float32).transpose(2, 0, 1) / np.float32(255)

    def embed_images(self, pixels: Pixels) -> ImageEmbeddings:
        """(B, 3, 8, 8) -> (B, 16)."""
        quarters = pixels.reshape(len(pixels), 3, 2, 4, 2, 4).mean(axis=(3, 5))  # (B, 3, 2, 2)
        cells = quarters.transpose(0, 2, 3, 1).reshape(len(pixels), 4, 3)
        return ImageEmbeddings(vectors=_from_cells(cells), joint=None)

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Q texts -> (Q, 16): the mean of the colours that each text names."""
        colours = np.array([_colour_of(text) for text in texts], dtype=np.float32).reshape(-1, 1, 3)
        return _from_cells(np.repeat(colours, 4, axis=1))


def _colour_of(text: str) -> tuple[float, float, float]:
    """Mean colour of the colour words in a text."""
    named = [COLOURS[word] for word in text.lower().split() if word in COLOURS]
    red, green, blue = np.mean(named or [COLOURS["grey"]], axis=0)
    return float(red), float(green), float(blue)


def _from_cells(cells: Embeddings) -> Embeddings:
    """(B, 4, 3) colours of four cells -> (B, 16) rows of length 1."""
    darkness = 1 - cells.max(axis=2, keepdims=True, initial=0)  # (B, 4, 1)
    return to_unit_length(np.concatenate([cells, darkness], axis=2).reshape(len(cells), 16))
