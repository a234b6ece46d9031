"""A folder of ONNX towers that see pictures, laid out as the Hugging Face Hub's repositories are.

With a text tower (CLIP, SigLIP) words land among the pictures. Without one (ResNet, DINO, ViT)
pictures are compared with pictures only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bilderatlas.arrays import Embeddings, Pixels, to_unit_length
from bilderatlas.errors import EncoderNotFound, QueryError
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.models.encoders.model_folder import ModelFolder, is_weights_of, read_json
from bilderatlas.models.encoders.onnx_graph import features_of
from bilderatlas.models.encoders.preprocessing import Preprocessing
from bilderatlas.models.encoders.tokenizer import Tokens, open_tokenizer, tokenize
from bilderatlas.models.encoders.towers import Tower, hash_files

SIGLIP_TOKENS = 64  # its training length, which its files do not always state
SCORES = "logits"  # what a classifier puts out


class OnnxEncoder:
    """A folder's towers, loaded; J is None: one space for pictures and words."""

    joint_dim: int | None = None
    reads_images = True
    query_prompt = ""

    def __init__(
        self, folder: ModelFolder, *, device: str = "auto", n_threads: int | None = None
    ) -> None:
        self.name = folder.name
        self.space = folder.space
        towers = folder.towers()
        if towers.pictures is None:
            raise EncoderNotFound(
                f"Folder {str(folder.path)!r} holds {towers.texts} but no image tower."
            )
        picture_path = folder.path / towers.pictures
        config, config_path = _preprocessor_config(folder)
        self._preprocessing = Preprocessing.from_config(config)
        self.input_side = self._preprocessing.input_side
        self._images = Tower(picture_path, device=device, n_threads=n_threads)
        self._texts: Tower | None = None
        if towers.texts:
            self._texts = Tower(folder.path / towers.texts, device=device, n_threads=n_threads)
        elif "input_ids" in self._images.inputs:
            self._texts = self._images
        self.reads_text = self._texts is not None
        if SCORES in self._images.outputs and "image_embeds" not in self._images.outputs:
            self._images, self._image_output = _before_scores(self._images, device, n_threads)
        else:
            self._image_output = _image_output(self._images, reads_text=self.reads_text)
        self.device = self._images.device
        files = [picture_path, config_path]
        if self._texts:
            self._text_output = _text_output(self._texts)
            self._tokenizer = _folder_tokenizer(folder, self._texts)
            files += [self._texts.path, folder.require("tokenizer.json")]
        self.weights_hash = hash_files(with_external_weights(files))
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
        feeds = {_picture_input(self._images): pixels}
        if "input_ids" in self._images.inputs:  # one graph for both towers wants both
            feeds |= token_feeds(self._images, tokenize(self._tokenizer, "a"), n_rows=len(pixels))
        (output,) = self._images.run(feeds, self._image_output)
        return to_unit_length(_pooled(output))

    def _run_text(self, tower: Tower, text: str) -> Embeddings:
        feeds = token_feeds(tower, tokenize(self._tokenizer, text), n_rows=1)
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


def _preprocessor_config(folder: ModelFolder) -> tuple[dict[str, Any], Path]:
    """How pictures are prepared, and the file that says so; newer programs write it elsewhere."""
    others = (
        ("processor_config.json", "image_processor"),
        ("config.json", "pretrained_cfg"),
        ("open_clip_config.json", "preprocess_cfg"),
    )
    if not folder.find("preprocessor_config.json"):
        for name, key in others:
            path = folder.find(name)
            config = read_json(path).get(key) if path else None
            if path and isinstance(config, dict):
                return config, path
    path = folder.require("preprocessor_config.json")
    return read_json(path), path


def _picture_input(tower: Tower) -> str:
    """`pixel_values`, or the only input, whatever its name."""
    return "pixel_values" if "pixel_values" in tower.inputs else next(iter(tower.inputs))


def _before_scores(tower: Tower, device: str, n_threads: int | None) -> tuple[Tower, str]:
    """A classifier, opened to put out what its last layer is fed."""
    features = features_of(tower.path, SCORES)
    if features is None:
        raise EncoderNotFound(_no_embedding(tower, ["image_embeds", "pooler_output"]))
    opened = Tower(tower.path, device=device, n_threads=n_threads, extra_output=features)
    return opened, features


def _image_output(tower: Tower, *, reads_text: bool) -> str:
    """The output that compares pictures.

    Without a text tower a transformer's CLS token is better than its pooler, which many
    checkpoints never trained; `_pooled` takes it.
    """
    tokens = len(tower.outputs.get("last_hidden_state", [])) == 3 and not reads_text
    wanted = ["image_embeds", *(["last_hidden_state"] if tokens else []), "pooler_output"]
    return first_output(tower, wanted if reads_text else [*wanted, "last_hidden_state"])


def _text_output(tower: Tower) -> str:
    return first_output(tower, ["text_embeds", "pooler_output"])


def first_output(tower: Tower, wanted: Sequence[str]) -> str:
    """The first of these outputs that the tower has, or its only one if that is (B, D)."""
    for name in wanted:
        if name in tower.outputs:
            return name
    names = list(tower.outputs)
    if len(names) == 1 and len(tower.outputs[names[0]]) == 2 and names != [SCORES]:
        return names[0]
    raise EncoderNotFound(_no_embedding(tower, wanted))


def _no_embedding(tower: Tower, wanted: Sequence[str]) -> str:
    return (
        f"{tower.path} puts out {', '.join(tower.outputs)}; an embedding was expected: "
        f"{' or '.join(dict.fromkeys(wanted))}. A classifier must be exported without its last "
        "layer: optimum-cli export onnx --task feature-extraction."
    )


def _pooled(output: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B, D), the CLS token of (B, S, D), or the mean over the map of (B, D, H, W)."""
    if output.ndim == 3:
        return output[:, 0]
    return output.mean(axis=(2, 3)) if output.ndim == 4 else output


def token_feeds(tower: Tower, tokens: Tokens, *, n_rows: int) -> dict[str, NDArray[Any]]:
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


def _folder_tokenizer(folder: ModelFolder, tower: Tower) -> Any:
    """The folder's tokenizer, padded to full length where the tower was trained on that."""
    config = read_json(folder.require("config.json"))
    stated_path = folder.find("tokenizer_config.json")
    stated = read_json(stated_path) if stated_path else {}
    is_siglip = str(config.get("model_type", "")).startswith("siglip")
    fixed = tower.inputs["input_ids"][1]
    positions = config.get("text_config", {}).get("max_position_embeddings")
    limits = [stated.get("model_max_length"), positions, fixed, folder.text_length]
    known = [int(limit) for limit in limits if isinstance(limit, int | float)]
    known += [SIGLIP_TOKENS] if is_siglip else []
    if not known:
        folder.require("tokenizer_config.json")
    return open_tokenizer(
        folder.require("tokenizer.json"),
        max_tokens=min(known),
        pad_token=pad_token(stated) if folder.text_length is None else None,
        pads_to_max=is_siglip or isinstance(fixed, int) or folder.text_length is not None,
        lowercases=is_siglip,  # as it was trained; SigLIP 2's tokenizer.json does not
    )


def pad_token(stated: dict[str, Any]) -> str | None:
    """What tokenizer_config.json says of padding, in the spellings of all its years."""
    token = stated.get("pad_token")
    return token["content"] if isinstance(token, dict) else token


def with_external_weights(files: Sequence[Path]) -> list[Path]:
    """Files in a fixed order, each once, with the weights that large models keep beside them."""
    beside = [
        other
        for path in files
        for other in path.parent.iterdir()
        if is_weights_of(other.name, path.name)
    ]
    return sorted({*files, *beside})
