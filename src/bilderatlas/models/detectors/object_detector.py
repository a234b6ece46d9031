"""Objects by an ONNX detector of the YOLOX, DETR or RF-DETR family, told apart by its outputs.

YOLOX (Ge et al. 2021, arXiv:2107.08430): one output, (1, A, 5 + C), undecoded. DETR (Carion et
al. 2020, arXiv:2005.12872) and its kin: `logits` and `pred_boxes`. RF-DETR: `dets` and `labels`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bilderatlas.arrays import Boxes, Scores
from bilderatlas.errors import DetectorError
from bilderatlas.models.detectors import FoundRegion, coco, overlaps, select
from bilderatlas.models.detectors.hub import CONFIG_FILES, DETECTORS, MODEL_FILES
from bilderatlas.models.encoders.preprocessing import Preprocessing
from bilderatlas.models.encoders.towers import Tower, hash_files

MIN_SCORE = 0.3
MIN_SIDE = 720  # an eighth of it, the side of the smallest regions, still shows something
GREY = 114  # what YOLOX pads with
STRIDES = ((8, 16, 32), (8, 16, 32, 64))
MAX_OVERLAP = 0.65  # intersection over union of two objects of one label
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
BOX_OUTPUTS = {"pred_boxes": "logits", "dets": "labels"}  # DETR, RF-DETR


@dataclass(frozen=True, slots=True)
class Detections:
    """Everything that a detector saw in one picture, however unlikely."""

    boxes: Boxes  # (N, 4) in 0..1
    scores: Scores  # (N,) of the likeliest label
    classes: NDArray[np.int64]  # (N,)


class ObjectDetector:
    """An ONNX detector, loaded."""

    min_side = MIN_SIDE

    def __init__(
        self,
        given: Path,
        *,
        min_area: float = 0.0,
        max_regions: int = 100,
        min_score: float = MIN_SCORE,
        name: str | None = None,
    ) -> None:
        """`given`: an ONNX file, or a folder laid out as those of the Hugging Face Hub.

        `name`: what it goes by, where that is not the name of the file or folder.
        """
        path = _model_file(given)
        self.name = name or (given.stem if given.is_file() else given.name)
        self._min_area, self._max_regions, self._min_score = min_area, max_regions, min_score
        # One thread a picture: several pictures are looked at at once.
        folder = given if given.is_dir() else path.parent
        self._family = _family(Tower(path, n_threads=1), folder)
        configs = [folder / name for name in CONFIG_FILES if (folder / name).is_file()]
        self.stamp = f"{hash_files([path, *configs])} {min_area:g} {max_regions}"

    def find(self, image: Image.Image) -> list[FoundRegion]:
        """Likely objects of a fitting size, best first, at most `max_regions`."""
        found, labels = self.detect(image), self._family.labels
        regions = [
            FoundRegion(coco.kind_of(labels[label]), labels[label], box, score)
            for box, score, label in zip(
                found.boxes.tolist(), found.scores.tolist(), found.classes.tolist(), strict=True
            )
            if score >= self._min_score and label in labels
        ]
        return select(regions, min_area=self._min_area, max_regions=self._max_regions)

    def detect(self, image: Image.Image) -> Detections:
        """Everything that it sees, best first where boxes had to be thinned."""
        return self._family.detect(image)


class Yolox:
    """Letterboxed to the top left on grey, BGR in 0..255; anchors to be decoded and thinned."""

    def __init__(self, tower: Tower, folder: Path) -> None:
        self._tower = tower
        (self._input, shape), (self._output, (_, n_anchors, width)) = (
            next(iter(tower.inputs.items())),
            next(iter(tower.outputs.items())),
        )
        height, width_px = (side if isinstance(side, int) else 640 for side in shape[2:])
        self._size = (height, width_px)
        self._centres, self._strides = _anchors(self._size, n_anchors)
        self.labels = _labels(folder, int(width or 0) - 5)

    def detect(self, image: Image.Image) -> Detections:
        height, width = self._size
        shrink = min(height / image.height, width / image.width)
        size = (max(1, int(image.height * shrink)), max(1, int(image.width * shrink)))
        pixels = np.full((1, 3, height, width), GREY, np.float32)
        pixels[0, :, : size[0], : size[1]] = _resized(image, size)[::-1]  # RGB -> BGR
        (raw,) = self._tower.run({self._input: pixels}, self._output)  # (1, A, 5 + C)
        scale = self._strides[:, None] / np.array([size[1], size[0]], np.float32)  # (A, 2)
        centres = (raw[0, :, :2] + self._centres) * scale
        halves = np.exp(np.minimum(raw[0, :, 2:4], 20)) * scale / 2
        boxes = np.clip(np.concatenate([centres - halves, centres + halves], axis=1), 0, 1)
        likelihoods = raw[0, :, 5:] * raw[0, :, 4:5]  # (A, C)
        return _thinned(boxes, likelihoods.max(axis=1), likelihoods.argmax(axis=1))


class Detr:
    """A fixed set of boxes, (Q, 4) as centre and size, each with its classes; none to thin."""

    def __init__(self, tower: Tower, folder: Path) -> None:
        self._tower = tower
        self._boxes = next(name for name in BOX_OUTPUTS if name in tower.outputs)
        self._logits = BOX_OUTPUTS[self._boxes]
        self._input = next(name for name, shape in tower.inputs.items() if len(shape) == 4)
        self._sides = [side for side in tower.inputs[self._input][2:] if isinstance(side, int)]
        self._config = {"resample": 2} | IMAGENET | _read_json(folder / "preprocessor_config.json")
        self.labels = _labels(folder, tower.outputs[self._logits][2])
        self._numbers = np.array(sorted(self.labels))

    def detect(self, image: Image.Image) -> Detections:
        pixels = self._preprocessing(image).apply(image)[None]
        feeds = {self._input: pixels} | self._mask(pixels)
        boxes, logits = self._tower.run(feeds, self._boxes, self._logits)
        likelihoods = self._likelihoods(logits[0])[:, self._numbers]  # (Q, C)
        centres, halves = boxes[0, :, :2], boxes[0, :, 2:] / 2
        corners = np.clip(np.concatenate([centres - halves, centres + halves], axis=1), 0, 1)
        classes = self._numbers[likelihoods.argmax(axis=1)]
        return Detections(corners, likelihoods.max(axis=1), classes)

    def _likelihoods(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """RF-DETR and RT-DETR judge each class by itself. DETR's are shares of one, the last of
        which says that there is nothing: it comes after all labels.
        """
        shares = self._logits == "logits" and logits.shape[1] == self._numbers[-1] + 2
        return _softmax(logits) if shares else _sigmoid(logits)

    def _preprocessing(self, image: Image.Image) -> Preprocessing:
        """Its folder's rule, at the size that the graph takes."""
        if len(self._sides) == 2:
            height, width = self._sides
        else:
            height, width = _size_between(image, self._config.get("size", {}))
        size = {"height": height, "width": width}
        return Preprocessing.from_config(self._config | {"size": size, "do_center_crop": False})

    def _mask(self, pixels: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Which pixels count: all of them."""
        if "pixel_mask" not in self._tower.inputs:
            return {}
        stated = self._tower.inputs["pixel_mask"][1:]
        shape = [
            side if isinstance(side, int) else actual
            for side, actual in zip(stated, pixels.shape[2:], strict=True)
        ]
        return {"pixel_mask": np.ones((1, *shape), np.int64)}


def _family(tower: Tower, folder: Path) -> Yolox | Detr:
    """Tell the family by what the graph puts out."""
    if any({boxes, logits} <= tower.outputs.keys() for boxes, logits in BOX_OUTPUTS.items()):
        return Detr(tower, folder)
    shapes = list(tower.outputs.values())
    if len(shapes) == 1 and len(shapes[0]) == 3 and isinstance(shapes[0][2], int):
        return Yolox(tower, folder)
    told = ", ".join(f"{name} {shape}" for name, shape in tower.outputs.items())
    raise DetectorError(
        f"{tower.path} puts out {told}; a detector was expected: YOLOX (one output of anchors), "
        "DETR (logits, pred_boxes) or RF-DETR (dets, labels). Export it without post-processing."
    )


def _model_file(given: Path) -> Path:
    if given.is_file():
        return given
    named = [given / name for name in MODEL_FILES]
    found = [path for path in named if path.is_file()] or sorted(given.glob("*.onnx"))
    if len(found) != 1 and not any(path in named for path in found):
        held = f"{len(found)} ONNX files" if given.is_dir() else "nothing"
        raise DetectorError(
            f"There is {held} at {given}; a detector was expected: its ONNX file, a folder with "
            f"one, hf:OWNER/NAME, {', '.join(DETECTORS)}. '--detector activation' finds objects "
            "with the built-in encoder alone."
        )
    return found[0]


def _labels(folder: Path, n_classes: int | str | None) -> dict[int, str]:
    """Class -> label, by the folder's config.json or else those of COCO."""
    stated = _read_json(folder / "config.json").get("id2label")
    if stated:
        return {int(number): label for number, label in stated.items() if label != "N/A"}
    if n_classes == len(coco.LABELS):
        return dict(enumerate(coco.LABELS))
    if n_classes in (91, 92):  # by COCO's own ids
        return dict(coco.LABEL_OF_ID)
    raise DetectorError(
        f"A detector of {n_classes} classes lies in {folder}, and nothing says what they "
        "are. Put its config.json beside it, with 'id2label'."
    )


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise DetectorError(f"{path} is not JSON ({error}). Download it again.") from error
    return content


def _resized(image: Image.Image, size: tuple[int, int]) -> NDArray[np.float32]:
    """(3, height, width) by plain bilinear sampling, as YOLOX was trained.

    Pillow's `resize` would average over what falls into a pixel: AP50 .426 instead of .433.
    """
    step = (image.width / size[1], 0, 0, 0, image.height / size[0], 0)
    small = image.transform(size[::-1], Image.Transform.AFFINE, step, Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32).transpose(2, 0, 1)


def _size_between(image: Image.Image, stated: Mapping[str, int]) -> tuple[int, int]:
    """(height, width) as DETR resizes: the shorter side, unless the longer one grew too long."""
    if "height" in stated:
        return stated["height"], stated["width"]
    shorter, longest = stated.get("shortest_edge", 800), stated.get("longest_edge", 1333)
    grow = min(shorter / min(image.size), longest / max(image.size))
    return max(1, round(image.height * grow)), max(1, round(image.width * grow))


def _anchors(
    size: tuple[int, int], n_anchors: int | str | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each anchor stands, (A, 2) in cells, and how many pixels its cell has, (A,)."""
    for strides in STRIDES:
        grids = [np.mgrid[: size[0] // s, : size[1] // s][::-1].reshape(2, -1).T for s in strides]
        if n_anchors in (sum(map(len, grids)), None) or isinstance(n_anchors, str):
            cells = np.concatenate(grids).astype(np.float32)
            return cells, np.repeat(strides, [len(grid) for grid in grids]).astype(np.float32)
    raise DetectorError(
        f"{n_anchors} anchors for pictures of {size[1]} x {size[0]} pixels are not those of YOLOX. "
        "Use a detector of the YOLOX, DETR or RF-DETR family."
    )


def _thinned(boxes: Boxes, scores: Scores, classes: NDArray[np.int64]) -> Detections:
    """Of boxes of one label that overlap too much, the best (non-maximum suppression)."""
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= 0.001]  # thousands of anchors saw nothing
    kept: list[int] = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        rivals = (classes[order] == classes[best]) & (
            overlaps(boxes[best], boxes[order]) > MAX_OVERLAP
        )
        order = order[~rivals]
    return Detections(boxes[kept], scores[kept], classes[kept])


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))), np.float32)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True), np.float32)
