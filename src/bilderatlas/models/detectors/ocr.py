"""Text by RapidOCR (PP-OCR, arXiv:2009.09941), its lines joined into blocks. Owns rapidocr."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from bilderatlas.arrays import Box
from bilderatlas.errors import DetectorError
from bilderatlas.models.detectors import FoundRegion
from bilderatlas.models.encoders import runtimes

MIN_SIDE = 1500  # RapidOCR looks at 2000 pixels of the longer side: 4 to 3
MAX_HEIGHT_RATIO = 1.6  # lines of one block are of about the same height
MAX_LINE_GAP = 0.8  # between one line and the next, in heights of the smaller
MAX_WORD_GAP = 1.2  # between two parts of one line
MIN_SHARED = 0.4  # of the smaller extent, for lines to stand below or beside each other


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, or a part of one, in pixels."""

    text: str
    score: float
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def height(self) -> float:
        return self.y1 - self.y0


class TextReader:
    """RapidOCR with the models inside its package: nothing is downloaded."""

    name = "rapidocr"
    stamp = "rapidocr"
    min_side = MIN_SIDE

    def __init__(self) -> None:
        self._engine = _engine()

    def find(self, image: Image.Image) -> list[FoundRegion]:
        """The blocks of text of a picture, from above to below."""
        return [_region(block, image.size) for block in join(self.lines(image))]

    def lines(self, image: Image.Image) -> list[Line]:
        """What RapidOCR reads, line by line."""
        bgr = np.ascontiguousarray(np.asarray(image)[..., ::-1])
        read = self._engine(bgr)
        if read.txts is None:
            return []
        return [
            Line(text, float(score), *corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
            for text, score, corners in zip(read.txts, read.scores, read.boxes, strict=True)
        ]


def join(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines in blocks: those of like height that stand close below or beside each other.

    Whatever is adjacent to a line of a block belongs to the block. Blocks go from above to below,
    and their lines too, those side by side from left to right.
    """
    blocks: list[list[Line]] = []
    for line in lines:
        near = [block for block in blocks if any(are_adjacent(line, other) for other in block)]
        blocks = [block for block in blocks if block not in near]
        blocks.append([line, *(other for block in near for other in block)])
    return sorted(map(_in_reading_order, blocks), key=lambda block: (block[0].y0, block[0].x0))


def are_adjacent(a: Line, b: Line) -> bool:
    """Whether two lines belong together: below each other, or parts of one line."""
    smaller = max(min(a.height, b.height), 1e-6)
    if max(a.height, b.height) > MAX_HEIGHT_RATIO * smaller:
        return False
    shared_x, shared_y = _shared(a.x0, a.x1, b.x0, b.x1), _shared(a.y0, a.y1, b.y0, b.y1)
    if are_side_by_side(a, b):
        return -shared_x <= MAX_WORD_GAP * smaller
    narrower = min(a.x1 - a.x0, b.x1 - b.x0)
    return shared_x >= MIN_SHARED * narrower and -shared_y <= MAX_LINE_GAP * smaller


def are_side_by_side(a: Line, b: Line) -> bool:
    """Whether two lines are at the same height, and not one over the other as slanted ones are."""
    shared_x, shared_y = _shared(a.x0, a.x1, b.x0, b.x1), _shared(a.y0, a.y1, b.y0, b.y1)
    return shared_y >= MIN_SHARED * min(a.height, b.height) and shared_x < MIN_SHARED * min(
        a.x1 - a.x0, b.x1 - b.x0
    )


def _shared(a0: float, a1: float, b0: float, b1: float) -> float:
    """How much two stretches share; below 0 the gap between them."""
    return min(a1, b1) - max(a0, b0)


def _in_reading_order(block: list[Line]) -> list[Line]:
    return [line for row in _rows(block) for line in row]


def _rows(block: Sequence[Line]) -> list[list[Line]]:
    """Lines of a block, those side by side together, from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(block, key=lambda line: line.y0):
        if rows and all(are_side_by_side(line, other) for other in rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.x0) for row in rows]


def _region(block: Sequence[Line], size: tuple[int, int]) -> FoundRegion:
    text = "\n".join(" ".join(line.text for line in row) for row in _rows(block))
    box = _box(block, *size)
    return FoundRegion("text", None, box, float(np.mean([line.score for line in block])), text)


def _box(block: Sequence[Line], width: int, height: int) -> Box:
    x0, y0 = min(line.x0 for line in block) / width, min(line.y0 for line in block) / height
    x1, y1 = max(line.x1 for line in block) / width, max(line.y1 for line in block) / height
    return max(x0, 0.0), max(y0, 0.0), min(x1, 1.0), min(y1, 1.0)


def _engine() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise DetectorError(
            "Text is found by RapidOCR, which is not installed here. Install it: "
            "pip install 'bilderatlas[ocr]'"
        ) from error
    runtimes.onnx_runtime()  # RapidOCR's too
    onnx = "EngineConfig.onnxruntime"
    return RapidOCR(
        params={
            "Global.log_level": "error",
            # One thread a picture: several pictures are read at once.
            f"{onnx}.intra_op_num_threads": 1,
            f"{onnx}.inter_op_num_threads": 1,
        }
    )
