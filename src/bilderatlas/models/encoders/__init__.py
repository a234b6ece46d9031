"""Encoders: pixels or text -> embeddings of length 1.

`load(name)` is the way in. Most encoders are folders of ONNX towers: `builtin` ships inside the
package, others come from the Hugging Face Hub by name, or lie in a folder of yours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from bilderatlas import characters
from bilderatlas.arrays import Embeddings, Pixels
from bilderatlas.errors import EncoderNotFound

if TYPE_CHECKING:
    from PIL import Image

    from bilderatlas.models.encoders.model_folder import ModelFolder


@dataclass(frozen=True, slots=True)
class ImageEmbeddings:
    """What an encoder makes of B pictures."""

    vectors: Embeddings  # (B, D), compare pictures with pictures by these
    joint: Embeddings | None  # (B, J), compare with words by these; None: by `vectors` too

    def rows(self, chosen: NDArray[np.bool_]) -> ImageEmbeddings:
        """Those of some of the pictures; `chosen` is (B,)."""
        return ImageEmbeddings(
            self.vectors[chosen], None if self.joint is None else self.joint[chosen]
        )

    def are_finite(self) -> NDArray[np.bool_]:
        """(B,) whether all numbers of a picture are."""
        finite = np.asarray(np.isfinite(self.vectors).all(axis=1))
        return finite if self.joint is None else finite & np.isfinite(self.joint).all(axis=1)

    @staticmethod
    def joined(parts: Sequence[ImageEmbeddings]) -> ImageEmbeddings:
        """Several batches of one encoder as one; no batches are no rows of no numbers."""
        none = np.empty((0, 0), np.float32)
        joints = [part.joint for part in parts if part.joint is not None]
        return ImageEmbeddings(
            np.concatenate([part.vectors for part in parts] or [none]),
            np.concatenate(joints) if joints else None,
        )


class Encoder(Protocol):
    """Anything that turns pictures, and perhaps words, into embeddings."""

    name: str  # what the user asked for: "builtin", "clip-vit-b-32:fp16", a folder
    space: str  # its name inside a collection, fit for a file name
    weights_hash: str  # BLAKE2b-128 of the model files, hex
    device: str  # what really runs it: "cpu", "cuda", "openvino (f32)"
    dim: int  # D
    joint_dim: int | None  # J where words live in a space of their own, else None
    reads_images: bool  # false: a text encoder, whose image methods raise QueryError
    reads_text: bool
    input_side: int  # pixels that a picture's shorter side needs; less detail is wasted
    query_prompt: str  # what its model wants to read before a question, and not before a text

    def prepare(self, image: Image.Image) -> Pixels:
        """Resize, crop and scale one upright RGB picture -> (3, H, W). Runs in reader threads."""
        ...

    def embed_images(self, pixels: Pixels) -> ImageEmbeddings:
        """Embed (B, 3, H, W) prepared pictures; B may be 0."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed Q texts -> (Q, J or D). Raises QueryError where `reads_text` is false."""
        ...


def embed_queries(encoder: Encoder, queries: Sequence[str]) -> Embeddings:
    """Embed Q questions -> (Q, J or D), each after what the model wants to read before one.

    Raises QueryError where the encoder reads no text.
    """
    return encoder.embed_texts([encoder.query_prompt + query for query in queries])


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """What a person needs to choose an encoder."""

    name: str  # for load()
    kind: str
    dim: int  # D
    reads_images: bool
    reads_text: bool
    is_on_disk: bool
    is_on_hub: bool  # as ONNX; false: it ships with the package, or has to be exported
    n_bytes: int  # on disk, or to download
    licence: str
    good_for: str


def load(name: str | Path, *, device: str = "auto", n_threads: int | None = None) -> Encoder:
    """Open an encoder.

    `name`: "builtin", or "builtin-text" for its text half alone; a name of `available`, downloaded
    where it is not on disk; "hf:OWNER/NAME", any repository of the Hugging Face Hub with ONNX
    files; a folder laid out like one; each of the last three with ":fp16", ":q8" or ":int8" at its
    end for files of that precision; "open_clip:NAME/PRETRAINED" and "st:NAME" with the `torch`
    extra. "auto" is the best for words and pictures that needs no download.

    `device`: "cpu", "openvino", "cuda", or "auto" for the fastest there is. `n_threads`: cores that
    one batch may use; None: all. Raises EncoderNotFound.
    """
    from bilderatlas.models.encoders import hub

    stem, precision = _name_and_precision(str(name))
    if stem == "auto":
        folder = hub.best_on_disk()
        if folder:
            return _open(folder, device, n_threads)
        stem = "builtin"
    if stem == "builtin":
        from bilderatlas.models.encoders.builtin_encoder import BuiltinEncoder

        return BuiltinEncoder(device=device, n_threads=n_threads)
    if stem == "builtin-text":
        from bilderatlas.models.encoders.builtin_encoder import BuiltinTextEncoder

        return BuiltinTextEncoder(device=device, n_threads=n_threads)
    if stem.startswith(TORCH_PREFIXES):
        from bilderatlas.models.encoders import torch_encoders

        return torch_encoders.load(stem, device=device, n_threads=n_threads)
    if hub.knows(stem):
        return _open(hub.fetch(stem, precision), device, n_threads)
    characters.check_path(Path(stem))
    if Path(stem).is_dir():
        return _open(_local_folder(Path(stem), precision), device, n_threads)
    names = ", ".join(repr(facts.name) for facts in available())
    raise EncoderNotFound(
        f"No encoder goes by {str(name)!r}, and there is no such folder. Use {names}, "
        "hf:OWNER/NAME of the Hugging Face Hub, or the path of a folder with ONNX towers; "
        "'bilderatlas encoders' says more of each."
    )


def available() -> list[EncoderFacts]:
    """The encoders that `load` knows by name: the built-in ones, then the hub's, the best first."""
    from bilderatlas.models.encoders import builtin_encoder, hub

    built_in = [builtin_encoder.facts(), builtin_encoder.text_facts()]
    return [*built_in, *(hub.facts(model) for model in hub.MODELS.values())]


def best_for_texts() -> str:
    """The name of the best encoder of texts that needs no download; `builtin-text` always is."""
    from bilderatlas.models.encoders import hub

    return found.name if (found := hub.best_on_disk(for_texts=True)) else "builtin-text"


TORCH_PREFIXES = ("open_clip:", "st:")


def _name_and_precision(name: str) -> tuple[str, str]:
    """ "clip-vit-b-32:fp16" -> "clip-vit-b-32", "fp16"."""
    from bilderatlas.models.encoders.model_folder import PRECISIONS

    stem, _, ending = name.rpartition(":")
    return (stem, ending) if ending in PRECISIONS and stem else (name, "fp32")


def _local_folder(path: Path, precision: str) -> ModelFolder:
    from bilderatlas.models.encoders.model_folder import ModelFolder

    suffix = "" if precision == "fp32" else f":{precision}"
    space = re.sub(r"[^a-z0-9]+", "-", f"{path.resolve().name}{suffix}".lower()).strip("-")
    return ModelFolder(path, name=f"{path}{suffix}", space=space, precision=precision)


def _open(folder: ModelFolder, device: str, n_threads: int | None) -> Encoder:
    """An encoder of pictures, or of texts only where nothing in the folder tells of pictures."""
    if not folder.sees_pictures():
        from bilderatlas.models.encoders.text_encoder import TextEncoder

        return TextEncoder(folder, device=device, n_threads=n_threads)
    from bilderatlas.models.encoders.onnx_encoder import OnnxEncoder

    return OnnxEncoder(folder, device=device, n_threads=n_threads)
