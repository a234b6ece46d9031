"""Models of OpenCLIP and sentence-transformers, run by torch: the `torch` extra.

For what has no ONNX files. Slower than ONNX Runtime, and torch is a large install.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bilderatlas.arrays import Embeddings, Pixels, to_unit_length
from bilderatlas.errors import EncoderNotFound, QueryError
from bilderatlas.models.encoders import Encoder, ImageEmbeddings


def load(name: str, *, device: str, n_threads: int | None) -> Encoder:
    """Open "open_clip:NAME/PRETRAINED" or "st:NAME". Raises EncoderNotFound."""
    try:
        import torch

        if name.startswith("st:"):
            return SentenceEncoder(name, _torch_device(torch, device), n_threads)
        return OpenClipEncoder(name, _torch_device(torch, device), n_threads)
    except ModuleNotFoundError as error:
        raise EncoderNotFound(
            f"Encoder {name!r} needs {error.name}, which is not installed. Install it with: "
            "pip install 'bilderatlas[torch]'"
        ) from error


class OpenClipEncoder:
    """A model of OpenCLIP, its own preprocessing and tokenizer."""

    joint_dim: int | None = None
    reads_images = True
    reads_text = True
    query_prompt = ""

    def __init__(self, name: str, device: str, n_threads: int | None) -> None:
        import open_clip
        import torch

        model_name, _, pretrained = name.removeprefix("open_clip:").partition("/")
        if model_name not in open_clip.list_models():
            raise EncoderNotFound(
                f"OpenCLIP knows no model {model_name!r} of {name!r}; "
                "open_clip:ViT-B-32/laion2b_s34b_b79k was expected, for instance."
            )
        tags = open_clip.list_pretrained_tags_by_model(model_name)
        if pretrained not in tags and not Path(pretrained).is_file():
            raise EncoderNotFound(
                f"OpenCLIP has no weights {pretrained!r} of {model_name!r}; it has "
                f"{', '.join(tags)}. Name one of them, or a file: open_clip:{model_name}/{tags[0]}"
            )
        if n_threads:
            torch.set_num_threads(n_threads)
        self.name, self.space = name, _space(name)
        self.device = device
        self._model, _, self._transform = open_clip.create_model_and_transforms(
            model_name, pretrained=pretrained, device=device
        )
        self._model.eval()
        self._tokenize = open_clip.get_tokenizer(model_name)
        self.weights_hash = _hash_weights(self._model)
        size = self._model.visual.image_size
        self.input_side: int = size if isinstance(size, int) else max(size)
        self.dim: int = self.embed_texts(["a"]).shape[1]

    def prepare(self, image: Image.Image) -> Pixels:
        """One upright RGB picture -> (3, H, W)."""
        pixels: Pixels = self._transform(image).numpy()
        return pixels

    def embed_images(self, pixels: Pixels) -> ImageEmbeddings:
        """(B, 3, H, W) -> vectors (B, D)."""
        import torch

        if not len(pixels):
            return ImageEmbeddings(np.zeros((0, self.dim), dtype=np.float32), joint=None)
        with torch.inference_mode():
            vectors = self._model.encode_image(torch.from_numpy(pixels).to(self.device))
        return ImageEmbeddings(to_unit_length(vectors.float().cpu().numpy()), joint=None)

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Q texts -> (Q, D)."""
        import torch

        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        with torch.inference_mode():
            vectors = self._model.encode_text(self._tokenize(list(texts)).to(self.device))
        return to_unit_length(vectors.float().cpu().numpy())


class SentenceEncoder:
    """A text model of sentence-transformers."""

    joint_dim: int | None = None
    reads_images = False
    reads_text = True
    input_side = 0

    def __init__(self, name: str, device: str, n_threads: int | None) -> None:
        import sentence_transformers
        import torch

        if n_threads:
            torch.set_num_threads(n_threads)
        self.name, self.space = name, _space(name)
        self.device = device
        try:
            model = name.removeprefix("st:")
            self._model = sentence_transformers.SentenceTransformer(
                model,
                device=device,
                local_files_only=Path(model).is_dir(),  # else the hub is asked about a folder too
            )
        except OSError as error:
            raise EncoderNotFound(
                f"sentence-transformers cannot open {name!r}: {str(error).splitlines()[0]} "
                "Give a name of its own, a folder, or a repository of the hub."
            ) from error
        self.weights_hash = _hash_weights(self._model)
        # A default prompt stands before every text already.
        has_default = self._model.default_prompt_name is not None
        self.query_prompt: str = "" if has_default else self._model.prompts.get("query") or ""
        self.dim: int = self.embed_texts(["a"]).shape[1]

    def prepare(self, image: Image.Image) -> Pixels:
        """Raises QueryError."""
        raise QueryError(f"Encoder {self.name!r} reads texts only; it cannot see a picture.")

    def embed_images(self, pixels: Pixels) -> ImageEmbeddings:
        """Raises QueryError."""
        raise QueryError(f"Encoder {self.name!r} reads texts only; it cannot see a picture.")

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Q texts -> (Q, D)."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        rows = self._model.encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
        return to_unit_length(np.asarray(rows, dtype=np.float32))


def _torch_device(torch: Any, device: str) -> str:
    has_cuda = torch.cuda.is_available()
    if device in ("auto", "cpu"):
        return "cuda" if has_cuda and device == "auto" else "cpu"
    if device == "cuda" and has_cuda:
        return "cuda"
    there = "'cpu', 'cuda'" if has_cuda else "'cpu'"
    raise EncoderNotFound(f"torch cannot run on device {device!r} here; there is {there}.")


def _hash_weights(model: Any) -> str:
    """BLAKE2b-128 over the weights by their names, hex: torch models lie in files of many kinds."""
    digest = hashlib.blake2b(digest_size=16)
    for name, weights in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(weights.float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _space(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
