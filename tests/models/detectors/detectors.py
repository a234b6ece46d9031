"""Detectors small enough to work out by hand, written with the `onnx` package.

What they put out does not depend on the picture, but for `write_yolox(..., fails_on_red=True)`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 32  # of the picture that they take: anchors of 4 x 4, 2 x 2 and 1 x 1 cells, 21
N_ANCHORS = 21


def write_yolox(path: Path, seen: dict[int, tuple[float, ...]], *, n_classes: int = 80) -> Path:
    """`seen`: anchor -> dx, dy, log w, log h, objectness, then one class number."""
    output = np.zeros((1, N_ANCHORS, 5 + n_classes), np.float32)
    for anchor, (*geometry, label) in seen.items():
        output[0, anchor, :5] = geometry
        output[0, anchor, 5 + int(label)] = 1.0
    return _write(path, {"images": ["b", 3, SIDE, SIDE]}, {"output": output})


def write_seeing_yolox(path: Path) -> Path:
    """A detector that looks: one person, fitting the last anchor, as likely as the picture is red.

    A picture without any red breaks it: it asks for a place in an array that is not there.
    """
    channel = helper.make_node("Slice", ["images", "two", "three", "one"], ["red"])
    brightest = helper.make_node("ReduceMax", ["red"], ["most"], axes=[0, 1, 2, 3], keepdims=0)
    scaled = helper.make_node("Div", ["most", "full"], ["share"])
    nodes = [channel, brightest, scaled, *_break_unless_positive("share")]
    nodes.append(helper.make_node("Mul", ["anchors", "checked"], ["output"]))
    anchors = np.zeros((1, N_ANCHORS, 85), np.float32)
    anchors[0, -1, 4:6] = 1.0
    constants = {
        "anchors": anchors,
        "full": np.float32(255),
        "zero": np.float32(0),
        "two": np.array([2]),
        "three": np.array([3]),
        "one": np.array([1]),
        "only": np.array([1], np.float32),
    }
    shape = {"output": list(anchors.shape)}
    return _save(path, nodes, {"images": ["b", 3, SIDE, SIDE]}, shape, constants)


def _break_unless_positive(name: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Greater", [name, "zero"], ["is_red"]),
        helper.make_node("Cast", ["is_red"], ["is_one"], to=TensorProto.INT64),
        helper.make_node("Sub", ["one", "is_one"], ["place"]),  # 0, or 1: beyond the end
        helper.make_node("Gather", ["only", "place"], ["factor"]),
        helper.make_node("Mul", ["factor", name], ["checked"]),
    ]


def write_detr(folder: Path, boxes: list[list[float]], logits: list[list[float]]) -> Path:
    """As DETR on the Hub: pixel_mask, logits with a last class that is nothing, id2label."""
    outputs = {"logits": np.array([logits], np.float32), "pred_boxes": np.array([boxes], "f4")}
    inputs = {"pixel_values": ["b", 3, "h", "w"], "pixel_mask": ["b", 64, 64]}
    _write(folder / "onnx" / "model.onnx", inputs, outputs)
    _write_json(folder / "config.json", {"id2label": {"0": "N/A", "1": "cat", "2": "teapot"}})
    size = {"shortest_edge": 32, "longest_edge": 64}
    _write_json(folder / "preprocessor_config.json", {"size": size, "do_resize": True})
    return folder


def write_rf_detr(
    path: Path, boxes: list[list[float]], logits: dict[tuple[int, int], float]
) -> Path:
    """As the rfdetr package exports: a bare file, 91 classes by COCO's ids, each by itself."""
    scores = np.full((1, len(boxes), 91), -20, np.float32)
    for (query, label), logit in logits.items():
        scores[0, query, label] = logit
    outputs = {"dets": np.array([boxes], np.float32), "labels": scores}
    return _write(path, {"input": ["b", 3, SIDE, SIDE]}, outputs)


def _write(path: Path, inputs: dict[str, list], outputs: dict[str, np.ndarray]) -> Path:
    """A graph that looks at its inputs, finds nothing to add, and puts out constants."""
    nodes, feeds = [], []
    for name in inputs:
        is_mask = name == "pixel_mask"
        nodes += [helper.make_node("Cast", [name], [f"{name}_f"], to=TensorProto.FLOAT)] * is_mask
        given = f"{name}_f" if is_mask else name
        nodes.append(helper.make_node("ReduceMean", [given], [f"{name}_mean"], keepdims=0))
        nodes.append(helper.make_node("Mul", [f"{name}_mean", "nil"], [f"{name}_nil"]))
        feeds.append(f"{name}_nil")
    nodes.append(helper.make_node("Sum", feeds, ["nothing"]))
    nodes += [helper.make_node("Add", [f"{n}_c", "nothing"], [n]) for n in outputs]
    constants = {f"{name}_c": array for name, array in outputs.items()} | {"nil": np.float32(0)}
    shapes = {name: list(array.shape) for name, array in outputs.items()}
    return _save(path, nodes, inputs, shapes, constants)


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: dict[str, list],
    outputs: dict[str, list],
    constants: dict[str, np.ndarray],
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = {"pixel_mask": TensorProto.INT64}
    graph = helper.make_graph(
        nodes,
        "detector",
        [
            helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), shape)
            for name, shape in inputs.items()
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in outputs.items()
        ],
        [numpy_helper.from_array(np.asarray(a), name) for name, a in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
