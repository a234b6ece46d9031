"""Scores and logits -> probabilities of classes, and the likeliest few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE = -1  # none of the classes


@dataclass(frozen=True, slots=True)
class Likeliest:
    """The T likeliest classes of N rows, falling; `NONE` where none of them is as likely."""

    labels: NDArray[np.int32]  # (N, T)
    probabilities: NDArray[np.float32]  # (N, T)


def at_most_one(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each of C classes is (N, C), if at most one is right; what is left is "none".

    `odds` (N, C) are those of each class by itself (`calibration.odds`). If classes are independent
    but for that at most one can be right, they compare to each other, and to 1 for none, as their
    odds do.
    """
    shares: NDArray[np.float64] = odds / (1 + odds.sum(axis=1, keepdims=True))
    return shares


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Exactly one of C classes is right: logits (N, C) -> probabilities (N, C)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
    shares: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return shares


def likeliest(probabilities: NDArray[np.floating], n: int) -> Likeliest:
    """The n likeliest of C classes for each row (N, C), and of "none", which has what is left.

    Of two that are as likely the earlier class comes first. At most C are given.
    """
    n_classes = probabilities.shape[1]
    none = np.clip(1 - probabilities.sum(axis=1, keepdims=True), 0, 1)
    none[none < 1e-4] = -1  # rounding
    all_ = np.concatenate([probabilities, none], axis=1)  # (N, C + 1)
    order = np.argsort(-all_, axis=1, kind="stable")[:, : min(n, n_classes)]
    labels = np.where(order == n_classes, NONE, order).astype(np.int32)
    chosen = np.take_along_axis(all_, order, axis=1).astype(np.float32)
    return Likeliest(labels, chosen)
