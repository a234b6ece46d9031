"""The cut-off on real photographs, without labels, beside the best threshold by hindsight."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bilderatlas.analysis import calibration
from bilderatlas.arrays import Embeddings
from bilderatlas.models import encoders
from bilderatlas.models.detectors import coco
from tests.assets import assets

pytestmark = [pytest.mark.model, pytest.mark.slow]
Mask = NDArray[np.bool_]


def embed(files: Sequence[Path]) -> Embeddings:
    """To compare with words, (M, J)."""
    encoder = encoders.load("builtin")
    pixels = [
        encoder.prepare(ImageOps.exif_transpose(Image.open(file)).convert("RGB")) for file in files
    ]
    batches = [np.stack(pixels[start : start + 16]) for start in range(0, len(pixels), 16)]
    return np.concatenate([encoder.embed_images(batch).joint for batch in batches])


def photographs() -> tuple[list[str], Embeddings, Mask]:
    """Categories, photographs (M, J), and which shows what (Q, M)."""
    folder = assets() / "data" / "coco"
    listed = json.loads((folder / "coco.json").read_text("utf-8"))["images"]
    listed = [entry for entry in listed if entry.get("has_boxes")]
    shown = [{coco.LABEL_OF_ID[each["category_id"]] for each in e["objects"]} for e in listed]
    number = {label: place for place, label in enumerate(coco.LABELS)}
    relevant = np.zeros((80, len(listed)), dtype=bool)
    for image, labels in enumerate(shown):
        relevant[[number[label] for label in labels], image] = True
    present = relevant.any(axis=1)
    labels = [label for label, is_there in zip(coco.LABELS, present, strict=True) if is_there]
    return labels, embed([folder / entry["file"] for entry in listed]), relevant[present]


def garments() -> tuple[list[str], Embeddings, Mask]:
    """Classes, every eighth photograph (M, J), and which is of what class (Q, M)."""
    files = sorted((assets() / "data" / "clothing").glob("*/*.jpg"))[::8]
    names, classes = np.unique([file.parent.name for file in files], return_inverse=True)
    return list(names), embed(files), classes == np.arange(len(names))[:, np.newaxis]


def f1(found: Mask, relevant: Mask) -> float:
    """Over all pairs of a query and an image."""
    return float(2 * (found & relevant).sum() / (found.sum() + relevant.sum()))


@pytest.mark.parametrize(("labelled", "lowest_f1"), [(photographs, 0.37), (garments, 0.4)])
def test_the_cut_off_is_as_good_as_the_best_threshold_by_hindsight(
    labelled, lowest_f1: float
) -> None:
    words, images, relevant = labelled()
    embed_texts = encoders.load("builtin").embed_texts
    numbers, wholes = np.arange(len(images)), np.zeros(len(images), int)
    background = calibration.measure(
        embed_texts(calibration.PROBES), images, numbers, wholes, floor=calibration.WORDS_FLOOR
    )
    scores = embed_texts(words) @ images.T  # (Q, M)
    found = np.stack([s >= calibration.judge(s, wholes, numbers, background).cut for s in scores])
    by_hindsight = max(f1(scores >= threshold, relevant) for threshold in np.arange(0, 1, 0.01))
    assert f1(found, relevant) >= 0.9 * by_hindsight
    assert f1(found, relevant) >= lowest_f1
