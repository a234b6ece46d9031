"""Folders of ONNX towers, with numbers worked out by hand."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from bilderatlas.errors import EncoderNotFound, QueryError
from bilderatlas.models import encoders
from tests.models.encoders.onnx_folders import (
    IDS,
    write_classifier,
    write_image_only,
    write_json,
    write_one_graph,
    write_text_only,
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


def test_a_classifier_is_read_before_its_last_layer(tmp_path: Path):
    encoder = encoders.load(write_classifier(tmp_path))
    pixels = encoder.prepare(Image.new("RGB", (4, 4), "red"))[np.newaxis]
    np.testing.assert_allclose(encoder.embed_images(pixels).vectors, [[1, 0, 0]], atol=1e-6)


def test_a_quantised_classifier_is_read_before_it_is_quantised(tmp_path: Path):
    folder = write_classifier(tmp_path)
    quantise_dynamic(folder / "model.onnx", folder / "model_quantized.onnx")
    operations = {node.op_type for node in onnx.load(folder / "model_quantized.onnx").graph.node}
    assert "MatMulInteger" in operations
    encoder = encoders.load(f"{folder}:q8")
    pixels = encoder.prepare(Image.new("RGB", (4, 4), "red"))[np.newaxis]
    np.testing.assert_allclose(encoder.embed_images(pixels).vectors, [[1, 0, 0]], atol=1e-6)


def quantise_dynamic(source: Path, target: Path) -> None:
    """Gemm as MatMulInteger, the way dynamic quantisation writes it."""
    model = onnx.load(source)
    (last,) = (node for node in model.graph.node if node.op_type == "Gemm")
    place = list(model.graph.node).index(last)
    model.graph.node.remove(last)
    weights = np.zeros((3, 4), np.uint8)
    model.graph.initializer.append(numpy_helper.from_array(weights, "small"))
    quantise = helper.make_node("DynamicQuantizeLinear", ["features"], ["whole", "scale", "zero"])
    multiply = helper.make_node("MatMulInteger", ["whole", "small", "zero"], ["product"])
    cast = helper.make_node("Cast", ["product"], ["cast"], to=TensorProto.FLOAT)
    rescale = helper.make_node("Mul", ["cast", "scale"], ["raw"])
    for node in (rescale, cast, multiply, quantise):
        model.graph.node.insert(place, node)
    onnx.save(model, target)


def test_preprocessing_may_be_stated_in_other_files(tmp_path: Path):
    folder = write_image_only(tmp_path)
    stated = (folder / "preprocessor_config.json").read_text()
    (folder / "preprocessor_config.json").unlink()
    write_json(folder / "processor_config.json", {"image_processor": json.loads(stated)})
    assert encoders.load(folder).input_side == 4
    (folder / "processor_config.json").unlink()
    timm = {"input_size": [3, 4, 4], "interpolation": "nearest", "mean": [0] * 3, "std": [1] * 3}
    write_json(folder / "config.json", {"pretrained_cfg": timm})
    assert encoders.load(folder).input_side == 4


def test_a_text_encoder_refuses_pictures(tmp_path: Path):
    encoder = encoders.load(write_text_only(tmp_path))
    assert not encoder.reads_images
    for asked in (
        lambda: encoder.prepare(Image.new("RGB", (4, 4))),
        lambda: encoder.embed_images(np.zeros((1, 3, 4, 4), np.float32)),
    ):
        with pytest.raises(QueryError, match="reads texts only"):
            asked()
    assert encoder.embed_texts([]).shape == (0, 3)


def test_sentence_transformers_files_say_how_to_pool(tmp_path: Path):
    folder = write_text_only(tmp_path)
    mean = encoders.load(folder).embed_texts(["red blue"])
    np.testing.assert_allclose(mean, [[0.5**0.5, 0, 0.5**0.5]], atol=1e-6)
    write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_cls_token": True})
    np.testing.assert_allclose(encoders.load(folder).embed_texts(["red blue"]), [[1, 0, 0]])
    write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_max_tokens": True})
    with pytest.raises(EncoderNotFound, match="asks for a pooling"):
        encoders.load(folder)
