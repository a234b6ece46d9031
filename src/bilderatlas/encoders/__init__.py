"""Encoders: pixels or text -> embeddings of length 1.

`load(name)` is the way in. An encoder is a folder of ONNX towers; `builtin` is the one that
ships inside the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bilderatlas.arrays import Embeddings, Pixels
from bilderatlas.errors import EncoderNotFound

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


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """What a person needs to choose an encoder."""

    name: str  # for load()
    kind: str
    dim: int  # D
    reads_text: bool
    n_bytes: int  # on disk
    licence: str
    good_for: str


def load(name: str | Path, *, device: str = "auto", n_threads: int | None = None) -> Encoder:
    """Open an encoder: "builtin", "auto" (which is builtin), or a folder of ONNX towers.

    `device`: "cpu", or "auto" for the best there is. `n_threads`: cores that one batch may use;
    None: all. Raises EncoderNotFound.
    """
    if name in ("builtin", "auto"):
        from bilderatlas.encoders.builtin_encoder import BuiltinEncoder

        return BuiltinEncoder(device=device, n_threads=n_threads)
    if Path(name).is_dir():
        from bilderatlas.encoders.onnx_encoder import OnnxEncoder

        return OnnxEncoder(Path(name), device=device, n_threads=n_threads)
    names = ", ".join(repr(facts.name) for facts in available())
    raise EncoderNotFound(
        f"No encoder goes by {str(name)!r}, and there is no such folder. Use {names}, or the path "
        "of a folder with ONNX towers; 'bilderatlas encoders' lists what this machine has."
    )


def available() -> list[EncoderFacts]:
    """The encoders that `load` knows by name."""
    from bilderatlas.encoders import builtin_encoder

    return [builtin_encoder.facts()]
