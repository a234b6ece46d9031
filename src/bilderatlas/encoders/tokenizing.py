"""Texts -> token ids, padded as the text tower was trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Q texts become, each padded to S tokens."""

    ids: NDArray[np.int64]  # (Q, S)
    mask: NDArray[np.int64]  # (Q, S), 1 where there is text


@dataclass(frozen=True, slots=True)
class TokenizerFile:
    """A tokenizer.json, cut to `max_tokens`; padded to that too where `pads_to_max`.

    SigLIP was trained on texts padded to 64 without a mask, so it must see the padding;
    BERT masks it, so there the longest text of a batch decides.
    """

    tokenizer: Tokenizer
    pads_to_max: bool

    @classmethod
    def open(
        cls, path: Path, *, max_tokens: int, pads_to_max: bool, pad_token: str
    ) -> TokenizerFile:
        """Read the file; `pad_token` is one of its own tokens."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.enable_truncation(max_tokens)
        pad_id = tokenizer.token_to_id(pad_token) or 0
        length = max_tokens if pads_to_max else None
        tokenizer.enable_padding(pad_id=pad_id, pad_token=pad_token, length=length)
        return cls(tokenizer, pads_to_max)

    def encode(self, texts: Sequence[str]) -> Tokens:
        """Q ≥ 1 texts -> ids and mask (Q, S)."""
        encodings = self.tokenizer.encode_batch(list(texts))
        return Tokens(
            ids=np.array([encoding.ids for encoding in encodings], dtype=np.int64),
            mask=np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64),
        )
