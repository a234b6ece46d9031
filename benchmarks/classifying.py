"""How often prompts say the class of a picture, and how sure they are of it.

    bilderatlas index clothing.atlas ASSETS/data/clothing --encoder builtin
    python benchmarks/classifying.py clothing.atlas

The folder of each picture is its class. Prompts are the folders' names, then words that mean the
same; "right" is of all pictures, "none" how many were called none of these, "sure" how many had a
probability of 0.8 and more.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import machine
import numpy as np

import bilderatlas
from bilderatlas.collection import Collection

OTHER_WORDS = {
    "longsleeve": "sweater",
    "outwear": "jacket",
    "pants": "jeans",
    "hat": "cap",
    "shoes": "sneakers",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collection", type=Path)
    atlas = bilderatlas.open(parser.parse_args().collection)
    ids, _ = atlas.embeddings()
    classes = [Path(path or "").parent.name for path in atlas.paths(ids)]
    names = sorted(set(classes))
    print(machine.describe())
    print(f"{'prompts':20} right  mean confidence  none  sure  of these right")
    measure(atlas, "folders' names", names, names, classes)
    words = [OTHER_WORDS.get(name, name) for name in names]
    measure(atlas, "words of the same", words, names, classes)


def measure(
    atlas: Collection, title: str, prompts: list[str], names: list[str], classes: list[str]
) -> None:
    """Print a row: `prompts` stand for `names`, of which `classes` are those of the pictures."""
    made = atlas.classify(prompts=prompts, sample=len(classes))
    called = dict(zip(prompts, names, strict=True))
    found = [called[made.names[i]] if i >= 0 else "" for i in made.labels[:, 0].tolist()]
    is_right = np.array([a == b for a, b in zip(found, classes, strict=True)])
    sure = made.probabilities[:, 0]
    is_sure = (sure >= 0.8) & (made.labels[:, 0] >= 0)
    print(
        f"{title:20} {is_right.mean():5.2f}  {sure.mean():15.2f}"
        f"  {(made.labels[:, 0] < 0).mean():4.2f}  {is_sure.mean():4.2f}"
        f"  {is_right[is_sure].mean():14.2f}"
    )


if __name__ == "__main__":
    main()
