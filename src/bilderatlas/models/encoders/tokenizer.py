"""A text -> token ids, padded as the text tower was trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a text becomes: S tokens."""

    ids: NDArray[np.int64]  # (1, S)
    mask: NDArray[np.int64]  # (1, S), 1 where there is text


def open_tokenizer(
    path: Path,
    *,
    max_tokens: int,
    pad_token: str | None = None,
    pads_to_max: bool = False,
    lowercases: bool = False,
) -> Tokenizer:
    """Read a tokenizer.json; longer texts are cut to `max_tokens`.

    `pads_to_max`: fill shorter ones up to that, for towers that learned to see the padding.
    `lowercases`: whether to, where the file does not say so itself.
    """
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Lowercase, Sequence

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    if pads_to_max:
        pad_id = tokenizer.token_to_id(pad_token or "") or 0
        tokenizer.enable_padding(pad_id=pad_id, pad_token=pad_token or "", length=max_tokens)
    if lowercases:
        further = [tokenizer.normalizer] if tokenizer.normalizer else []
        tokenizer.normalizer = Sequence([Lowercase(), *further])
    return tokenizer


def tokenize(tokenizer: Tokenizer, text: str) -> Tokens:
    """One text -> its tokens."""
    encoding = tokenizer.encode(text)
    return Tokens(
        ids=np.array([encoding.ids], dtype=np.int64),
        mask=np.array([encoding.attention_mask], dtype=np.int64),
    )
