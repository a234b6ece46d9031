"""How long a text query takes on 100,000 regions, the text encoder left out.

    python benchmarks/queries.py [--n 100000] [--dim 512] [--texts]

The collection is real, on disk; its vectors are random, its thumbnails one byte. With --texts half
of its regions are texts of five words, common and rare ones by Zipf's law as the queries are.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import machine
import numpy as np
from PIL import Image

from bilderatlas.arrays import Embeddings, Pixels, to_unit_length
from bilderatlas.collection import Collection
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage import Store
from bilderatlas.storage.rows import ImageRow, Parts, PlaceRow, RegionRow

N_QUERIES = 200


class RandomEncoder:
    """An encoder that takes no time: every text, every picture is the next of some vectors."""

    name = space = "random"
    weights_hash = "0" * 32
    device = "cpu"
    joint_dim = None
    reads_images = reads_text = True
    query_prompt = ""
    input_side = 8

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._texts = to_unit_length(np.random.default_rng(1).normal(size=(N_QUERIES, dim)))
        self._n_asked = 0

    def prepare(self, image: Image.Image) -> Pixels:
        return np.zeros((3, self.input_side, self.input_side), np.float32)

    def embed_images(self, pixels: Pixels) -> ImageEmbeddings:
        return ImageEmbeddings(self._next(len(pixels)), None)

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        return self._next(len(texts))

    def _next(self, n: int) -> Embeddings:
        chosen = (self._n_asked + np.arange(n)) % N_QUERIES
        self._n_asked += n
        return self._texts[chosen]


def fill(store: Store, encoder: RandomEncoder, n: int, *, with_texts: bool) -> None:
    """Write n regions with random vectors, a thousand images at a time."""
    store.add_space(encoder)
    rng = np.random.default_rng(0)
    n_images = n // 2 if with_texts else n
    for start in range(0, n_images, 1000):
        ids = [f"{i:032x}" for i in range(start, min(n_images, start + 1000))]
        images = [ImageRow(i, 640, 480, "image/jpeg", None, 0, b"\0") for i in ids]
        places = [
            PlaceRow(f"/pictures/{i}.jpg", "/pictures", i, 1, 0.0, 0, '{"price": 1}') for i in ids
        ]
        vectors = to_unit_length(rng.normal(size=(len(ids), encoder.dim)))
        parts = texts_in(ids, rng, encoder.dim) if with_texts else None
        store.append(encoder.space, images, ImageEmbeddings(vectors, None), places, parts)
    store.tidy()


def texts_in(ids: Sequence[str], rng: np.random.Generator, dim: int) -> Parts:
    """A text of five words in each of some images."""
    rows = [RegionRow(f"{i}-1", i, "text", None, (0, 0, 0.5, 0.5), 0.9, words(rng, 5)) for i in ids]
    vectors = to_unit_length(rng.normal(size=(len(ids), dim)))
    return Parts(rows, ImageEmbeddings(vectors, None), "random")


def words(rng: np.random.Generator, n: int) -> str:
    """Words whose number is the commoner the smaller it is."""
    return " ".join(f"w{number}" for number in rng.zipf(1.2, size=n))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--texts", action="store_true", help="half of the regions are texts")
    asked = parser.parse_args()
    encoder = RandomEncoder(asked.dim)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(Path(folder) / "random.atlas")
        fill(store, encoder, asked.n, with_texts=asked.texts)
        collection = Collection(store, encoder=encoder)
        started = time.perf_counter()
        collection.search("first", k=12)
        first_ms = (time.perf_counter() - started) * 1e3
        times_ms, rng = [], np.random.default_rng(2)
        for number in range(N_QUERIES):
            query = words(rng, number % 3 + 1)
            started = time.perf_counter()
            collection.search(query, k=12)
            times_ms.append((time.perf_counter() - started) * 1e3)
    p50, p99 = statistics.median(times_ms), float(np.percentile(times_ms, 99))
    print(machine.describe())
    print("| regions | numbers each | first query, ms | median, ms | 99th percentile, ms |")
    print("|---|---|---|---|---|")
    print(f"| {asked.n:,} | {asked.dim} | {first_ms:.0f} | {p50:.1f} | {p99:.1f} |")


if __name__ == "__main__":
    main()
