"""How well clusterings and the built-in encoder agree with labels, on three labelled sets.

    python benchmarks/evaluation.py [--set clothing --set faces --set crops] [--report FOLDER]

clothing: photographs of garments, a folder a class. faces: portraits, a folder a person. crops:
the objects marked in COCO's photographs, classes with 10 or more. captions: those photographs by
what people wrote of them. With --report, the HTML page of each set is written.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import machine
from PIL import Image

import bilderatlas as ba
from bilderatlas.analysis.evaluation import Agreement
from bilderatlas.indexing import images
from bilderatlas.output.evaluation_report import Evaluation

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("BILDERATLAS_TEST_ASSETS") or ROOT.parent / "shared") / "data"
SMALLEST, N_LEAST = 0.02, 10  # part of the picture that an object takes; objects of a class
METHODS: tuple[tuple[str, dict[str, float]], ...] = (
    ("kmeans", {}),  # k = auto
    ("hdbscan", {}),
    ("hdbscan", {"min_cluster_size": 10}),
    ("dbscan", {}),  # eps 0.2, min_samples 2
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", action="append", choices=[*SETS, "captions"])
    parser.add_argument("--report", type=Path, help="a folder for the pages")
    arguments = parser.parse_args()
    print(machine.describe())
    for name in arguments.set or [*SETS, "captions"]:
        with tempfile.TemporaryDirectory() as place:
            make = captioned if name == "captions" else SETS[name]
            labels = make(Path(place))
            atlas = ba.create(Path(place) / f"{name}.atlas")
            atlas.index(labels, encoder="builtin")
            judged = caption_table(atlas, labels) if name == "captions" else table(atlas, labels)
            if arguments.report:
                judged.write(arguments.report / f"{name}.html")


def table(atlas: ba.Collection, labels: Path) -> Evaluation:
    """Every method of clustering, DBSCAN's best settings, and what tells classes apart."""
    n_classes = len({path.parent for path in labels.glob("*/*")})
    methods = [("kmeans", {"k": n_classes}), *METHODS]
    runs = [atlas.cluster(method, **how).run for method, how in methods]  # type: ignore[arg-type]
    judged = atlas.evaluate(labels, runs=runs)
    print(f"\n{atlas.name}: {judged.labels.n_labelled:,} in {n_classes} classes\n")
    print("| method | clusters | noise | purity | accuracy | NMI | ARI | pairs F1 |")
    print("|---|---|---|---|---|---|---|---|")
    for (method, how), run in zip(methods, judged.runs, strict=True):
        given = ", ".join(f"{name} {value}" for name, value in how.items())
        told = given or ("k auto" if method == "kmeans" else "defaults")
        print(row(f"{method}, {told}", run.agreement))
    best = judged.dbscan.best
    print(row(f"dbscan, best: eps {best.eps:g}, min_samples {best.min_samples}", best.agreement))
    if found := judged.similarity.separation:
        print(
            f"\nthreshold {found.threshold:.3f}: {found.same_above:.2f} of the pairs of a class "
            f"above, {found.different_above:.2f} of the others; AUC {found.auc:.3f}; means "
            f"{found.mean_same:.3f}, {found.mean_different:.3f}"
        )
    return judged


def caption_table(atlas: ba.Collection, labels: Path) -> Evaluation:
    """What captions find, and how far words lie from pictures."""
    judged = atlas.evaluate(labels, label_column="label", captions="captions")
    assert judged.captions is not None, "captions were asked for"
    found, gap = judged.captions.retrieval, judged.captions.gap
    print(f"\ncaptions: {found.n_queries:,} over {found.n_images} photographs\n")
    print("| " + " | ".join(f"R@{k}" for k in found.recall_at) + " | mAP | median rank |")
    print("|---|---|---|---|---|")
    recalls = " | ".join(f"{share:.3f}" for share in found.recall_at.values())
    print(f"| {recalls} | {found.mean_average_precision:.3f} | {found.median_rank:g} |")
    if gap:
        print(
            f"\nmodality gap {gap.gap:.3f}; mean cosines: caption and own picture "
            f"{gap.text_to_image_own:.3f}, another {gap.text_to_image_other:.3f}, captions of one "
            f"picture {gap.same_image_texts:.3f}, of two {gap.text_to_text:.3f}, two pictures "
            f"{gap.image_to_image:.3f}"
        )
    return judged


def row(name: str, made: Agreement) -> str:
    shares = (made.purity, made.accuracy, made.nmi, made.ari, made.pair_f1)
    figures = " | ".join(f"{share:.3f}" for share in shares)
    return f"| {name} | {made.n_clusters} | {made.n_noise / made.n_rows:.2f} | {figures} |"


def crops(place: Path) -> Path:
    """The marked objects as pictures of their own, a folder a class."""
    by_class: dict[str, list[Image.Image]] = defaultdict(list)
    for photograph, kind, box in marked_objects():
        with Image.open(photograph) as opened:
            by_class[kind].append(images.crop(opened.convert("RGB"), box))
    for kind, cut in by_class.items():
        if len(cut) >= N_LEAST:
            (place / "crops" / kind).mkdir(parents=True)
            for n, picture in enumerate(cut):
                picture.save(place / "crops" / kind / f"{n:03}.jpg", quality=95)
    return place / "crops"


def marked_objects() -> Iterator[tuple[Path, str, tuple[float, float, float, float]]]:
    """Photograph, class and box in 0..1 of every object that is not too small."""
    listed = json.loads((DATA / "coco" / "coco.json").read_text("utf-8"))
    for entry in listed["images"]:
        width, height = entry["width"], entry["height"]
        for marked in entry["objects"] if entry["has_boxes"] else ():
            x, y, w, h = marked["bbox"]
            if not marked["iscrowd"] and w * h >= SMALLEST * width * height:
                kind = listed["categories"][str(marked["category_id"])]
                box = (x / width, y / height, (x + w) / width, (y + h) / height)
                yield DATA / "coco" / entry["file"], kind, box


def captioned(place: Path) -> Path:
    """A table of the photographs with captions; the label is the kind of the largest object."""
    listed = json.loads((DATA / "coco" / "coco.json").read_text("utf-8"))
    rows = [
        {
            "path": str(DATA / "coco" / entry["file"]),
            "label": main_class(entry["objects"], listed["categories"]),
            "captions": entry["captions"][:5],
        }
        for entry in listed["images"]
        if entry["captions"]
    ]
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), place / "captioned.parquet")
    return place / "captioned.parquet"


def main_class(objects: list[dict[str, float]] | None, categories: dict[str, str]) -> str | None:
    largest = max(objects or (), key=lambda marked: marked["area"], default=None)
    return categories[str(largest["category_id"])] if largest else None


SETS: dict[str, Callable[[Path], Path]] = {
    "clothing": lambda _: DATA / "clothing",
    "faces": lambda _: DATA / "faces",
    "crops": crops,
}


if __name__ == "__main__":
    main()
