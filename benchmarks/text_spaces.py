"""How well a photograph is found by words: by its picture, or by the text that stands beside it.

    python benchmarks/text_spaces.py [--assets FOLDER]

Captioned photographs of `data/coco`: the first caption of each is its title; the others are asked.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import tempfile
import time
from pathlib import Path

import machine
import numpy as np

import bilderatlas as ba
from bilderatlas.collection import queries

BESIDE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=Path, default=os.environ.get("BILDERATLAS_TEST_ASSETS"))
    coco = Path(parser.parse_args().assets or BESIDE_REPOSITORY) / "data" / "coco"
    photographs = json.loads((coco / "coco.json").read_text("utf-8"))["images"]
    captioned = [one for one in photographs if one.get("captions")]
    print(f"{machine.describe()}, {len(captioned)} photographs\n")
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        with table.open("w", newline="") as file:
            rows = [[coco / one["file"], one["captions"][0]] for one in captioned]
            csv.writer(file).writerows([["path", "title"], *rows])
        atlas = ba.create(Path(folder) / "coco.atlas")
        atlas.index(table, encoder="builtin")
        started = time.perf_counter()
        made = atlas.reindex(text_column="title")
        print(f"{made.n_embedded} titles in {time.perf_counter() - started:.1f} s\n")
        asked = [(words, coco / one["file"]) for one in captioned for words in one["captions"][1:]]
        print("| asked | R@1 | R@5 | R@10 |\n|---|---|---|---|")
        for space in (made.space, "builtin"):
            ranks = np.array([rank(atlas, words, str(path), space) for words, path in asked])
            recalls = (f"{(ranks < k).mean():.3f}" for k in (1, 5, 10))
            print(f"| {space} | {' | '.join(recalls)} |")


def rank(atlas: ba.Collection, words: str, path: str, space: str) -> int:
    """How many photographs come before the right one."""
    asked = queries.phrase(words)  # a caption is no expression
    paths = [hit.path for hit in atlas.search(asked, k=10, space=space)]
    return paths.index(path) if path in paths else len(paths)


if __name__ == "__main__":
    main()
