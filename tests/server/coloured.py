"""A small collection whose answers can be told by looking: eight pictures each of four colours."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from bilderatlas.collection import Collection
from bilderatlas.storage import Store
from tests.toy_encoder import ToyEncoder

COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0)}
N_OF_EACH = 8
SIZES = ((400, 300), (300, 400), (640, 320), (320, 320))
HOSTILE = "<img src=x onerror=alert(1)>"  # a name that must stay a text


def paint(colour: str, seed: int) -> Image.Image:
    """A picture of one colour, dirtied a little, differently for every seed."""
    rng = np.random.default_rng(seed)
    ground = np.array(COLOURS[colour]) * 215 + 20  # (3,)
    dirt = rng.normal(0, 12, (8, 8, 3))
    pixels = np.clip(ground + dirt, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize(SIZES[seed % len(SIZES)], Image.Resampling.BICUBIC)


def paint_all(folder: Path) -> Path:
    """Save every picture and a table of them with a title and a year; the table's path."""
    folder.mkdir(parents=True)
    rows = []
    for seed in range(N_OF_EACH):
        for colour in COLOURS:
            name = f"{HOSTILE} {colour}.png" if seed == 0 else f"{colour}-{seed}.png"
            paint(colour, seed).save(folder / name)
            rows.append([name, f"{colour} <script>document.title = 'broken'</script>", 1950 + seed])
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    rows.append(["broken.png", "a broken one", 1990])
    table = folder / "pictures.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["path", "title", "year"], *rows])
    return table


def make_collection(folder: Path) -> Collection:
    """Index, cluster by colour and map."""
    table = paint_all(folder / "pictures")
    atlas = Collection(Store.create(folder / "colours.atlas"), encoder=ToyEncoder())
    atlas.index(table, column="path")
    atlas.cluster("kmeans", k=len(COLOURS))
    atlas.project("pca", dims=2)
    atlas.project("pca", dims=3)
    return atlas
