"""Encoder folders small enough to work out by hand, written with the `onnx` package.

A picture is 4 x 4 pixels; its embedding is its mean red, green and blue. The three words of the
vocabulary embed as those colours, so "red" lands on a red picture.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
VOCABULARY = {"[PAD]": 0, "red": 1, "green": 2, "blue": 3}
PREPROCESSING = {
    "size": {"shortest_edge": 4},
    "crop_size": {"height": 4, "width": 4},
    "do_center_crop": True,
    "resample": 0,
    "rescale_factor": 1 / 255,
    "image_mean": [0.0, 0.0, 0.0],
    "image_std": [1.0, 1.0, 1.0],
}
PIXELS = {"pixel_values": (FLOAT, ["batch", 3, 4, 4])}
IDS = {"input_ids": (INT64, ["batch", "tokens"]), "attention_mask": (INT64, ["batch", "tokens"])}
MEAN_COLOUR = helper.make_node(
    "ReduceMean", ["pixel_values"], ["image_embeds"], axes=[2, 3], keepdims=0
)
WORD_COLOURS = [
    helper.make_node("Gather", ["colours", "input_ids"], ["words"]),  # (B, S, 3)
    helper.make_node("Cast", ["attention_mask"], ["mask"], to=FLOAT),
    helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
    helper.make_node("Mul", ["words", "column"], ["seen"]),
    helper.make_node("ReduceSum", ["seen", "middle"], ["text_embeds"], keepdims=0),
]
CONSTANTS = {
    "colours": np.array([[9, 9, 9], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32),
    "last": np.array([2]),
    "middle": np.array([1]),
}


def write_tower(path: Path, nodes, inputs, outputs: dict[str, list]) -> None:
    """`inputs`: name -> (type, shape); `outputs`: name -> shape, float32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(
        nodes,
        "tower",
        [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
        [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in CONSTANTS.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def write_tokenizer(folder: Path, *, model_type: str = "clip") -> None:
    tokenizer = Tokenizer(WordLevel(VOCABULARY, unk_token="[PAD]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "config.json", {"model_type": model_type})
    stated = {"model_max_length": 4, "pad_token": {"content": "[PAD]"}}
    write_json(folder / "tokenizer_config.json", stated)


def write_two_towers(folder: Path) -> Path:
    """As CLIP repositories are: a picture tower and a text tower."""
    write_json(folder / "preprocessor_config.json", PREPROCESSING)
    write_tokenizer(folder)
    embeds = ["batch", 3]
    write_tower(
        folder / "onnx" / "vision_model.onnx", [MEAN_COLOUR], PIXELS, {"image_embeds": embeds}
    )
    write_tower(folder / "onnx" / "text_model.onnx", WORD_COLOURS, IDS, {"text_embeds": embeds})
    return folder


def write_one_graph(folder: Path) -> Path:
    """As CLIP repositories of one file are: both towers in model.onnx."""
    write_json(folder / "preprocessor_config.json", PREPROCESSING)
    write_tokenizer(folder)
    outputs = {"image_embeds": ["batch", 3], "text_embeds": ["batch", 3]}
    write_tower(folder / "onnx" / "model.onnx", [MEAN_COLOUR, *WORD_COLOURS], PIXELS | IDS, outputs)
    return folder


def write_image_only(folder: Path) -> Path:
    """As DINO repositories are: (B, S, D) tokens, of which the first stands for the picture."""
    write_json(folder / "preprocessor_config.json", PREPROCESSING)
    pixels = helper.make_node("Reshape", ["pixel_values", "shape"], ["rows"])  # (B, 3, 16)
    shape = helper.make_node("Constant", [], ["shape"], value_ints=[0, 3, 16])
    tokens = helper.make_node("Transpose", ["rows"], ["last_hidden_state"], perm=[0, 2, 1])
    outputs = {"last_hidden_state": ["batch", 16, 3]}
    write_tower(folder / "model.onnx", [shape, pixels, tokens], PIXELS, outputs)
    return folder


def write_text_only(folder: Path) -> Path:
    """As BERT's repositories are: (B, S, D) tokens, to be pooled."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer(folder, model_type="bert")
    words = helper.make_node("Gather", ["colours", "input_ids"], ["last_hidden_state"])
    outputs = {"last_hidden_state": ["batch", "tokens", 3]}
    write_tower(folder / "model.onnx", [words], IDS, outputs)
    return folder


def write_classifier(folder: Path) -> Path:
    """As ResNet's repositories are: class scores, made of the mean colour by a last layer."""
    write_json(folder / "preprocessor_config.json", PREPROCESSING)
    pool = helper.make_node("ReduceMean", ["pixel_values"], ["features"], axes=[2, 3], keepdims=0)
    last = helper.make_node("Gemm", ["features", "colours"], ["raw"], transB=1)
    scale = helper.make_node("Mul", ["raw", "half"], ["logits"])
    half = helper.make_node("Constant", [], ["half"], value_float=0.5)
    write_tower(folder / "model.onnx", [half, pool, last, scale], PIXELS, {"logits": ["batch", 4]})
    return folder
