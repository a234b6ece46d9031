"""A folder with a text encoder alone: BGE, MiniLM and their kin. It embeds no pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bilderatlas.arrays import Embeddings, Pixels, to_unit_length
from bilderatlas.errors import EncoderNotFound, QueryError
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.models.encoders.model_folder import ModelFolder, read_json
from bilderatlas.models.encoders.onnx_encoder import (
    first_output,
    pad_token,
    token_feeds,
    with_external_weights,
)
from bilderatlas.models.encoders.tokenizer import Tokens, open_tokenizer, tokenize
from bilderatlas.models.encoders.towers import Tower, hash_files


class TextEncoder:
    """A text encoder, loaded; D is the dimension of its texts."""

    joint_dim: int | None = None
    reads_images = False
    reads_text = True
    input_side = 0

    def __init__(
        self, folder: ModelFolder, *, device: str = "auto", n_threads: int | None = None
    ) -> None:
        self.name = folder.name
        self.space = folder.space
        towers = folder.towers()
        path = folder.path / (towers.texts or towers.pictures or "")
        self._tower = Tower(path, device=device, n_threads=n_threads)
        self.device = self._tower.device
        self._output = first_output(
            self._tower, ["sentence_embedding", "text_embeds", "last_hidden_state"]
        )
        self._pooling = _pooling(folder)
        self.query_prompt = _query_prompt(folder)
        tokenizer_path = folder.require("tokenizer.json")
        self._tokenizer = _tokenizer(folder)
        self.weights_hash = hash_files(with_external_weights([path, tokenizer_path]))
        self.dim: int = self._embed("a").shape[1]

    def prepare(self, image: Image.Image) -> Pixels:
        """Raises QueryError."""
        raise refusal_of_pictures(self.name)

    def embed_images(self, pixels: Pixels) -> ImageEmbeddings:
        """Raises QueryError."""
        raise refusal_of_pictures(self.name)

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Q texts -> (Q, D), one at a time so that no text pays for the padding of another."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        return np.concatenate([self._embed(text) for text in texts])

    def _embed(self, text: str) -> Embeddings:
        tokens = tokenize(self._tokenizer, text)
        (output,) = self._tower.run(token_feeds(self._tower, tokens, n_rows=1), self._output)
        return to_unit_length(self._pooled(output, tokens))

    def _pooled(self, output: NDArray[np.float32], tokens: Tokens) -> NDArray[np.float32]:
        if output.ndim == 2:  # the graph pools by itself
            return output
        if self._pooling == "cls":
            return output[:, 0]
        weights = tokens.mask[:, :, np.newaxis].astype(np.float32)
        mean: NDArray[np.float32] = (output * weights).sum(axis=1) / weights.sum(axis=1)  # (1, D)
        return mean


def refusal_of_pictures(name: str) -> QueryError:
    """What an encoder of texts answers to pictures."""
    return QueryError(
        f"Encoder {name!r} reads texts only. For pictures use one that sees them: "
        "'builtin', 'clip-vit-b-32'; 'bilderatlas encoders' lists them."
    )


def _pooling(folder: ModelFolder) -> str:
    """How token vectors become one: as sentence-transformers' file says, else as is known."""
    if path := folder.find("1_Pooling/config.json"):
        stated = read_json(path)
        for key, pooling in (
            ("pooling_mode_cls_token", "cls"),
            ("pooling_mode_mean_tokens", "mean"),
        ):
            if stated.get(key) or stated.get("pooling_mode") == pooling:
                return pooling
        raise EncoderNotFound(
            f"{path} asks for a pooling that is neither of the CLS token nor mean."
        )
    return folder.pooling or "mean"  # what sentence-transformers takes where no file says it


def _query_prompt(folder: ModelFolder) -> str:
    """What stands before a question: as sentence-transformers' file says, else as is known."""
    path = folder.find("config_sentence_transformers.json")
    stated = read_json(path).get("prompts") if path else None
    return str((stated or {}).get("query", folder.query_prompt))


def _tokenizer(folder: ModelFolder) -> Any:
    stated = read_json(folder.require("tokenizer_config.json"))
    config = read_json(folder.require("config.json"))
    path = folder.find("sentence_bert_config.json")
    limits = [
        stated.get("model_max_length"),
        config.get("max_position_embeddings"),
        read_json(path).get("max_seq_length") if path else None,
    ]
    known = [int(limit) for limit in limits if isinstance(limit, int | float)]
    return open_tokenizer(
        folder.require("tokenizer.json"),
        max_tokens=min(known, default=512),
        pad_token=pad_token(stated),
    )
