"""Detectors: a picture -> its regions, objects and blocks of text, each with its box.

`load_detectors` is the way in. Objects are found by an ONNX detector, or by the class activation of
the built-in encoder where none is named; the detector of text is a reader, RapidOCR.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bilderatlas.arrays import Box, Boxes, Scores
from bilderatlas.errors import DetectorError
from bilderatlas.models.detectors import coco

if TYPE_CHECKING:
    from PIL import Image

NAMES = ("objects", "text")
KINDS = ("image", *coco.KINDS, "text")  # of region; the whole picture is an `image`
ACTIVATION = "activation"  # the detector that needs no download
MAX_AREA = 0.9  # of the picture: what is larger is the picture itself


@dataclass(frozen=True, slots=True)
class FoundRegion:
    """A part of a picture that a detector found."""

    kind: str  # person, animal, vehicle, outdoor, sports, object, text
    label: str | None
    box: Box
    score: float  # the detector's own, in 0..1
    text: str | None = None

    @property
    def area(self) -> float:
        x0, y0, x1, y1 = self.box
        return max(0.0, x1 - x0) * max(0.0, y1 - y0)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be found in every picture of a collection. Raises DetectorError."""

    names: tuple[str, ...] = ()
    detector: str = ACTIVATION  # or a detector's ONNX file or folder, or its name on the hub
    min_area: float = 0.02  # of the picture; smaller objects are left out
    max_regions: int = 10  # objects a picture, best first

    def __post_init__(self) -> None:
        for name in self.names:
            if name not in NAMES:
                raise DetectorError(
                    f"Nothing here finds {name!r}. Find 'objects', 'text' or both ('objects,text');"
                    " 'none' finds nothing in new pictures."
                )
        if not 0 <= self.min_area < MAX_AREA:
            raise DetectorError(
                f"The smallest area is {self.min_area:g}; it is a share of the picture, from 0 to "
                f"below {MAX_AREA}."
            )
        if self.max_regions < 1:
            raise DetectorError(
                f"At most {self.max_regions} regions were asked for; ask for 1 or more."
            )


class Detector(Protocol):
    """Anything that finds regions. May be asked from several threads at once."""

    name: str  # activation, rapidocr, or the detector's
    stamp: str  # differs where its regions would
    min_side: int  # pixels that a picture's shorter side should have

    def find(self, image: Image.Image) -> list[FoundRegion]:
        """The regions of one upright RGB picture, best first."""
        ...


def load_detectors(finding: Finding) -> list[Detector]:
    """Open what the finding asks for. Raises DetectorError."""
    detectors: list[Detector] = []
    if "objects" in finding.names:
        detectors.append(_load_object_detector(finding))
    if "text" in finding.names:
        from bilderatlas.models.detectors.ocr import TextReader

        detectors.append(TextReader())
    return detectors


def _load_object_detector(finding: Finding) -> Detector:
    if finding.detector == ACTIVATION:
        from bilderatlas.models.detectors.class_activation import ActivationDetector

        return ActivationDetector(min_area=finding.min_area, max_regions=finding.max_regions)
    from bilderatlas.models.detectors import hub
    from bilderatlas.models.detectors.object_detector import ObjectDetector

    is_of_the_hub = hub.knows(finding.detector)
    return ObjectDetector(
        hub.fetch(finding.detector) if is_of_the_hub else Path(finding.detector),
        min_area=finding.min_area,
        max_regions=finding.max_regions,
        name=finding.detector if is_of_the_hub else None,
    )


def absolute(detector: str | Path) -> str:
    """A detector as it is remembered: by its name on the hub, or by where it lies."""
    from bilderatlas.models.detectors import hub

    if detector == ACTIVATION or hub.knows(str(detector)):
        return str(detector)
    return str(Path(detector).expanduser().absolute())


def stamp_of(detectors: Sequence[Detector]) -> str | None:
    """What tells the regions of these detectors from those of others; None without detectors."""
    return "; ".join(detector.stamp for detector in detectors) or None


def min_side_of(stamp: str | None) -> int:
    """Pixels of the shorter side at which detectors of this stamp saw a picture; 0 without any."""
    if not stamp:
        return 0
    from bilderatlas.models.detectors import object_detector, ocr

    return ocr.MIN_SIDE if ocr.TextReader.stamp in stamp.split("; ") else object_detector.MIN_SIDE


def select(found: Iterable[FoundRegion], *, min_area: float, max_regions: int) -> list[FoundRegion]:
    """The best regions of a fitting size, best first."""
    fitting = [region for region in found if min_area <= region.area <= MAX_AREA]
    return sorted(fitting, key=lambda region: -region.score)[:max_regions]


def overlaps(box: Box | Boxes, boxes: Sequence[Box] | Boxes) -> Scores:
    """Intersection over union of one box with each of N, (N,)."""
    one, others = np.asarray(box, np.float32), np.asarray(boxes, np.float32).reshape(-1, 4)
    inner = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])  # (N, 2)
    shared = np.clip(inner, 0, None).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (one[2:] - one[:2]).prod()
    quotients: Scores = shared / np.maximum(areas - shared, 1e-12)
    return quotients
