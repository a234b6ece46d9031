"""Class activation of the built-in encoder: a patch is outlined, and a real animal is found."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bilderatlas.models.detectors import Finding, load_detectors
from bilderatlas.models.detectors.class_activation import outline
from tests.assets import assets


def test_the_largest_patch_above_a_fifth_is_outlined() -> None:
    activation = np.zeros((8, 8), np.float32)
    activation[2:6, 1:3] = 1.9
    activation[0, 7] = 5.0  # stronger, but smaller
    x0, y0, x1, y1 = outline(activation) or (0, 0, 0, 0)
    assert (x0, y0, x1, y1) == pytest.approx((1 / 8, 2 / 8, 3 / 8, 6 / 8), abs=0.05)


def test_where_nothing_is_active_nothing_is_outlined() -> None:
    assert outline(np.full((8, 8), -1, np.float32)) is None


@pytest.mark.model
def test_a_zebra_is_found_and_said_to_be_found_by_activation() -> None:
    (detector,) = load_detectors(Finding(("objects",)))
    path = assets() / "data" / "coco" / "images" / "000000000034.jpg"
    best = detector.find(Image.open(path).convert("RGB"))[0]
    assert (best.kind, best.label) == ("animal", "activation: zebra")
    x0, y0, x1, y1 = best.box
    assert x0 < 0.4 < x1  # its middle, by hand
    assert y0 < 0.5 < y1
    assert x1 < 0.8  # grass to its right
