"""Towers on their runtimes: devices, and batches that memory does not hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from bilderatlas.errors import EncoderNotFound
from bilderatlas.models.encoders.runtimes import devices
from bilderatlas.models.encoders.towers import Tower, run_within_memory
from tests.models.encoders.onnx_folders import FLOAT, write_image_only, write_tower

N_AXES = 20


def write_greedy_tower(path: Path) -> Path:
    """Needs B ** 20 numbers: 4 MB for two rows, 4 TB for four (and 14 GB for three)."""
    shape = helper.make_node("Shape", ["pixel_values"], ["rows"], end=1)
    wide = helper.make_node("Expand", ["rows", "axes"], ["sizes"])
    axes = helper.make_node("Constant", [], ["axes"], value_ints=[N_AXES])
    fill = helper.make_node("ConstantOfShape", ["sizes"], ["all"])
    sum_ = helper.make_node("ReduceSum", ["all"], ["zero"], keepdims=0)
    add = helper.make_node("Add", ["pixel_values", "zero"], ["image_embeds"])
    pixels = {"pixel_values": (FLOAT, ["batch", 3])}
    write_tower(path, [axes, shape, wide, fill, sum_, add], pixels, {"image_embeds": ["batch", 3]})
    return path


def test_a_batch_that_memory_does_not_hold_is_halved(tmp_path: Path, caplog):
    tower = Tower(write_greedy_tower(tmp_path / "greedy.onnx"), device="cpu")
    rows = np.arange(24, dtype=np.float32).reshape(8, 3)
    (made,) = tower.run({"pixel_values": rows}, "image_embeds")
    np.testing.assert_allclose(made, rows)
    assert "Memory ran out on 4 rows" in caplog.text


def test_a_single_row_that_memory_does_not_hold_is_an_error():
    class Full:
        def run(self, outputs, feeds):
            raise MemoryError("out of memory")

    with pytest.raises(MemoryError, match="too small for one picture"):
        run_within_memory(Full(), ["image_embeds"], {"pixel_values": np.zeros((4, 3))})


def test_a_device_that_is_not_there_is_refused_with_what_installs_it(tmp_path: Path):
    path = write_image_only(tmp_path) / "model.onnx"
    for device, command in (("openvino", r"bilderatlas\[openvino\]"), ("cuda", "onnxruntime-gpu")):
        if device not in devices():
            with pytest.raises(EncoderNotFound, match=f"'{device}' is not there.*{command}"):
                Tower(path, device=device)


def test_the_device_is_what_really_runs(tmp_path: Path):
    path = write_image_only(tmp_path) / "model.onnx"
    pixels = np.random.default_rng(0).random((3, 3, 4, 4), dtype=np.float32)
    for device in devices():
        tower = Tower(path, device=device)
        assert tower.device.startswith(device)
        (made,) = tower.run({"pixel_values": pixels}, "last_hidden_state")
        np.testing.assert_allclose(made, pixels.reshape(3, 3, 16).transpose(0, 2, 1), atol=0.01)


def test_half_precision_is_fed_halves(tmp_path: Path):
    path = tmp_path / "half.onnx"
    graph = helper.make_graph(
        [helper.make_node("Identity", ["pixel_values"], ["image_embeds"])],
        "half",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT16, ["batch", 3])],
        [helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT16, ["batch", 3])],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    (made,) = Tower(path).run({"pixel_values": np.ones((2, 3), np.float32)}, "image_embeds")
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, 1)
