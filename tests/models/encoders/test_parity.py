"""Our pixels and embeddings against those of transformers, preprocessing included."""

from __future__ import annotations

import importlib.util
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bilderatlas.arrays import to_unit_length
from bilderatlas.models import encoders
from tests.assets import assets
from tests.models.encoders.onnx_folders import write_json

logger = logging.getLogger(__name__)
pytestmark = pytest.mark.parity

SEEING = ["clip", "siglip", "dinov2", "resnet", "vit", "deit", "efficientnet"]
READING = ["clip", "siglip", "bge", "minilm"]
TEXTS = ["a cat", "A red CAT, on the mat!", "zebra", "cat " * 90, "x"]


@pytest.fixture(scope="session")
def reference_models():
    """The reference, or the reason why there is none: torch is too large for every run."""
    missing = [name for name in ("torch", "transformers") if not importlib.util.find_spec(name)]
    if not missing:
        from tests.models.encoders import reference_models

        return reference_models
    return pytest.skip(
        f"{', '.join(missing)} not installed: pip install --group torch --group parity"
    )


@pytest.fixture(scope="module")
def built(reference_models, tmp_path_factory):
    """Name -> the reference and our encoder, each made once."""
    made = {}

    def build(name: str):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            reference = getattr(reference_models, name)(folder)
            made[name] = reference, encoders.load(folder, device="cpu")
        return made[name]

    return build


@pytest.fixture(scope="module")
def pictures() -> dict[str, Image.Image]:
    """Odd sizes, smooth as photographs are."""
    rng = np.random.default_rng(0)
    sizes = {
        "portrait": (91, 140),
        "landscape": (203, 75),
        "tiny": (7, 5),
        "large": (640, 427),
        "square": (48, 48),
    }
    made = {}
    for name, size in sizes.items():
        coarse = rng.integers(0, rng.integers(30, 256), (6, 6, 3), dtype=np.uint8)
        made[name] = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    return made | {"grey": made["portrait"].convert("L").convert("RGB")}


@pytest.mark.parametrize("name", SEEING)
def test_pictures_are_prepared_and_embedded_as_by_transformers(name: str, built, pictures):
    reference, encoder = built(name)
    ours = np.stack([encoder.prepare(picture) for picture in pictures.values()])
    theirs = np.stack([reference.pixels(picture) for picture in pictures.values()])
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    expected = to_unit_length(reference.images(theirs))
    assert_same(encoder.embed_images(ours).vectors, expected)


@pytest.mark.parametrize("name", READING)
def test_texts_are_embedded_as_by_transformers(name: str, built):
    reference, encoder = built(name)
    assert_same(encoder.embed_texts(TEXTS), to_unit_length(reference.texts(TEXTS)))


def assert_same(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Within 1e-3, and a hundred times nearer than the nearest other row."""
    assert ours.shape == theirs.shape
    between = 1 - (theirs @ theirs.T)[~np.eye(len(theirs), dtype=bool)].max()
    distance = 1 - (ours * theirs).sum(axis=1).min()
    logger.info(
        "cosine at least %.7f; rows among each other at most %.4f", 1 - distance, 1 - between
    )
    assert distance < 1e-3
    assert distance < between / 100


@pytest.mark.parametrize("device", ["cpu", "openvino"])
@pytest.mark.parametrize("name", ["vit", "resnet"])
def test_every_runtime_gives_the_same_features(name: str, device: str, built, pictures):
    if device == "openvino":
        pytest.importorskip("openvino", reason="pip install 'bilderatlas[openvino]'")
    reference, encoder = built(name)
    other = encoders.load(encoder.name, device=device)
    assert other.device.startswith(device)
    pixels = np.stack([encoder.prepare(picture) for picture in pictures.values()])
    cosines = other.embed_images(pixels).vectors * to_unit_length(reference.images(pixels))
    assert cosines.sum(axis=1).min() > 0.995  # bf16 keeps 8 bits


@pytest.mark.model
def test_real_weights_give_what_their_graph_gives(tmp_path: Path):
    """A text tower with real weights, as a folder of ours and run by hand."""
    import onnxruntime
    from tokenizers import Tokenizer

    source = assets() / "models" / "builtin"
    shutil.copy(source / "tokenizer.json", tmp_path)
    shutil.copy(source / "text_int8.onnx", tmp_path / "model_quantized.onnx")
    write_json(tmp_path / "config.json", {"model_type": "bert", "max_position_embeddings": 128})
    write_json(tmp_path / "tokenizer_config.json", {"pad_token": "[PAD]"})
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    tokenizer.no_padding()
    session = onnxruntime.InferenceSession(
        source / "text_int8.onnx", providers=["CPUExecutionProvider"]
    )
    texts = ["a photo of a cat", "red bicycle", "children playing on the beach"]
    theirs = []
    for encoded in tokenizer.encode_batch(texts):
        feeds = {"input_ids": [encoded.ids], "attention_mask": [encoded.attention_mask]}
        theirs.append(session.run(["text_embeds"], {k: np.array(v) for k, v in feeds.items()})[0])
    encoder = encoders.load(f"{tmp_path}:q8", device="cpu")
    assert not encoder.reads_images
    assert_same(encoder.embed_texts(texts), np.concatenate(theirs))
