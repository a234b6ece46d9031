"""Pictures with detail, no two alike."""

from __future__ import annotations

import numpy as np
from PIL import Image


def scene(seed: int, width: int = 240, height: int = 160) -> Image.Image:
    """Coarse and fine patches of grey, at random."""
    rng = np.random.default_rng(seed)
    layers = [
        Image.fromarray(rng.integers(0, 255, (n, round(n * 1.5)), np.uint8)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        for n in (6, 24, 48)
    ]
    mixed = sum(
        np.asarray(layer, np.float32) * share
        for layer, share in zip(layers, (0.4, 0.4, 0.2), strict=True)
    )
    return Image.fromarray(np.asarray(mixed).astype(np.uint8)).convert("RGB")


def grey(image: Image.Image, side: int = 64) -> np.ndarray:
    small = image.convert("L")
    small.thumbnail((side, side), Image.Resampling.BOX)
    return np.asarray(small)
