"""What finding regions costs, and how much is found, beside the same models called by hand.

    python benchmarks/regions.py [--part speed --part objects --part text] [--n 24]

speed: images/s of `index` on enlarged photographs of 12 megapixels, and the processor time of all
its threads, which other programs hardly change. objects: AP50 on the photographs of `data/coco`.
text: words of `data/words` found again. By hand: the detector's own recipe with OpenCV, and
RapidOCR given the file, both on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import machine
import numpy as np
import photographs
from average_precision import Detected, Marked, ap50
from PIL import Image

import bilderatlas as ba
from bilderatlas.models.detectors import Finding, coco, load_detectors, overlaps
from bilderatlas.models.detectors.object_detector import ObjectDetector
from bilderatlas.models.detectors.ocr import TextReader
from bilderatlas.models.encoders.towers import Tower

ASSETS = Path(os.environ.get("BILDERATLAS_TEST_ASSETS", photographs.ROOT.parent / "shared"))
DETECTOR = ASSETS / "models" / "yolox-nano"
CLASS_OF_ID = {number: place for place, number in enumerate(coco.LABEL_OF_ID)}


def speed(n: int, kept: Path) -> None:
    """`index` of the same photographs, finding this and that."""
    folder = photographs.enlarge(kept / str(n), n)
    print("| find | images/s | processor s an image | regions an image |\n|---|---|---|---|")
    for told, find, detector in (
        ("nothing", (), "activation"),
        ("objects by activation", ("objects",), "activation"),
        ("objects by YOLOX-nano", ("objects",), DETECTOR),
        ("text", ("text",), "activation"),
        ("objects by YOLOX-nano, text", ("objects", "text"), DETECTOR),
    ):
        with tempfile.TemporaryDirectory() as place:
            atlas = ba.create(Path(place) / "c.atlas")
            started = time.process_time()
            summary = atlas.index(folder, encoder="builtin", find=find, detector=detector)
            seconds = (time.process_time() - started) / summary.n_images
        n_parts = (summary.n_regions - summary.n_images) / summary.n_images
        print(
            f"| {told} | {summary.images_per_s:.2f} | {seconds:.2f} | {n_parts:.1f} |", flush=True
        )


def objects() -> None:
    """AP50 of YOLOX-nano, and how many regions are right as `index` finds them."""
    listed = json.loads((ASSETS / "data" / "coco" / "coco.json").read_text("utf-8"))["images"]
    entries = [entry for entry in listed if entry.get("has_boxes")]
    pictures = [Image.open(ASSETS / "data" / "coco" / e["file"]).convert("RGB") for e in entries]
    marked = [_marked(entry) for entry in entries]
    yolox = ObjectDetector(DETECTOR)
    tower = Tower(next(DETECTOR.glob("*.onnx")), n_threads=1)
    print(f"\n{len(pictures)} photographs\n\n| way | AP50 | ms an image |\n|---|---|---|")
    for told, way in (
        ("by hand", lambda picture: _yolox_by_hand(tower, picture)),
        ("bilderatlas", lambda picture: _ours(yolox, picture)),
    ):
        detected, ms = _timed(way, pictures)
        print(f"| {told} | {ap50(marked, detected):.4f} | {ms:.0f} |", flush=True)
    print("\n| detector, as `index` asks it | right of found | found of marked | an image | ms |")
    print("|---|---|---|---|---|")
    for detector in ("activation", str(DETECTOR)):
        (opened,) = load_detectors(Finding(("objects",), detector))
        found, ms = _timed(opened.find, pictures)
        _print_hits(opened.name, found, marked, ms)


def _print_hits(name: str, found: list, marked: list[Marked], ms: float) -> None:
    """Boxes that overlap a marked object by half, whatever its label; objects of a fitting size."""
    n_right = n_met = n_marked = 0
    for regions, m in zip(found, marked, strict=True):
        areas = (m.boxes[:, 2:] - m.boxes[:, :2]).prod(axis=1)
        boxes = m.boxes[~m.is_crowd & (areas >= 0.02) & (areas <= 0.9)]
        if len(boxes) and regions:
            shared = np.array([overlaps(region.box, boxes) for region in regions])  # (N, M)
            n_right += int((shared.max(axis=1) >= 0.5).sum())
            n_met += int((shared.max(axis=0) >= 0.5).sum())
        n_marked += len(boxes)
    n_found = sum(map(len, found))
    told = f"{n_right / n_found:.2f} | {n_met / n_marked:.2f} | {n_found / len(found):.1f}"
    print(f"| {name} | {told} | {ms:.0f} |", flush=True)


def _marked(entry: dict) -> Marked:
    boxes = np.array([o["bbox"] for o in entry["objects"]], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    size = np.array([entry["width"], entry["height"]] * 2, np.float32)
    classes = np.array([CLASS_OF_ID[o["category_id"]] for o in entry["objects"]], np.int64)
    return Marked(boxes / size, classes, np.array([o["iscrowd"] for o in entry["objects"]], bool))


def _ours(detector: ObjectDetector, picture: Image.Image) -> Detected:
    seen = detector.detect(picture)
    return Detected(seen.boxes[:100], seen.scores[:100], seen.classes[:100])


def _yolox_by_hand(tower: Tower, picture: Image.Image) -> Detected:
    """As YOLOX's own ONNX demo does it, but for its thresholds: those of its evaluation."""
    bgr = np.asarray(picture)[..., ::-1]
    ratio = min(416 / bgr.shape[0], 416 / bgr.shape[1])
    size = int(bgr.shape[1] * ratio), int(bgr.shape[0] * ratio)
    padded = np.full((416, 416, 3), 114, np.uint8)
    padded[: size[1], : size[0]] = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
    (raw,) = tower.run({"images": padded.transpose(2, 0, 1)[None].astype(np.float32)}, "output")
    grids, strides = [], []
    for stride in (8, 16, 32):
        xs, ys = np.meshgrid(np.arange(416 // stride), np.arange(416 // stride))
        grids.append(np.stack([xs.ravel(), ys.ravel()], axis=1))
        strides.append(np.full((len(grids[-1]), 1), stride))
    stride = np.concatenate(strides)
    centres = (raw[0, :, :2] + np.concatenate(grids)) * stride
    sizes = np.exp(raw[0, :, 2:4]) * stride
    scores = raw[0, :, 4] * raw[0, :, 5:].max(axis=1)
    classes = raw[0, :, 5:].argmax(axis=1)
    corners = np.concatenate([centres - sizes / 2, sizes], axis=1)  # x, y, width, height
    kept = cv2.dnn.NMSBoxesBatched(corners.tolist(), scores.tolist(), classes.tolist(), 0.001, 0.65)
    kept = np.asarray(kept, np.int64).ravel()[:100]
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1) / ratio
    whole = np.array([picture.width, picture.height] * 2, np.float32)
    boxes = np.clip(boxes[kept] / whole, 0, 1).astype(np.float32)
    return Detected(boxes, scores[kept], classes[kept])


def text(n: int) -> None:
    """How many of the legible words are in what was read."""
    from rapidocr import RapidOCR

    onnx = "EngineConfig.onnxruntime"
    threads = {f"{onnx}.intra_op_num_threads": 1, f"{onnx}.inter_op_num_threads": 1}
    by_hand, ours = RapidOCR(params={"Global.log_level": "error"} | threads), TextReader()
    files = sorted((ASSETS / "data" / "words").glob("*.jpg"))[:n]
    words = [_legible(file) for file in files]
    print(f"\n{len(files)} photographs, {sum(map(len, words))} legible words\n")
    print("| way | words found again | s an image |\n|---|---|---|")

    def read_by_hand(file: Path) -> str:
        return "".join(by_hand(file).txts or ())

    def read(file: Path) -> str:
        return "".join(r.text or "" for r in ours.find(Image.open(file).convert("RGB")))

    for told, way in (("RapidOCR by hand", read_by_hand), ("bilderatlas", read)):
        texts, ms = _timed(way, files)
        n_found = sum(
            _plain(word) in _plain(text)
            for text, some in zip(texts, words, strict=True)
            for word in some
        )
        recall = n_found / sum(map(len, words))
        print(f"| {told} | {recall:.3f} | {ms / 1000:.2f} |", flush=True)


def _legible(file: Path) -> list[str]:
    lines = file.with_name(f"gt_{file.stem}.txt").read_text("utf-8-sig").splitlines()
    words = [line.split(",", 8)[8] for line in lines if line.strip()]
    return [word for word in words if word != "###" and _plain(word)]


def _plain(text: str) -> str:
    return re.sub(r"\W", "", text.lower())


def _timed(way: Callable, items: list) -> tuple[list, float]:
    """What a way makes of each item, and the processor's milliseconds an item.

    On one thread they are the time it takes, and other work on the machine does not count.
    """
    way(items[0])
    started = time.process_time()
    made = [way(item) for item in items]
    return made, (time.process_time() - started) / len(items) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=["speed", "objects", "text"])
    parser.add_argument("--n", type=int, default=24, help="photographs for speed")
    parser.add_argument("--photographs", type=Path, default=Path("benchmarks/photographs"))
    parser.add_argument("--words", type=int, default=120, help="photographs for text")
    asked = parser.parse_args()
    parts = asked.part or ["speed", "objects", "text"]
    print(machine.describe() + "\n")
    if "speed" in parts:
        speed(asked.n, asked.photographs)
    if "objects" in parts:
        objects()
    if "text" in parts:
        text(asked.words)


if __name__ == "__main__":
    main()
