"""Encoders: pixels or text -> embeddings of length 1.

`load(name)` is the way in. An encoder is a folder of ONNX towers; `builtin` is the one that
ships inside the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bilderatlas.arrays import Embeddings, Pixels

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True)
class ImageEmbeddings:
    """What an encoder makes of B pictures."""

    vectors: Embeddings  # (B, D), compare pictures with pictures by these
    joint: Embeddings | None  # (B, J), compare with words by these; None: by `vectors` too


class Encoder(Protocol):
    """Anything that turns pictures, and perhaps words, into embeddings."""

    name: str  # what the user asked for: "builtin", or a folder
    space: str  # its name inside a collection, fit for a file name
    weights_hash: str  # BLAKE2b-128 of the model files, hex
    device: str  # what really runs it: "cpu"
    dim: int  # D
    joint_dim: int | None  # J where words live in a space of their own, else None
    reads_text: bool
    input_side: int  # pixels that a picture's shorter side needs; less detail is wasted

    def prepare(self, image: Image.Image) -> Pixels:
        """Resize, crop and scale one upright RGB picture -> (3, H, W). Runs in reader threads."""
        ...

    def embed_images(self, pixels: Pixels) -> ImageEmbeddings:
        """Embed (B, 3, H, W) prepared pictures; B may be 0."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed Q texts -> (Q, J or D). Raises QueryError where `reads_text` is false."""
        ...
