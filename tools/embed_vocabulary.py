"""Embed the vocabulary of cluster names with the built-in encoder, for naming without waiting.

    python tools/embed_vocabulary.py

Run it after a change of `analysis/naming/vocabulary.txt` or of the built-in encoder; a test
says so.
"""

from __future__ import annotations

import numpy as np

from bilderatlas.analysis.naming import vocabulary
from bilderatlas.models import encoders


def main() -> None:
    encoder = encoders.load("builtin", device="cpu", n_threads=1)
    embeddings = encoder.embed_texts(vocabulary.words()).astype(np.float16)  # (V, 384)
    np.savez_compressed(
        vocabulary.SHIPPED,
        embeddings=embeddings,
        weights_hash=encoder.weights_hash,
        stamp=vocabulary.stamp(),
    )
    print(f"{vocabulary.SHIPPED}: {len(embeddings)} words, {vocabulary.SHIPPED.stat().st_size:,} B")


if __name__ == "__main__":
    main()
