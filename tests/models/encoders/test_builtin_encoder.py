"""The encoder that ships, on real photographs and against a conversion made independently."""

import hashlib
import json

import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageOps

from bilderatlas.arrays import Embeddings
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder, builtin_encoder
from tests.assets import assets

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return encoders.load("builtin", device="cpu")


@pytest.fixture(scope="module")
def photographs() -> list[dict]:
    """COCO photographs that have captions: file, captions."""
    listed = json.loads((assets() / "data" / "coco" / "coco.json").read_text("utf-8"))["images"]
    return [entry for entry in listed if entry.get("captions")]


def prepare(encoder: Encoder, photograph: dict) -> np.ndarray:
    with Image.open(assets() / "data" / "coco" / photograph["file"]) as image:
        return encoder.prepare(ImageOps.exif_transpose(image).convert("RGB"))


def recall_at(k: int, images: Embeddings, texts: Embeddings, owners: np.ndarray) -> float:
    """Share of the texts whose own picture is among the k nearest."""
    scores = texts @ images.T  # (Q, N)
    own = scores[np.arange(len(texts)), owners]
    return float(((scores > own[:, np.newaxis]).sum(axis=1) < k).mean())


def test_the_files_are_those_of_the_manifest():
    folder = builtin_encoder.FOLDER
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def test_there_is_a_class_name_for_every_class():
    labels = json.loads((builtin_encoder.FOLDER / "labels.json").read_text("utf-8"))
    assert len(labels) == 1000
    assert labels[207] == "Golden Retriever"


def test_the_image_tower_agrees_with_an_independent_conversion(encoder: Encoder, photographs):
    pixels = np.stack([prepare(encoder, photograph) for photograph in photographs[:12]])
    path = assets() / "models" / "builtin" / "image_lite2.onnx"
    reference = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (features,) = reference.run(["features"], {"input": pixels})
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    cosines = (encoder.embed_images(pixels).vectors * features).sum(axis=1)
    assert cosines.min() > 0.999


@pytest.mark.slow
def test_captions_find_their_photographs(encoder: Encoder, photographs):
    images = np.concatenate(
        [encoder.embed_images(prepare(encoder, one)[np.newaxis]).joint for one in photographs]
    )
    captions = [caption for one in photographs for caption in one["captions"][:5]]
    owners = np.repeat(np.arange(len(photographs)), [len(p["captions"][:5]) for p in photographs])
    texts = encoder.embed_texts(captions)
    assert len(photographs) == 244
    assert recall_at(10, images, texts, owners) >= 0.85
    assert recall_at(1, images, texts, owners) >= 0.33
