"""The encoders that ship inside the package: EfficientNet-Lite2 and MiniLM-L3, joined by ConSE.

Pictures are compared by their features. Words find pictures in a space of their own, where a
picture is the probability-weighted mean of the text vectors of its ImageNet classes (Norouzi et
al. 2013, arXiv:1312.5650). `tools/build_builtin_encoder.py` makes the files. MiniLM-L3 by
itself is an encoder of texts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bilderatlas.arrays import Embeddings, Pixels, to_unit_length
from bilderatlas.models.encoders import EncoderFacts, ImageEmbeddings
from bilderatlas.models.encoders.preprocessing import Preprocessing
from bilderatlas.models.encoders.text_encoder import refusal_of_pictures
from bilderatlas.models.encoders.tokenizer import open_tokenizer, tokenize
from bilderatlas.models.encoders.towers import Tower, hash_files

FOLDER = Path(__file__).parent / "builtin"
MODEL_FILES = ("image.onnx", "text.onnx", "tokenizer.json", "manifest.json")
TEXT_FILES = ("text.onnx", "tokenizer.json")


def facts() -> EncoderFacts:
    """What `bilderatlas encoders` says of the encoder of pictures and words."""
    return EncoderFacts(
        name="builtin",
        kind="ships with Bilderatlas",
        dim=1280,
        reads_images=True,
        reads_text=True,
        is_on_disk=True,
        is_on_hub=False,
        n_bytes=sum((FOLDER / name).stat().st_size for name in MODEL_FILES),
        licence="Apache-2.0",
        good_for="everyday photographs, offline; knows the words near 1000 ImageNet classes, "
        "but no colours, counts or relations",
    )


def text_facts() -> EncoderFacts:
    """What `bilderatlas encoders` says of its text half alone."""
    return EncoderFacts(
        name="builtin-text",
        kind="ships with Bilderatlas: the text half of builtin",
        dim=384,
        reads_images=False,
        reads_text=True,
        is_on_disk=True,
        is_on_hub=False,
        n_bytes=sum((FOLDER / name).stat().st_size for name in TEXT_FILES),
        licence="Apache-2.0",
        good_for="English texts by meaning, offline; three layers, coarser than bge-small-en",
    )


class BuiltinEncoder:
    """Works with no download; D = 1280 for pictures, J = 384 for words."""

    name = "builtin"
    space = "builtin"
    reads_images = True
    reads_text = True
    query_prompt = ""

    def __init__(self, *, device: str = "auto", n_threads: int | None = None) -> None:
        manifest = _manifest()
        self.dim: int = manifest["dim"]
        self.joint_dim: int | None = manifest["joint_dim"]
        self.weights_hash = hash_files(FOLDER / name for name in MODEL_FILES)
        self._preprocessing = Preprocessing.from_config(manifest["preprocessing"])
        self.input_side = self._preprocessing.input_side
        self._image_tower = Tower(FOLDER / "image.onnx", device=device, n_threads=n_threads)
        self._texts = BuiltinTextEncoder(device=device, n_threads=n_threads)
        self.device = self._image_tower.device

    def prepare(self, image: Image.Image) -> Pixels:
        """One upright RGB picture -> (3, 260, 260)."""
        return self._preprocessing.apply(image)

    def embed_images(self, pixels: Pixels) -> ImageEmbeddings:
        """(B, 3, 260, 260) -> vectors (B, 1280) and joint (B, 384)."""
        if not len(pixels):
            return ImageEmbeddings(_no_rows(self.dim), _no_rows(self.joint_dim or 0))
        features, joint = self._image_tower.run({"pixels": pixels}, "features", "image_embeds")
        return ImageEmbeddings(to_unit_length(features), to_unit_length(joint))

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Q texts -> (Q, 384)."""
        return self._texts.embed_texts(texts)


class BuiltinTextEncoder:
    """The text half of the built-in encoder, MiniLM-L3, alone: texts are compared with texts."""

    name = "builtin-text"
    space = "builtin-text"
    joint_dim: int | None = None
    reads_images = False
    reads_text = True
    input_side = 0
    query_prompt = ""

    def __init__(self, *, device: str = "auto", n_threads: int | None = None) -> None:
        manifest = _manifest()
        self.dim: int = manifest["joint_dim"]
        self.weights_hash = hash_files(FOLDER / name for name in TEXT_FILES)
        self._tower = Tower(FOLDER / "text.onnx", device=device, n_threads=n_threads)
        self.device = self._tower.device
        self._tokenizer = open_tokenizer(
            FOLDER / "tokenizer.json", max_tokens=manifest["max_tokens"]
        )

    def prepare(self, image: Image.Image) -> Pixels:
        """Raises QueryError."""
        raise refusal_of_pictures(self.name)

    def embed_images(self, pixels: Pixels) -> ImageEmbeddings:
        """Raises QueryError."""
        raise refusal_of_pictures(self.name)

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Q texts -> (Q, 384), one at a time so that no text pays for the padding of another."""
        rows = [self._embed_text(text) for text in texts]
        return np.concatenate(rows) if rows else _no_rows(self.dim)

    def _embed_text(self, text: str) -> Embeddings:
        tokens = tokenize(self._tokenizer, text)
        feeds = {"input_ids": tokens.ids, "attention_mask": tokens.mask}
        (vector,) = self._tower.run(feeds, "text_embeds")
        return to_unit_length(vector)


def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((FOLDER / "manifest.json").read_text("utf-8"))
    return manifest


def _no_rows(dim: int) -> Embeddings:
    return np.zeros((0, dim), dtype=np.float32)
