"""How often a cluster's name is the label that most of its pictures have, and what naming costs.

    python benchmarks/naming.py [--assets FOLDER]

Garments (`data/clothing`, a folder a class) and what is marked in photographs (`data/coco`, boxes
of 2 % of the picture or more), built-in encoder. A name is right where its first word, or one of
its first two, is the commonest label of the cluster or one of the words listed for it below.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import machine
import numpy as np
from encoder_quality import BESIDE_REPOSITORY, embed, open_upright
from numpy.typing import NDArray

from bilderatlas.analysis import clustering, naming
from bilderatlas.analysis.naming import vocabulary
from bilderatlas.arrays import Embeddings, to_unit_length
from bilderatlas.indexing import images
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder, ImageEmbeddings

LEAST_AREA = 0.02
FEWEST = 5  # pictures of a class that is a cluster of its own
SAME = {
    "outwear": "jacket coat cardigan hoodie",
    "longsleeve": "sweater blouse hoodie",
    "hat": "cap",
    "pants": "trousers jeans",
    "shoes": "boots sneakers sandals",
    "couch": "sofa armchair",
    "tv": "television",
    "cell phone": "mobile-phone",
    "person": "man woman boy girl child baby",
    "motorcycle": "scooter",
    "potted plant": "houseplant plant flower-pot",
    "dining table": "table meal",
    "sports ball": "ball football",
    "truck": "van pickup-truck fire-engine",
    "boat": "ship sailing-boat canoe kayak ferry",
    "bird": "pigeon gull duck owl",
    "airplane": "fighter-jet",
    "cow": "bull calf",
    "dog": "puppy",
    "cat": "kitten",
    "horse": "pony",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=Path, default=os.environ.get("BILDERATLAS_TEST_ASSETS"))
    data = Path(parser.parse_args().assets or BESIDE_REPOSITORY) / "data"
    encoder = encoders.load("builtin", n_threads=2)
    print(f"{machine.describe()}\n")
    print("| pictures | clusters | n | first word right | first two | without a name | ms |")
    print("|---|---|---|---|---|---|---|")
    said: list[tuple[float, bool]] = []
    for pictures, (made, labels), counts in (
        ("garments", garments(encoder, data / "clothing"), (10, 20)),
        ("crops", crops(encoder, data / "coco"), (40, 80)),
    ):
        for title, clusters in partitions(made.vectors, labels, counts):
            said += measure(pictures, title, made, labels, clusters)
    print("\n| confidence | names | right |\n|---|---|---|")
    for low, high in ((0.1, 0.2), (0.2, 0.35), (0.35, 0.5), (0.5, 0.7), (0.7, 1.01)):
        right = [is_right for confidence, is_right in said if low <= confidence < high]
        print(f"| {low:.2f} to {min(high, 1):.2f} | {len(right)} | {np.mean(right):.2f} |")
    measure_pace(encoder)


def garments(encoder: Encoder, folder: Path) -> tuple[ImageEmbeddings, NDArray[np.str_]]:
    files = sorted(folder.glob("*/*.jpg"))
    return embed(encoder, files), np.array([file.parent.name for file in files])


def crops(encoder: Encoder, folder: Path) -> tuple[ImageEmbeddings, NDArray[np.str_]]:
    """What is marked in the photographs, cut out as `index` cuts out regions."""
    described = json.loads((folder / "coco.json").read_text("utf-8"))
    vectors, joint, labels = [], [], []
    for entry in described["images"]:
        size = np.array([entry["width"], entry["height"]] * 2)
        for marked in entry["objects"] if entry["has_boxes"] else ():
            x, y, width, height = marked["bbox"]
            if marked["iscrowd"] or width * height < LEAST_AREA * size[0] * size[1]:
                continue
            box = tuple(np.array([x, y, x + width, y + height]) / size)
            cut = images.crop(open_upright(folder / entry["file"]), box)
            made = encoder.embed_images(encoder.prepare(cut)[None])
            vectors.append(made.vectors)
            joint.append(made.joint)
            labels.append(described["categories"][str(marked["category_id"])])
    return ImageEmbeddings(np.concatenate(vectors), np.concatenate(joint)), np.array(labels)


def partitions(
    vectors: Embeddings, labels: NDArray[np.str_], counts: Sequence[int]
) -> list[tuple[str, NDArray[np.int32]]]:
    """The classes themselves, k-means and HDBSCAN."""
    _, own, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    own = np.where(sizes[own] >= FEWEST, own, -1).astype(np.int32)
    found = [("the classes themselves", own)]
    for k in counts:
        for seed in (0, 1):
            made = clustering.cluster(vectors, method="kmeans", k=k, seed=seed)
            found.append((f"k-means, k = {k}, seed {seed}", made.labels))
    return [*found, ("HDBSCAN", clustering.cluster(vectors).labels)]


def measure(
    pictures: str,
    title: str,
    made: ImageEmbeddings,
    labels: NDArray[np.str_],
    clusters: NDArray[np.int32],
) -> list[tuple[float, bool]]:
    """Print a row; the confidence of each name, and whether it is right."""
    embedded = vocabulary.shipped_embeddings(encoders.load("builtin").weights_hash)
    clustered = clusters >= 0
    began = time.perf_counter()
    offered = vocabulary.suggest(
        made.joint[clustered], clusters[clustered], vocabulary.words(), embedded
    )
    names = naming.choose([offered], sorted(offered))
    ms = (time.perf_counter() - began) * 1e3
    commonest = {c: Counter(labels[clusters == c].tolist()).most_common(1)[0][0] for c in names}
    first = [is_right(name.words[:1], commonest[c]) for c, name in names.items()]
    two = [is_right(name.words[:2], commonest[c]) for c, name in names.items()]
    none = sum(name.source == "number" for name in names.values())
    print(
        f"| {pictures} | {title} | {len(names)} | {np.mean(first):.2f} | {np.mean(two):.2f} "
        f"| {none} | {ms:.0f} |",
        flush=True,
    )
    return [(n.confidence, right) for n, right in zip(names.values(), first, strict=True)]


def is_right(words: Sequence[str], label: str) -> bool:
    accepted = {_plain(label), *map(_plain, SAME.get(label, "").split())}
    return any(_plain(part) in accepted for word in words for part in (word, *word.split()))


def _plain(word: str) -> str:
    return re.sub(r"[\s-]", "", word.lower()).removesuffix("s")


def measure_pace(encoder: Encoder) -> None:
    """100 clusters of 64 members: as many as `cluster` looks at."""
    rng = np.random.default_rng(0)
    embedded = vocabulary.shipped_embeddings(encoder.weights_hash)
    rows = to_unit_length(rng.normal(size=(6400, embedded.shape[1])))
    began = time.perf_counter()
    offered = vocabulary.suggest(rows, np.repeat(np.arange(100), 64), vocabulary.words(), embedded)
    naming.choose([offered], range(100))
    print(f"\n100 clusters of 64 looked at: {time.perf_counter() - began:.2f} s to name")


if __name__ == "__main__":
    main()
