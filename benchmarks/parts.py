"""What a search gains by the parts of pictures, by the words on them and by their labels.

    python benchmarks/parts.py [--folder FOLDER]

Rankings of the photographs of COCO (80 category words, captions) and of those with words on them
(ICDAR 2015: a legible word, the first three of a picture), by more and more that speaks for a
region. The two collections are made in the folder, which takes about 20 minutes, and are used again
where they are there.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import machine
import numpy as np

import bilderatlas
from bilderatlas.analysis import calibration, search
from bilderatlas.collection import Collection
from bilderatlas.collection.kinds import Choice
from bilderatlas.collection.queries import Term
from bilderatlas.errors import CollectionNotFound

ASSETS = Path(__file__).resolve().parents[2] / "shared"
VARIANTS = {
    "the whole picture": (["image"], ()),
    "and its parts": (None, ()),
    "and words": (None, ("words",)),
    "and their meaning": (None, ("words", "meaning")),
    "and labels (as it is)": (None, ("words", "meaning", "label")),
    "labels, no words": (None, ("label",)),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A query, the pictures that answer it, and those that are ranked."""

    query: str
    right: frozenset[str]
    among: frozenset[str]


def collection(folder: Path, name: str, pictures: Path) -> Collection:
    """A collection of some pictures, with their objects and words."""
    try:
        atlas = bilderatlas.open(folder / name)
    except CollectionNotFound:
        atlas = bilderatlas.create(folder / name)
    detector = ASSETS / "models" / "yolox-nano"
    atlas.index(pictures, encoder="builtin", find=["objects", "text"], detector=detector)
    return atlas


def of_coco() -> Iterator[tuple[str, list[Question]]]:
    listed = json.loads((ASSETS / "data" / "coco" / "coco.json").read_text("utf-8"))
    names = {int(number): name for number, name in listed["categories"].items()}
    marked = [entry for entry in listed["images"] if entry.get("has_boxes")]
    shown = {_name(e): {names[o["category_id"]] for o in e["objects"]} for e in marked}
    among = frozenset(shown)
    categories = [
        Question(category, frozenset(n for n in shown if category in shown[n]), among)
        for category in names.values()
    ]
    yield "COCO, categories", [question for question in categories if question.right]
    captioned = [entry for entry in listed["images"] if entry.get("captions")]
    among = frozenset(map(_name, captioned))
    yield (
        "COCO, captions",
        [Question(c, frozenset([_name(e)]), among) for e in captioned for c in e["captions"]],
    )


def _name(entry: dict) -> str:
    return Path(entry["file"]).name


def of_words() -> Iterator[tuple[str, list[Question]]]:
    legible = {}
    for file in sorted((ASSETS / "data" / "words").glob("gt_*.txt")):
        lines = [line for line in file.read_text("utf-8-sig").splitlines() if line.strip()]
        words = [line.split(",", 8)[8] for line in lines]
        name = f"{file.stem.removeprefix('gt_')}.jpg"
        legible[name] = [w for w in words if w != "###" and len(re.sub(r"\W", "", w)) > 2]
    among = frozenset(legible)
    shown: dict[str, set[str]] = {}
    for name, words in legible.items():
        for word in words:
            shown.setdefault(word.lower(), set()).add(name)
    yield "signs, a word", [Question(w, frozenset(names), among) for w, names in shown.items()]
    yield (
        "signs, two or three words",
        [
            Question(" ".join(words[:3]), frozenset([name]), among)
            for name, words in legible.items()
            if len(words) > 1
        ],
    )


def measure(atlas: Collection, told: str, questions: Sequence[Question]) -> None:
    """Print mean average precision and how often a right picture is first and among ten."""
    placed = [_places(atlas, question) for question in questions]
    for number, variant in enumerate(VARIANTS):
        places = [each[number] for each in placed]
        precision = np.mean([np.mean(np.arange(1, len(p) + 1) / p) for p in places])
        first = np.array([p[0] for p in places])
        figures = f"{precision:.3f} | {np.mean(first == 1):.3f} | {np.mean(first <= 10):.3f}"
        print(f"| {told}, {len(questions)} | {variant} | {figures} |", flush=True)


def _places(atlas: Collection, question: Question) -> list[np.ndarray]:
    """The ranks of the right pictures, from 1, by every variant."""
    space, terms = atlas._space(), (Term(1.0, words=question.query),)  # noqa: SLF001
    asked = space.ask_terms(terms, may_open_files=False)
    catalogue = asked.catalogue
    scores = search.cosines(asked.vector, asked.embeddings)
    read = atlas._readings().speak_for(terms, catalogue)  # noqa: SLF001
    names = [Path(path or "").name for path in catalogue.paths(catalogue.image_ids.to_pylist())]
    places = []
    for kinds, ways in VARIANTS.values():
        weights = Choice(kinds=kinds).weigh(catalogue)
        by_picture = calibration.judge(
            scores,
            catalogue.kind_numbers,
            catalogue.image_of,
            asked.background,
            counted=weights > 0,
        ).relevance
        relevance, _ = search.combine(by_picture, [each for each in read if each.way in ways])
        found = search.nearest(scores, relevance, catalogue.image_of, weights)
        ranked = [name for image in found.images if (name := names[image]) in question.among]
        places.append(np.flatnonzero([name in question.right for name in ranked]) + 1)
    return places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the collections are kept")
    parser.add_argument("--set", choices=["coco", "words"], help="only this one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        print(machine.describe() + "\n")
        print("| questions | what speaks for a picture | mAP | first | among ten |")
        print("|---|---|---|---|---|")
        for name, pictures, sets in (
            ("coco", "coco/images", of_coco),
            ("words", "words", of_words),
        ):
            if asked.set in (None, name):
                atlas = collection(folder, name, ASSETS / "data" / pictures)
                for told, questions in sets():
                    measure(atlas, told, questions)


if __name__ == "__main__":
    main()
