"""Average precision at an overlap of a half, as COCO measures it (Lin et al. 2014).

Its rules: detections of a class in the order of their scores, each taking the free marked object
that it overlaps most; crowds count neither for nor against; precision at 101 levels of recall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bilderatlas.arrays import Boxes, Scores
from bilderatlas.models.detectors import overlaps

OVERLAP = 0.5
LEVELS = np.linspace(0, 1, 101)
Classes = np.ndarray  # (N,) int


@dataclass(frozen=True, slots=True)
class Marked:
    """What people marked in one picture."""

    boxes: Boxes  # (M, 4)
    classes: Classes  # (M,)
    is_crowd: np.ndarray  # (M,)


@dataclass(frozen=True, slots=True)
class Detected:
    """What a detector saw in one picture, best first."""

    boxes: Boxes  # (N, 4)
    scores: Scores  # (N,)
    classes: Classes  # (N,)


def ap50(marked: Sequence[Marked], detected: Sequence[Detected]) -> float:
    """The mean over the classes that were marked."""
    classes = np.unique(np.concatenate([m.classes[~m.is_crowd] for m in marked]))
    return float(np.mean([_of_class(label, marked, detected) for label in classes]))


def _of_class(label: int, marked: Sequence[Marked], detected: Sequence[Detected]) -> float:
    n_marked = sum(int(((m.classes == label) & ~m.is_crowd).sum()) for m in marked)
    judged = [j for m, d in zip(marked, detected, strict=True) for j in _judge(label, m, d)]
    hits = np.array([hit for _, hit in sorted(judged, key=lambda j: -j[0])], bool)
    n_hits = np.cumsum(hits)
    recall, precision = n_hits / n_marked, n_hits / np.arange(1, len(hits) + 1)
    best_from_here = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(best_from_here[np.searchsorted(recall, LEVELS - 1e-9)].mean())


def _judge(label: int, marked: Marked, detected: Detected) -> list[tuple[float, bool]]:
    """Score and whether it is right, of each detection of a class in one picture that counts."""
    own = marked.classes == label
    boxes, is_crowd = marked.boxes[own], marked.is_crowd[own]
    is_free, judged = ~is_crowd, []
    of_class = detected.classes == label
    for box, score in zip(detected.boxes[of_class], detected.scores[of_class], strict=True):
        shared = overlaps(box, boxes) * is_free
        if len(shared) and shared.max() >= OVERLAP:
            is_free[shared.argmax()] = False
            judged.append((float(score), True))
        elif not any(_lies_in(box, crowd) for crowd in boxes[is_crowd]):
            judged.append((float(score), False))
    return judged


def _lies_in(box: Boxes, crowd: Boxes) -> bool:
    inner = np.clip(np.minimum(box[2:], crowd[2:]) - np.maximum(box[:2], crowd[:2]), 0, None)
    return bool(inner.prod() >= OVERLAP * (box[2:] - box[:2]).prod())
