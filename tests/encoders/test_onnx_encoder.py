"""Folders of ONNX towers, with numbers worked out by hand."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from bilderatlas import encoders
from tests.encoders.onnx_folders import (
    IDS,
    write_image_only,
    write_json,
    write_one_graph,
    write_tower,
    write_two_towers,
)


@pytest.mark.parametrize("write", [write_two_towers, write_one_graph])
def test_the_word_red_lands_on_a_red_picture(write, tmp_path: Path):
    encoder = encoders.load(write(tmp_path))
    colours = ["red", "lime", "blue"]  # lime is (0, 255, 0)
    pixels = np.stack([encoder.prepare(Image.new("RGB", (9, 5), colour)) for colour in colours])
    np.testing.assert_allclose(encoder.embed_images(pixels).vectors, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(encoder.embed_texts(["red", "green", "blue"]), np.eye(3), atol=1e-6)


def test_a_transformer_is_read_at_its_first_token(tmp_path: Path):
    encoder = encoders.load(write_image_only(tmp_path))
    picture = Image.new("RGB", (4, 4), "red")
    picture.putpixel((0, 0), (0, 0, 255))
    vectors = encoder.embed_images(encoder.prepare(picture)[np.newaxis]).vectors
    np.testing.assert_allclose(vectors, [[0, 0, 1]], atol=1e-6)


def test_a_convolutional_pooler_is_flattened(tmp_path: Path):
    folder = write_image_only(tmp_path)
    pool = helper.make_node("GlobalAveragePool", ["pixel_values"], ["pooler_output"])
    pixels = {"pixel_values": (TensorProto.FLOAT, ["batch", 3, 4, 4])}
    write_tower(folder / "model.onnx", [pool], pixels, {"pooler_output": ["batch", 3, 1, 1]})
    encoder = encoders.load(folder)
    red = encoder.prepare(Image.new("RGB", (4, 4), "red"))
    np.testing.assert_allclose(encoder.embed_images(red[np.newaxis]).vectors, [[1, 0, 0]])


def test_siglip_sees_its_texts_padded_to_full_length(tmp_path: Path):
    folder = write_two_towers(tmp_path)
    # A tower without a mask: padding counts, so "red" is (1, 0, 0) + 3 * (9, 9, 9).
    nodes = [
        helper.make_node("Gather", ["colours", "input_ids"], ["words"]),
        helper.make_node("ReduceSum", ["words", "middle"], ["text_embeds"], keepdims=0),
    ]
    ids = {"input_ids": IDS["input_ids"]}
    write_tower(folder / "onnx" / "text_model.onnx", nodes, ids, {"text_embeds": ["batch", 3]})
    unpadded = encoders.load(folder).embed_texts(["red"])
    np.testing.assert_allclose(unpadded, [[1, 0, 0]], atol=1e-6)
    write_json(folder / "config.json", {"model_type": "siglip"})
    padded = np.array([[28, 27, 27]]) / np.sqrt(28**2 + 27**2 + 27**2)
    np.testing.assert_allclose(encoders.load(folder).embed_texts(["red"]), padded, atol=1e-6)


def test_texts_longer_than_the_model_reads_are_cut(tmp_path: Path):
    encoder = encoders.load(write_two_towers(tmp_path))  # reads 4 words
    cut, whole = encoder.embed_texts(["red red red red blue blue", "red"])
    np.testing.assert_allclose(cut, whole)


def test_a_graph_that_takes_one_row_embeds_a_batch(tmp_path: Path):
    folder = write_image_only(tmp_path)
    model = onnx.load(folder / "model.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, folder / "model.onnx")
    encoder = encoders.load(folder)
    pixels = np.stack([encoder.prepare(Image.new("RGB", (4, 4), "red"))] * 5)
    np.testing.assert_allclose(encoder.embed_images(pixels).vectors, [[1, 0, 0]] * 5, atol=1e-6)
