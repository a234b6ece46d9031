"""How well encoders find photographs by their captions, sort clothing, and how fast.

    python benchmarks/encoder_quality.py [--encoder builtin --encoder FOLDER] [--assets FOLDER]

The assets are `data/coco` (photographs, five captions each) and `data/clothing` (a folder a
class), as the tests use them.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import machine
import numpy as np
from PIL import Image, ImageOps
from sklearn.cluster import KMeans

from bilderatlas.arrays import Embeddings, Pixels
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder, ImageEmbeddings

BESIDE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared"
BATCH = 16


@dataclass(frozen=True, slots=True)
class Pace:
    """What one picture and one text cost, in milliseconds."""

    prepare_ms: float
    image_ms: float
    text_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", action="append", help="name or folder; may be repeated")
    parser.add_argument("--assets", type=Path, default=os.environ.get("BILDERATLAS_TEST_ASSETS"))
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    data = Path(arguments.assets or BESIDE_REPOSITORY) / "data"
    print(f"{machine.describe()}, {arguments.threads} thread(s)\n")
    print("| encoder | R@1 | R@5 | R@10 | clothing purity | prepare ms | image ms | text ms |")
    print("|---|---|---|---|---|---|---|---|")
    for name in arguments.encoder or ["builtin"]:
        encoder = encoders.load(name, n_threads=arguments.threads)
        print(row(encoder, data))


def row(encoder: Encoder, data: Path) -> str:
    files, captions, owners = read_coco(data / "coco")
    pace = measure_pace(encoder, files[:32], captions[:64] if encoder.reads_text else [])
    recalls = ["-"] * 3
    if encoder.reads_text:
        made = embed(encoder, files)
        images = made.vectors if made.joint is None else made.joint
        ranks = rank(images, encoder.embed_texts(captions), owners)
        recalls = [f"{(ranks < k).mean():.3f}" for k in (1, 5, 10)]
    purity = f"{clothing_purity(encoder, data / 'clothing'):.3f}"
    times = [f"{ms:.1f}" for ms in (pace.prepare_ms, pace.image_ms, pace.text_ms)]
    return f"| {' | '.join([encoder.name, *recalls, purity, *times])} |"


def read_coco(folder: Path) -> tuple[list[Path], list[str], np.ndarray]:
    """N photographs, Q captions, and whose each caption is (Q,)."""
    listed = json.loads((folder / "coco.json").read_text("utf-8"))["images"]
    captioned = [entry for entry in listed if entry.get("captions")]
    captions = [entry["captions"][:5] for entry in captioned]
    owners = np.repeat(np.arange(len(captioned)), [len(five) for five in captions])
    files = [folder / entry["file"] for entry in captioned]
    return files, [caption for five in captions for caption in five], owners


def rank(images: Embeddings, texts: Embeddings, owners: np.ndarray) -> np.ndarray:
    """How many pictures are closer to each text than its own, (Q,)."""
    scores = texts @ images.T  # (Q, N)
    own = scores[np.arange(len(texts)), owners]
    return (scores > own[:, np.newaxis]).sum(axis=1)


def clothing_purity(encoder: Encoder, folder: Path) -> float:
    """Share of the pictures whose k-means cluster is mostly of their class; k = classes.

    The mean over five seeds: one seed's figure lies up to 0.03 from another's.
    """
    files = sorted(folder.glob("*/*.jpg"))
    classes, labels = np.unique([file.parent.name for file in files], return_inverse=True)
    vectors = embed(encoder, files).vectors
    purities = []
    for seed in range(5):
        clusters = KMeans(len(classes), n_init=5, random_state=seed).fit_predict(vectors)
        largest = [np.bincount(labels[clusters == c]).max() for c in np.unique(clusters)]
        purities.append(sum(largest) / len(files))
    return float(np.mean(purities))


def embed(encoder: Encoder, files: Sequence[Path]) -> ImageEmbeddings:
    batches = [
        encoder.embed_images(read(encoder, files[start : start + BATCH]))
        for start in range(0, len(files), BATCH)
    ]
    joint = [batch.joint for batch in batches if batch.joint is not None]
    vectors = np.concatenate([batch.vectors for batch in batches])
    return ImageEmbeddings(vectors, np.concatenate(joint) if joint else None)


def read(encoder: Encoder, files: Sequence[Path]) -> Pixels:
    return np.stack([encoder.prepare(open_upright(file)) for file in files])


def open_upright(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def measure_pace(encoder: Encoder, files: Sequence[Path], texts: Sequence[str]) -> Pace:
    """After one warm batch; reading the files is left out."""
    pictures = [open_upright(file) for file in files]
    start = time.perf_counter()
    pixels = np.stack([encoder.prepare(picture) for picture in pictures])
    prepared = time.perf_counter()
    encoder.embed_images(pixels[:BATCH])
    warm = time.perf_counter()
    encoder.embed_images(pixels)
    embedded = time.perf_counter()
    if texts:
        encoder.embed_texts(texts)
    read_texts = time.perf_counter()
    return Pace(
        prepare_ms=(prepared - start) / len(files) * 1e3,
        image_ms=(embedded - warm) / len(files) * 1e3,
        text_ms=(read_texts - embedded) / max(len(texts), 1) * 1e3,
    )


if __name__ == "__main__":
    main()
