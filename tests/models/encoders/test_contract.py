"""What every encoder promises, whatever model is inside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bilderatlas.arrays import Embeddings, Pixels
from bilderatlas.errors import QueryError
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder
from tests.models.encoders.onnx_folders import (
    write_classifier,
    write_image_only,
    write_one_graph,
    write_two_towers,
)
from tests.toy_encoder import ToyEncoder

KINDS = ["toy", "builtin", "two towers", "one graph", "image only", "classifier"]


@pytest.fixture(scope="module", params=KINDS)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = tmp_path_factory.mktemp("encoder")
    match request.param:
        case "toy":
            return ToyEncoder()
        case "builtin":
            return encoders.load("builtin", device="cpu")
        case "two towers":
            return encoders.load(write_two_towers(folder), device="cpu")
        case "one graph":
            return encoders.load(write_one_graph(folder), device="cpu")
        case "classifier":
            return encoders.load(write_classifier(folder), device="cpu")
        case _:
            return encoders.load(write_image_only(folder), device="cpu")


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    """Five pictures of different sizes and contents."""
    rng = np.random.default_rng(0)
    sizes = [(40, 40), (90, 60), (60, 90), (300, 310), (7, 40)]
    arrays = [rng.integers(0, 256, (height, width, 3)) for width, height in sizes]
    return [Image.fromarray(array.astype(np.uint8)) for array in arrays]


def prepared(encoder: Encoder, pictures: list[Image.Image]) -> Pixels:
    return np.stack([encoder.prepare(picture) for picture in pictures])


def both(encoder: Encoder, pixels: Pixels) -> list[Embeddings]:
    made = encoder.embed_images(pixels)
    return [made.vectors] if made.joint is None else [made.vectors, made.joint]


def test_embeddings_are_float32_of_length_1(encoder: Encoder, pictures: list[Image.Image]) -> None:
    made = both(encoder, prepared(encoder, pictures))
    dims = [encoder.dim] if encoder.joint_dim is None else [encoder.dim, encoder.joint_dim]
    assert [rows.shape for rows in made] == [(5, dim) for dim in dims]
    for rows in made:
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_a_batch_is_the_same_as_one_by_one(encoder: Encoder, pictures: list[Image.Image]) -> None:
    pixels = prepared(encoder, pictures)
    for place, rows in enumerate(both(encoder, pixels)):
        alone = np.concatenate([both(encoder, pixels[i : i + 1])[place] for i in range(5)])
        np.testing.assert_allclose(rows, alone, atol=1e-5)


def test_the_same_picture_embeds_the_same_twice(
    encoder: Encoder, pictures: list[Image.Image]
) -> None:
    first, again = (both(encoder, prepared(encoder, pictures)) for _ in range(2))
    for rows, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(rows, same)


def test_no_pictures_make_no_rows(encoder: Encoder, pictures: list[Image.Image]) -> None:
    made = encoder.embed_images(prepared(encoder, pictures)[:0])
    assert made.vectors.shape == (0, encoder.dim)
    assert encoder.joint_dim is None or made.joint.shape == (0, encoder.joint_dim)


def test_joint_is_there_where_joint_dim_is(encoder: Encoder, pictures: list[Image.Image]) -> None:
    made = encoder.embed_images(prepared(encoder, pictures[:1]))
    assert (made.joint is None) == (encoder.joint_dim is None)


def test_threads_prepare_what_one_thread_does(
    encoder: Encoder, pictures: list[Image.Image]
) -> None:
    with ThreadPoolExecutor(4) as threads:
        pixels = list(threads.map(encoder.prepare, pictures * 8))
    np.testing.assert_array_equal(pixels, prepared(encoder, pictures * 8))


def test_pictures_smaller_than_the_input_are_embedded_too(encoder: Encoder) -> None:
    pixels = encoder.prepare(Image.new("RGB", (1, 1), "red"))
    assert np.isfinite(encoder.embed_images(pixels[np.newaxis]).vectors).all()


def test_texts_embed_beside_pictures_or_are_refused(encoder: Encoder) -> None:
    if not encoder.reads_text:
        with pytest.raises(QueryError, match=r"no text tower.*image"):
            encoder.embed_texts(["red"])
        return
    texts = ["red", "green blue", "blue"]
    rows = encoder.embed_texts(texts)
    assert rows.shape == (3, encoder.joint_dim or encoder.dim)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    alone = np.concatenate([encoder.embed_texts([text]) for text in texts])
    np.testing.assert_allclose(rows, alone, atol=1e-5)
    assert encoder.embed_texts([]).shape == (0, encoder.joint_dim or encoder.dim)


def test_it_says_what_it_is(encoder: Encoder) -> None:
    assert encoder.device == "cpu"
    assert len(encoder.weights_hash) == 32
    assert Path(encoder.space).name == encoder.space
    assert encoder.input_side >= 1
