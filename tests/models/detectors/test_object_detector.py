"""Detectors of three families, their outputs known by hand, and a real one on photographs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bilderatlas.errors import DetectorError
from bilderatlas.models.detectors import coco
from bilderatlas.models.detectors.object_detector import ObjectDetector
from tests.assets import assets
from tests.models.detectors.detectors import write_detr, write_rf_detr, write_yolox

WIDE = Image.new("RGB", (200, 100))  # letterboxed to 32 x 16 of 32 x 32


def found(
    detector: ObjectDetector, image: Image.Image = WIDE
) -> list[tuple[str, str | None, list]]:
    """Kind, label and box, to a thousandth."""
    return [
        (region.kind, region.label, np.round(region.box, 3).tolist())
        for region in detector.find(image)
    ]


def test_yolox_anchors_are_decoded_and_the_letterbox_taken_off(tmp_path: Path) -> None:
    # Anchor 5 of the first grid: cell (1, 1) of 8 pixels. Its centre is (8, 8), its size 8 x 8.
    path = write_yolox(tmp_path / "m.onnx", {5: (0, 0, 0, 0, 0.8, 16)})
    assert found(ObjectDetector(path)) == [("animal", "dog", [0.125, 0.25, 0.375, 0.75])]


def test_of_two_overlapping_boxes_of_a_label_the_better_stays(tmp_path: Path) -> None:
    seen = {5: (0, 0, 0.6, 0.6, 0.5, 2), 9: (0, -1, 0.6, 0.6, 0.9, 2), 6: (-1, 0, 0.6, 0.6, 0.7, 0)}
    regions = ObjectDetector(write_yolox(tmp_path / "m.onnx", seen)).find(WIDE)
    assert [(r.label, round(r.score, 2)) for r in regions] == [("car", 0.9), ("person", 0.7)]


def test_small_large_and_unlikely_objects_are_left_out_and_the_best_are_kept(
    tmp_path: Path,
) -> None:
    seen = {
        0: (0.5, 0.5, -1.4, -1.4, 0.9, 0),  # 2 x 2 of 32 x 16 pixels: below 0.02
        20: (0.5, 0.25, 0.5, 0.5, 0.9, 0),  # all of the picture
        5: (0, 0, 0, 0, 0.29, 0),
        6: (0, 0, 0, 0, 0.5, 0),
        3: (0, 0.5, 0, 0, 0.4, 0),
        1: (0, 0.5, 0, 0, 0.7, 0),
    }
    path = write_yolox(tmp_path / "m.onnx", seen)
    scores = [r.score for r in ObjectDetector(path, min_area=0.02, max_regions=2).find(WIDE)]
    assert scores == pytest.approx([0.7, 0.5])


def test_detr_judges_by_shares_whose_last_is_nothing(tmp_path: Path) -> None:
    boxes = [[0.5, 0.5, 0.5, 0.5], [0.2, 0.2, 0.2, 0.4], [0.5, 0.5, 0.2, 0.2]]
    logits = [[0, 9, 0, 0], [0, 0, 9, 0], [0, 5, 0, 9]]
    folder = write_detr(tmp_path / "detr", boxes, logits)
    assert found(ObjectDetector(folder)) == [
        ("animal", "cat", [0.25, 0.25, 0.75, 0.75]),
        ("object", "teapot", [0.1, 0.0, 0.3, 0.4]),
    ]


def test_rf_detr_judges_each_class_by_itself_by_the_ids_of_coco(tmp_path: Path) -> None:
    boxes = [[0.5, 0.5, 0.5, 0.5], [0.25, 0.25, 0.5, 0.5], [0.5, 0.5, 0.4, 0.4]]
    logits = {(0, 1): 2.0, (1, 90): 0.0, (2, 12): 9.0}  # 12 is no label of COCO's
    detector = ObjectDetector(write_rf_detr(tmp_path / "rf.onnx", boxes, logits))
    assert found(detector) == [
        ("person", "person", [0.25, 0.25, 0.75, 0.75]),
        ("object", "toothbrush", [0.0, 0.0, 0.5, 0.5]),
    ]
    assert detector.find(WIDE)[1].score == pytest.approx(0.5)


def test_every_label_of_coco_has_its_super_class() -> None:
    assert len(coco.LABELS) == 80
    assert coco.LABEL_OF_ID[1] == "person"
    assert coco.LABEL_OF_ID[44] == "bottle"
    assert coco.LABEL_OF_ID[90] == "toothbrush"
    kinds = {kind: sum(coco.kind_of(label) == kind for label in coco.LABELS) for kind in coco.KINDS}
    assert kinds == {
        "person": 1, "vehicle": 8, "outdoor": 5, "animal": 10, "sports": 10, "object": 46
    }  # fmt: skip
    assert coco.kind_of("teapot") == "object"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path, "There is nothing at"),
        (lambda path: write_yolox(path, {}, n_classes=7), "A detector of 7 classes"),
        (lambda path: _write_odd(path), "a detector was expected: YOLOX"),
        (lambda path: _two_models(path.parent), "2 ONNX files"),
    ],
)
def test_what_is_no_detector_is_refused(tmp_path: Path, make, told: str) -> None:
    with pytest.raises(DetectorError, match=told):
        ObjectDetector(make(tmp_path / "model_a.onnx"))


def _write_odd(path: Path) -> Path:
    from tests.models.detectors.detectors import _write

    return _write(path, {"x": ["b", 3, 8, 8]}, {"features": np.zeros((1, 7), np.float32)})


def _two_models(folder: Path) -> Path:
    write_yolox(folder / "a.onnx", {})
    write_yolox(folder / "b.onnx", {})
    return folder


@pytest.mark.model
def test_a_real_detector_finds_what_people_marked() -> None:
    """Of the large people, animals and vehicles of 25 photographs, most are found, in place."""
    folder = assets() / "data" / "coco"
    detector = ObjectDetector(assets() / "models" / "yolox-nano", min_area=0.02)
    listed = json.loads((folder / "coco.json").read_text("utf-8"))["images"]
    n_marked = n_found = 0
    for entry in [entry for entry in listed if entry.get("has_boxes")][:25]:
        image = Image.open(folder / entry["file"]).convert("RGB")
        regions = detector.find(image)
        for marked in entry["objects"]:
            x, y, width, height = marked["bbox"]
            label = coco.LABEL_OF_ID[marked["category_id"]]
            share = width * height / (image.width * image.height)
            if marked["iscrowd"] or not 0.1 < share < 0.9 or coco.kind_of(label) == "object":
                continue
            middle = (x + width / 2) / image.width, (y + height / 2) / image.height
            n_marked += 1
            n_found += any(
                region.label == label
                and region.box[0] < middle[0] < region.box[2]
                and region.box[1] < middle[1] < region.box[3]
                for region in regions
            )
    assert n_marked > 10
    assert n_found > 0.75 * n_marked
