"""Models run by torch: the errors everywhere, real ones where the `torch` extra is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.arrays import to_unit_length
from bilderatlas.errors import EncoderNotFound, QueryError
from bilderatlas.models import encoders

HAS_OPEN_CLIP = bool(find_spec("open_clip") and find_spec("torchvision"))


@pytest.mark.skipif(HAS_OPEN_CLIP, reason="OpenCLIP is installed")
def test_openclip_that_is_missing_is_refused_with_what_installs_it():
    with pytest.raises(EncoderNotFound, match=r"needs .*pip install 'bilderatlas\[torch\]'"):
        encoders.load("open_clip:ViT-B-32/laion2b_s34b_b79k")


@pytest.mark.skipif(bool(find_spec("sentence_transformers")), reason="it is installed")
def test_sentence_transformers_that_are_missing_are_refused_with_what_installs_them():
    with pytest.raises(EncoderNotFound, match=r"needs .*pip install 'bilderatlas\[torch\]'"):
        encoders.load("st:all-MiniLM-L6-v2")


@pytest.mark.skipif(not HAS_OPEN_CLIP, reason="pip install 'bilderatlas[torch]'")
def test_openclip_embeds_pictures_and_words(tmp_path: Path):
    import open_clip
    import torch

    torch.save(open_clip.create_model("RN50").state_dict(), tmp_path / "random.pt")
    encoder = encoders.load(f"open_clip:RN50/{tmp_path / 'random.pt'}", device="cpu")
    pixels = np.random.default_rng(0).random((2, 3, 224, 224), dtype=np.float32)
    assert encoder.embed_images(pixels).vectors.shape == (2, encoder.dim)
    assert encoder.embed_texts(["a cat", "a dog", "x"]).shape == (3, encoder.dim)
    with pytest.raises(EncoderNotFound, match="knows no model 'RN5'"):
        encoders.load("open_clip:RN5/openai")
    with pytest.raises(EncoderNotFound, match=r"no weights 'other'.*openai"):
        encoders.load("open_clip:RN50/other")


@pytest.mark.parity
@pytest.mark.skipif(
    not find_spec("sentence_transformers"), reason="pip install 'bilderatlas[torch]'"
)
def test_sentence_transformers_embed_texts_as_our_own_encoder_does(tmp_path: Path):
    import sentence_transformers
    from sentence_transformers.sentence_transformer import modules

    from tests.models.encoders import reference_models

    folder = tmp_path / "minilm"
    reference = reference_models.minilm(folder)
    words = modules.Transformer(str(folder), max_seq_length=32)
    pooling = modules.Pooling(32, "mean")
    sentence_transformers.SentenceTransformer(modules=[words, pooling]).save(str(tmp_path / "st"))
    encoder = encoders.load(f"st:{tmp_path / 'st'}", device="cpu")
    texts = ["a cat", "zebra"]
    expected = to_unit_length(reference.texts(texts))
    np.testing.assert_allclose(encoder.embed_texts(texts), expected, atol=1e-5)
    assert not encoder.reads_images
    with pytest.raises(QueryError, match="reads texts only"):
        encoder.embed_images(np.zeros((1, 3, 4, 4), np.float32))
    with pytest.raises(EncoderNotFound, match="cannot run on device 'openvino'"):
        encoders.load(f"st:{tmp_path / 'st'}", device="openvino")
