"""The array types that modules hand to each other, and the rules that many of them share."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Real = TypeVar("Real", bound=np.floating[Any])

Embeddings = NDArray[np.float32]  # (N, D), rows of length 1
Scores = NDArray[np.float32]  # higher is closer
ClusterLabels = NDArray[np.int32]  # (N,), -1 = noise
Coordinates = NDArray[np.float32]  # (N, 2) or (N, 3)
Pixels = NDArray[np.float32]  # (B, 3, H, W) as an encoder wants them
Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in 0..1
Boxes = NDArray[np.float32]  # (N, 4)


def highest_of_each(values: NDArray[Real], owner: NDArray[np.integer]) -> NDArray[Real]:
    """The highest of the values (N,) of each owner, (M,); -inf for an owner that has none."""
    highest = np.full(int(owner.max(initial=-1)) + 1, -np.inf, dtype=values.dtype)
    np.maximum.at(highest, owner, values)  # of one type: 40 times as fast
    return highest


def to_unit_length(vectors: NDArray[np.floating]) -> Embeddings:
    """Scale every row of (N, D) to length 1; a row of zeros stays zeros."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)  # (N, 1)
    scaled: Embeddings = rows / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled
