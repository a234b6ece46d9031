"""Any folder of ONNX towers, laid out as the ONNX repositories of the Hugging Face Hub are.

With a text tower (CLIP, SigLIP) words land among the pictures. Without one (ResNet, DINO, ViT)
pictures are compared with pictures only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bilderatlas.arrays import Embeddings, Pixels, to_unit_length
from bilderatlas.encoders import ImageEmbeddings
from bilderatlas.encoders.preprocessing import Preprocessing
from bilderatlas.encoders.tokenizing import Tokens, open_tokenizer, tokenize
from bilderatlas.encoders.towers import Tower, check_device, hash_files
from bilderatlas.errors import EncoderNotFound, QueryError

IMAGE_TOWERS = ("onnx/vision_model.onnx", "vision_model.onnx", "onnx/model.onnx", "model.onnx")
TEXT_TOWERS = ("onnx/text_model.onnx", "text_model.onnx")
SIGLIP_TOKENS = 64  # its training length, which its files do not always state


class OnnxEncoder:
    """A folder's towers, loaded; J is None: one space for pictures and words."""

    joint_dim: int | None = None

    def __init__(self, folder: Path, *, device: str = "auto", n_threads: int | None = None) -> None:
        self.device = check_device(device)
        self.name = str(folder)
        self.space = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
        image_path = _find_tower(folder, IMAGE_TOWERS)
        text_path = next((folder / name for name in TEXT_TOWERS if (folder / name).is_file()), None)
        config_path = _require(folder / "preprocessor_config.json")
        self._preprocessing = Preprocessing.from_config(_read_json(config_path))
        self.input_side = self._preprocessing.input_side
        self._images = Tower(image_path, n_threads=n_threads)
        self._texts = _text_tower(self._images, text_path, n_threads)
        self.reads_text = self._texts is not None
        self._image_output = _image_output(self._images, reads_text=self.reads_text)
        files = [image_path, config_path]
        if self._texts:
            self._text_output = _text_output(self._texts)
            self._tokenizer = _folder_tokenizer(folder, self._texts)
            files += [self._texts.path, folder / "tokenizer.json"]
        self.weights_hash = hash_files(_with_external_weights(files))
        self.dim = self._probe()

    def prepare(self, image: Image.Image) -> Pixels:
        """One upright RGB picture -> (3, H, W)."""
        return self._preprocessing.apply(image)

    def embed_images(self, pixels: Pixels) -> ImageEmbeddings:
        """(B, 3, H, W) -> vectors (B, D)."""
        if not len(pixels):
            return ImageEmbeddings(np.zeros((0, self.dim), dtype=np.float32), joint=None)
        return ImageEmbeddings(self._run_images(pixels), joint=None)

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Q texts -> (Q, D), one at a time so that no text pays for the padding of another."""
        if not self._texts:
            raise QueryError(
                f"Encoder {self.name!r} has no text tower, so it cannot search by words. "
                "Search with an image, or index with an encoder that reads text ('builtin')."
            )
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        return np.concatenate([self._run_text(self._texts, text) for text in texts])

    def _run_images(self, pixels: Pixels) -> Embeddings:
        feeds = {"pixel_values": pixels}
        if "input_ids" in self._images.inputs:  # one graph for both towers wants both
            feeds |= _token_feeds(self._images, tokenize(self._tokenizer, "a"), n_rows=len(pixels))
        (output,) = self._images.run(feeds, self._image_output)
        return to_unit_length(_pooled(output))

    def _run_text(self, tower: Tower, text: str) -> Embeddings:
        feeds = _token_feeds(tower, tokenize(self._tokenizer, text), n_rows=1)
        if "pixel_values" in tower.inputs:
            feeds["pixel_values"] = self._blank()
        (vectors,) = tower.run(feeds, self._text_output)
        return to_unit_length(vectors)

    def _blank(self) -> Pixels:
        return np.zeros((1, 3, *self._preprocessing.shape), dtype=np.float32)

    def _probe(self) -> int:
        """D, by embedding a blank picture; files state it in too many ways to read."""
        dim: int = self._run_images(self._blank()).shape[1]
        text_dim = self._run_text(self._texts, "a").shape[1] if self._texts else dim
        if text_dim != dim:
            raise EncoderNotFound(
                f"Encoder {self.name!r} makes {dim} numbers per image and {text_dim} per text; "
                "they must share a space. Use an export with projections: outputs 'image_embeds' "
                "and 'text_embeds'."
            )
        return dim


def _find_tower(folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise EncoderNotFound(
        f"Folder {str(folder)!r} holds no image tower; one of {', '.join(names)} was expected. "
        "Export the model to ONNX into this folder, or use 'builtin'."
    )


def _text_tower(images: Tower, path: Path | None, n_threads: int | None) -> Tower | None:
    if path:
        return Tower(path, n_threads=n_threads)
    return images if "input_ids" in images.inputs else None


def _image_output(tower: Tower, *, reads_text: bool) -> str:
    """The output that compares pictures.

    Without a text tower a transformer's CLS token is better than its pooler, which many
    checkpoints never trained; `_pooled` takes it.
    """
    tokens = len(tower.outputs.get("last_hidden_state", [])) == 3 and not reads_text
    wanted = ["image_embeds", *(["last_hidden_state"] if tokens else []), "pooler_output"]
    return _first_output(tower, wanted if reads_text else [*wanted, "last_hidden_state"])


def _text_output(tower: Tower) -> str:
    return _first_output(tower, ["text_embeds", "pooler_output"])


def _first_output(tower: Tower, wanted: Sequence[str]) -> str:
    for name in wanted:
        if name in tower.outputs:
            return name
    raise EncoderNotFound(
        f"{tower.path} puts out {', '.join(tower.outputs)}; an embedding was expected: "
        f"{' or '.join(dict.fromkeys(wanted))}. A classifier must be exported without its last "
        "layer: optimum-cli export onnx --task feature-extraction."
    )


def _pooled(output: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B, D), the CLS token of (B, S, D), or the mean over the map of (B, D, H, W)."""
    if output.ndim == 3:
        return output[:, 0]
    return output.mean(axis=(2, 3)) if output.ndim == 4 else output


def _token_feeds(tower: Tower, tokens: Tokens, *, n_rows: int) -> dict[str, NDArray[Any]]:
    """What the text side of a graph asks for, (n_rows, S) each."""
    feeds = {
        "input_ids": tokens.ids,
        "attention_mask": tokens.mask,
        "token_type_ids": np.zeros_like(tokens.ids),
    }
    return {
        name: np.repeat(array, n_rows, axis=0)
        for name, array in feeds.items()
        if name in tower.inputs
    }


def _folder_tokenizer(folder: Path, tower: Tower) -> Any:
    """The folder's tokenizer, padded to full length where the tower was trained on that."""
    config = _read_json(_require(folder / "config.json"))
    stated = _read_json(_require(folder / "tokenizer_config.json"))
    is_siglip = str(config.get("model_type", "")).startswith("siglip")
    positions = config.get("text_config", {}).get("max_position_embeddings")
    limits = [stated.get("model_max_length"), positions, tower.inputs["input_ids"][1]]
    known = [int(limit) for limit in limits if isinstance(limit, int | float)]
    has_fixed_length = isinstance(tower.inputs["input_ids"][1], int)
    pad_token = stated.get("pad_token")
    return open_tokenizer(
        _require(folder / "tokenizer.json"),
        max_tokens=min([*known, *([SIGLIP_TOKENS] if is_siglip else [])], default=512),
        pad_token=pad_token["content"] if isinstance(pad_token, dict) else pad_token,
        pads_to_max=is_siglip or has_fixed_length,
    )


def _with_external_weights(files: Sequence[Path]) -> list[Path]:
    """Files in a fixed order, each once, with the weights that large models keep beside them."""
    beside = [path.with_name(f"{path.name}_data") for path in files]
    return sorted({*files, *(path for path in beside if path.is_file())})


def _require(path: Path) -> Path:
    if path.is_file():
        return path
    raise EncoderNotFound(
        f"Encoder folder {str(path.parent)!r} lacks {path.name}. Copy it from the repository that "
        "the model came from."
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise EncoderNotFound(f"{path} is not JSON ({error}). Download it again.") from error
    return content
