"""How good the automatic cut-off is, beside the best fixed threshold found by hindsight.

    python benchmarks/cutoff.py [--detector FOLDER]

Labels: the categories of `data/coco`, whole pictures and with objects found by the detector, and
the classes of `data/clothing`. Words ask for a category by its name; pictures ask for those of
their own class, in COCO that of their largest object. The threshold by hindsight is one for all
queries of a row, on the score, and is chosen by the labels. Refused is what has no image at the
cut-off or above: words for what is in no picture, words whose pictures were all taken out, and
words or pictures that do have relevant ones.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import machine
import numpy as np
from numpy.typing import NDArray

import bilderatlas as ba
from bilderatlas.analysis import calibration
from bilderatlas.analysis.calibration import PICTURES_FLOOR, PROBES, WORDS_FLOOR, Background
from bilderatlas.arrays import Embeddings
from bilderatlas.models import encoders
from bilderatlas.models.detectors import coco
from bilderatlas.storage import Store
from bilderatlas.storage.catalogue import Catalogue

BESIDE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared"
CUT = calibration.DOUBTFUL - 1e-6
BINS = (0, 0.1, 0.25, 0.5, 0.7, 0.9, 1)
Mask = NDArray[np.bool_]

# In no caption of data/coco, and in none of the three best pictures of each, looked at by eye.
ABSENT = (
    *("volcano", "castle", "submarine", "telescope", "microscope", "violin", "accordion", "drum"),
    *("igloo", "shark", "jellyfish", "spider", "scorpion", "crocodile", "kangaroo", "camel"),
    *("dinosaur", "astronaut", "space rocket", "lighthouse", "windmill", "waterfall", "tank"),
    *("coral reef", "machine gun", "sword", "crown", "chess board", "x-ray", "stethoscope"),
    *("syringe", "gas mask", "parachute", "hot air balloon", "oil rig", "snail", "octopus"),
    *("cactus", "pyramid", "cannon", "harp", "trombone", "anvil", "lawn mower", "chainsaw"),
    *("wheelbarrow", "treadmill", "missile", "warship", "lobster", "starfish", "iguana"),
    *("beaver", "ostrich", "flamingo", "whale", "gorilla"),
)
# What no photograph of one garment shows, unless printed on it.
ABSENT_FROM_CLOTHING = (
    *("airplane", "train", "boat", "traffic light", "fire hydrant", "stop sign", "parking meter"),
    *("horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "kite", "surfboard"),
    *("pizza", "broccoli", "donut", "toilet", "microwave", "oven", "toaster", "refrigerator"),
    *("banana", "carrot", "hot dog", "cake", "bus", "truck", "motorcycle"),
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """N regions of M images, and what Q queries should find."""

    embeddings: Embeddings  # (N, D)
    image_of: NDArray[np.integer]  # (N,)
    kinds: NDArray[np.integer]  # (N,), 0 is the whole picture
    probes: Embeddings  # (P, D)
    queries: Embeddings  # (Q, D)
    relevant: Mask  # (Q, M)
    owners: NDArray[np.integer] | None = None  # (Q,) the queries' own images, which are no answer

    def of_images(self, kept: Mask) -> Labelled:
        """The same questions to some of the images (M,) only."""
        rows = kept[self.image_of]
        image_of = np.cumsum(kept)[self.image_of[rows]] - 1
        relevant = self.relevant[:, kept]
        smaller = replace(self, embeddings=self.embeddings[rows], image_of=image_of)
        return replace(smaller, kinds=self.kinds[rows], relevant=relevant)

    def background(self) -> Background:
        if self.owners is None:
            return calibration.measure(
                self.probes, self.embeddings, self.image_of, self.kinds, floor=WORDS_FLOOR
            )
        step = max(1, len(self.queries) // calibration.N_PICTURES)
        return calibration.measure(
            self.queries[::step],
            self.embeddings,
            self.image_of,
            self.kinds,
            floor=PICTURES_FLOOR,
            owners=self.owners[::step],
        )

    def answers(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scores and relevance of every image by its best region, (Q, M); -1 and 0 of its own."""
        background, shape = self.background(), self.relevant.shape
        scores, relevance = np.full(shape, -1, np.float32), np.zeros(shape, np.float32)
        for number, query in enumerate(self.queries):
            raw = np.clip(self.embeddings @ query, -1, 1)
            own = -1 if self.owners is None else self.owners[number]
            counted = self.image_of != own
            judged = calibration.judge(
                raw, self.kinds, self.image_of, background, counted=counted
            ).relevance
            np.maximum.at(scores[number], self.image_of[counted], raw[counted])
            np.maximum.at(relevance[number], self.image_of[counted], judged[counted])
        return scores, relevance


def f1(found: Mask, relevant: Mask) -> tuple[float, float]:
    """Over all pairs of Q queries and M images at once (micro), and the mean of the queries'."""
    right, both = (found & relevant).sum(axis=1), found.sum(axis=1) + relevant.sum(axis=1)
    return 2 * right.sum() / both.sum(), float(np.mean(2 * right / np.maximum(both, 1)))


def by_hindsight(scores: NDArray[np.float32], relevant: Mask) -> tuple[float, float]:
    """The best F1, micro and macro, of any one threshold on the score."""
    thresholds = np.quantile(scores, np.linspace(0.3, 0.9999, 600))
    reached = np.array([f1(scores >= threshold, relevant) for threshold in thresholds])
    micro, macro = reached.max(axis=0)
    return float(micro), float(macro)


def print_row(name: str, labelled: Labelled) -> None:
    scores, relevance = labelled.answers()
    relevant, found, likely = labelled.relevant, relevance >= CUT, relevance >= 0.5
    ours, best = f1(found, relevant), by_hindsight(scores, relevant)
    told = [
        f"{len(relevant)} x {relevant.shape[1]}",
        f"{relevant.mean():.3f}",
        *(f"{a:.3f} / {b:.3f} = {a / b:.2f}" for a, b in zip(ours, best, strict=True)),
        f"{relevant[found].mean():.2f}",
        f"{found[relevant].mean():.2f}",
        f"{relevant[likely].mean():.2f}",
        f"{np.mean(~found.any(axis=1)):.3f}",
        f"{np.mean((relevance - relevant) ** 2):.3f}",
        *bins(relevance, relevant),
    ]
    print(f"| {name} | {' | '.join(told)} |", flush=True)


def bins(relevance: NDArray[np.float32], relevant: Mask) -> Iterator[str]:
    """The share that is relevant of what has a relevance in each bin."""
    for low, high in pairwise(BINS):
        inside = (relevance >= low) & (relevance < high)
        yield f"{relevant[inside].mean():.2f}" if inside.sum() >= 20 else "-"


def print_refusals(name: str, labelled: Labelled, absent: Embeddings) -> None:
    """How often words are refused for what was never there, and for what was taken out."""
    n_images = labelled.relevant.shape[1]
    none = np.zeros((len(absent), n_images), dtype=bool)
    _, never = replace(labelled, queries=absent, relevant=none).answers()
    taken_out = []
    for query, relevant in zip(labelled.queries, labelled.relevant, strict=True):
        asked = replace(labelled, queries=query[np.newaxis], relevant=relevant[np.newaxis])
        taken_out.append(asked.of_images(~relevant).answers()[1].max(initial=0))
    _, present = labelled.answers()
    told = []
    for bar in (CUT, calibration.LIKELY):
        told += [
            f"{np.mean(never.max(axis=1) < bar):.2f}",
            f"{np.mean(np.array(taken_out) < bar):.2f}",
            f"{np.mean(present.max(axis=1) < bar):.2f}",
        ]
    refused = np.flatnonzero(present.max(axis=1) < CUT)
    right = labelled.relevant[refused, present[refused].argmax(axis=1)]
    told.append(f"{right.sum()} of {len(refused)}")
    print(f"| {name} | {len(absent)} | {' | '.join(told)} |", flush=True)


def collect(folder: Path, place: Path, detector: Path | None) -> Catalogue:
    """Index pictures, with their objects where there is a detector."""
    find = ["objects"] if detector else []
    ba.create(place).index(folder, encoder="builtin", find=find, detector=detector)
    return Catalogue(Store.open(place), "builtin")


def paths(catalogue: Catalogue) -> list[Path]:
    return [Path(catalogue.places(i)[0][0]) for i in range(len(catalogue.image_ids))]


def kind_numbers(catalogue: Catalogue) -> NDArray[np.integer]:
    """(N,) numbers of the kinds, 0 for whole pictures."""
    names = catalogue.regions["kind"].to_pylist()
    others = sorted(set(names) - {"image"})
    return np.array([0 if name == "image" else 1 + others.index(name) for name in names])


def of_words(catalogue: Catalogue, words: Embeddings, relevant: Mask) -> Labelled:
    probes = encoders.load("builtin").embed_texts(PROBES)
    kinds = kind_numbers(catalogue)
    return Labelled(catalogue.joint, catalogue.image_of, kinds, probes, words, relevant)


def of_pictures(catalogue: Catalogue, classes: NDArray[np.integer], step: int) -> Labelled:
    """Every step-th picture that has a class asks for the others of it; parts are left out."""
    whole = np.flatnonzero((kind_numbers(catalogue) == 0) & (classes[catalogue.image_of] >= 0))
    whole = whole[np.argsort(catalogue.image_of[whole])]
    vectors, classes = catalogue.vectors[whole], classes[classes >= 0]
    same = (classes[:, np.newaxis] == classes) & ~np.eye(len(classes), dtype=bool)
    asking = np.flatnonzero(same.any(axis=1))[::step]
    numbers, kinds = np.arange(len(whole)), np.zeros(len(whole), dtype=int)
    return Labelled(vectors, numbers, kinds, vectors[:0], vectors[asking], same[asking], asking)


def coco_labels(folder: Path, files: list[Path]) -> tuple[Mask, NDArray[np.integer], Mask]:
    """What is in each image (80, M), what is largest in it (M,) or -1, and who has labels (M,)."""
    listed = json.loads((folder / "coco.json").read_text("utf-8"))["images"]
    by_name = {Path(entry["file"]).name: entry for entry in listed}
    number = {each: place for place, each in enumerate(coco.LABEL_OF_ID)}
    inside = np.zeros((80, len(files)), dtype=bool)
    largest = np.full(len(files), -1)
    for image, file in enumerate(files):
        objects = by_name[file.name].get("objects") or []
        inside[[number[each["category_id"]] for each in objects], image] = True
        if objects:
            largest[image] = number[max(objects, key=lambda each: each["area"])["category_id"]]
    has_labels = np.array([bool(by_name[file.name].get("has_boxes")) for file in files])
    return inside, largest, has_labels


def coco_tasks(data: Path, place: Path, detector: Path) -> dict[str, Labelled]:
    catalogue = collect(data / "coco" / "images", place, detector)
    inside, largest, has_labels = coco_labels(data / "coco", paths(catalogue))
    embed = encoders.load("builtin").embed_texts
    words = of_words(catalogue, embed(list(coco.LABELS)), inside).of_images(has_labels)
    present = words.relevant.any(axis=1)
    words = replace(words, queries=words.queries[present], relevant=words.relevant[present])
    is_whole = words.kinds == 0
    alone = replace(words, embeddings=words.embeddings[is_whole], kinds=words.kinds[is_whole])
    alone = replace(alone, image_of=words.image_of[is_whole])
    wider = np.array(
        [
            inside[[coco.LABELS.index(label) for label in labels]].any(axis=0)[has_labels]
            for labels in coco.BY_CATEGORY.values()
        ]
    )
    first = np.arange(has_labels.sum()) % 2 == 0
    return {
        "coco": alone,
        "coco, one half": with_answers(alone.of_images(first)),
        "coco, other half": with_answers(alone.of_images(~first)),
        "coco, 12 wider words": replace(
            alone, queries=embed(list(coco.BY_CATEGORY)), relevant=wider
        ),
        "coco with parts": words,
        "coco, pictures": of_pictures(catalogue, largest, 1),
    }


def with_answers(labelled: Labelled) -> Labelled:
    """Without the queries that nothing is relevant to."""
    kept = labelled.relevant.any(axis=1)
    return replace(labelled, queries=labelled.queries[kept], relevant=labelled.relevant[kept])


def clothing_tasks(data: Path, place: Path) -> dict[str, Labelled]:
    catalogue = collect(data / "clothing", place, None)
    names, classes = np.unique([file.parent.name for file in paths(catalogue)], return_inverse=True)
    embed = encoders.load("builtin").embed_texts
    relevant = classes == np.arange(len(names))[:, np.newaxis]
    words = of_words(catalogue, embed(list(names)), relevant)
    return {
        "clothing": words,
        "clothing, 'a photo of a ...'": replace(
            words, queries=embed([f"a photo of a {name}" for name in names])
        ),
        "clothing, 5 classes": five_classes(words),
        "clothing, pictures": of_pictures(catalogue, classes, 7),
    }


def five_classes(words: Labelled) -> Labelled:
    """The first five words, and the pictures of their classes alone."""
    asked = replace(words, queries=words.queries[:5], relevant=words.relevant[:5])
    return asked.of_images(asked.relevant.any(axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=Path, default=os.environ.get("BILDERATLAS_TEST_ASSETS"))
    parser.add_argument("--detector", type=Path)
    asked = parser.parse_args()
    assets = Path(asked.assets or BESIDE_REPOSITORY)
    detector = asked.detector or assets / "models" / "yolox-nano"
    print(machine.describe() + "\n")
    with tempfile.TemporaryDirectory() as place:
        photographs = coco_tasks(assets / "data", Path(place) / "coco.atlas", detector)
        garments = clothing_tasks(assets / "data", Path(place) / "clothing.atlas")
    ranges = " | ".join(f"{a:g}-{b:g}" for a, b in pairwise(BINS))
    print(
        "| labels | queries x images | share | micro F1 / hindsight | macro F1 / hindsight | "
        f"precision | recall | likely are right | refused | Brier | {ranges} |"
    )
    print("|---" * (10 + len(BINS) - 1) + "|")
    for name, labelled in (photographs | garments).items():
        print_row(name, labelled)
    print(
        "\n| words | never there | refused | taken out, refused | there, refused | "
        "no likely: never there | taken out | there | best image of the refused is right |"
    )
    print("|---" * 9 + "|")
    embed = encoders.load("builtin").embed_texts
    print_refusals("coco", photographs["coco"], embed(list(ABSENT)))
    print_refusals("coco with parts", photographs["coco with parts"], embed(list(ABSENT)))
    print_refusals("clothing", garments["clothing"], embed(list(ABSENT + ABSENT_FROM_CLOTHING)))


if __name__ == "__main__":
    main()
