"""The 1,000 ImageNet classes that the built-in encoder was trained to tell apart."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import Embeddings
from bilderatlas.models.encoders.builtin_encoder import FOLDER
from bilderatlas.models.encoders.towers import Tower

MODEL = FOLDER / "image.onnx"
WEIGHTS = "cast_187"  # inside the graph: (1000, 1280)
# The features of photographs have this length in the mean (7 to 18; docs/log.md). A space keeps
# them at length 1, so probabilities are those of a picture of mean length; which class is the
# likeliest hardly depends on it.
LENGTH = 12.4


@cache
def names() -> tuple[str, ...]:
    """What the classes are called, (C,)."""
    return tuple(json.loads((FOLDER / "labels.json").read_text("utf-8")))


def logits(embeddings: Embeddings) -> NDArray[np.float32]:
    """What the encoder's own classifier says of its embeddings (N, 1280), (N, 1000)."""
    weights, bias = _head()
    said: NDArray[np.float32] = LENGTH * (embeddings @ weights.T) + bias
    return said


@cache
def _head() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (C, D) and bias (C,) of the last layer: the bias is what it adds to a blank."""
    tower = Tower(MODEL, n_threads=1, extra_output=WEIGHTS)
    side = int(tower.inputs["pixels"][2] or 0)
    blank = np.zeros((1, 3, side, side), np.float32)
    features, said, weights = tower.run({"pixels": blank}, "features", "logits", WEIGHTS)
    return weights, said[0] - weights @ features[0]
