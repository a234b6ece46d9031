"""Small piles of pictures, and what a collection made of them, for comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bilderatlas.collection import Collection
from bilderatlas.storage import Store
from tests.toy_encoder import ToyEncoder


def draw(path: Path, seed: int, *, side: int = 24) -> Path:
    """Save a picture of noise; the same seed draws the same picture."""
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise).save(path, "PNG")
    return path


def draw_many(folder: Path, n: int, **how: Any) -> Path:
    for seed in range(n):
        draw(folder / f"{seed:04d}.png", seed, **how)
    return folder


def new_collection(path: Path) -> Collection:
    return Collection(Store.create(path), encoder=ToyEncoder())


def open_collection(path: Path) -> Collection:
    return Collection(Store.open(path), encoder=ToyEncoder())


def state(path: Path) -> dict[str, Any]:
    """Everything in a collection that an interruption might have changed."""
    store = Store.open(path)
    embeddings = store.read("embeddings/toy").to_pylist()
    places = store.read("places", ["source", "uri", "image_id", "metadata"]).to_pylist()
    regions = store.read("regions").to_pylist()
    images = store.read("images").drop_columns(["thumbnail"]).to_pylist()
    problems = store.read("problems", ["uri", "stage", "reason"]).to_pylist()
    return {
        "images": sorted(images, key=lambda row: row["image_id"]),
        "regions": sorted(regions, key=lambda row: row["region_id"]),
        "embeddings": sorted((row["region_id"], tuple(row["vector"])) for row in embeddings),
        "places": sorted(tuple(row.values()) for row in places),
        "problems": sorted(tuple(row.values()) for row in problems),
    }
