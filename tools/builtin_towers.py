"""The two ONNX graphs of the built-in encoder, written node by node from their weights.

EfficientNet-Lite2 (Tan and Le 2019, arXiv:1905.11946, without squeeze-and-excitation) for
pictures; a three-layer BERT for texts. Computed in float32, stored smaller.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = dict[str, NDArray[np.float32]]

IMAGE_SIDE = 260  # pixels, the resolution that EfficientNet-Lite2 was trained for
MAX_TOKENS = 128
TEMPERATURE = 2.0  # flattens the class probabilities: a photograph shows more than one thing
OPSET = 17


class Graph:
    """An ONNX graph under construction; every method returns the name of what it added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def add(self, op: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        output = name or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def constant(self, values: Any, dtype: str = "float32") -> str:
        name = f"c_{len(self.initializers)}"
        array = np.ascontiguousarray(np.asarray(values, dtype))
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def half(self, values: NDArray[np.float32]) -> str:
        """Stored as float16, computed with as float32; the cast is folded when loading."""
        return self.add("Cast", self.constant(values, "float16"), to=TensorProto.FLOAT)

    def int8(self, values: NDArray[np.float32]) -> str:
        """(I, O) stored as int8 with a scale a column; unpacked to float32 when loading."""
        stored, scales = to_int8(values, axis=0)
        unpacked = self.add("Cast", self.constant(stored, "int8"), to=TensorProto.FLOAT)
        return self.add("Mul", unpacked, self.constant(scales))

    def unit(self, rows: str, name: str | None = None) -> str:
        lengths = self.add("ReduceL2", rows, axes=[1], keepdims=1)
        return self.add("Div", rows, lengths, name=name)

    def model(self, inputs: dict[str, tuple[int, list[Any]]], outputs: dict[str, int]) -> Any:
        graph = helper.make_graph(
            self.nodes,
            "tower",
            [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
                for name, width in outputs.items()
            ],
            self.initializers,
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="")
        onnx.checker.check_model(model)
        return model


def to_int8(
    values: NDArray[np.float32], *, axis: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8: values ≈ stored * scales, one scale for each slice along `axis`."""
    scales = np.abs(values).max(axis=axis, keepdims=True) / np.float32(127)
    stored = np.rint(values / np.maximum(scales, 1e-12)).astype(np.int8)
    return stored, scales.astype(np.float32)


def image_tower(weights: Weights, classes: NDArray[np.float32]) -> onnx.ModelProto:
    """(N, 3, 260, 260) -> features (N, 1280), logits (N, 1000), image_embeds (N, 384)."""
    graph = Graph()
    x = convolve(graph, weights, "pixels", "_conv_stem", "_bn0", stride=2)
    for number in range(21):
        x = inverted_residual(graph, weights, x, f"_blocks.{number}", BLOCK_STRIDES.get(number, 1))
    x = convolve(graph, weights, x, "_conv_head", "_bn1")
    features = graph.add("Flatten", graph.add("GlobalAveragePool", x), name="features")
    fc = [graph.half(weights["_fc.weight"]), graph.constant(weights["_fc.bias"])]
    logits = graph.add("Gemm", features, *fc, transB=1, name="logits")
    softened = graph.add("Div", logits, graph.constant(TEMPERATURE))
    probabilities = graph.add("Softmax", softened, axis=1)  # (N, 1000)
    place = graph.add("MatMul", probabilities, graph.half(classes))  # (N, 384)
    graph.unit(place, name="image_embeds")
    pixels = {"pixels": (TensorProto.FLOAT, ["batch", 3, IMAGE_SIDE, IMAGE_SIDE])}
    return graph.model(pixels, {"features": 1280, "logits": 1000, "image_embeds": 384})


BLOCK_STRIDES = {1: 2, 4: 2, 7: 2, 15: 2}  # first blocks of the stages that halve the picture


def inverted_residual(graph: Graph, weights: Weights, x: str, block: str, stride: int) -> str:
    """MBConv without squeeze-and-excitation (the "Lite" of EfficientNet-Lite)."""
    inner = x
    if f"{block}._expand_conv.weight" in weights:
        inner = convolve(graph, weights, inner, f"{block}._expand_conv", f"{block}._bn0")
    inner = convolve(
        graph, weights, inner, f"{block}._depthwise_conv", f"{block}._bn1", stride=stride
    )
    inner = convolve(
        graph, weights, inner, f"{block}._project_conv", f"{block}._bn2", activation=False
    )
    n_in = weights.get(f"{block}._expand_conv.weight", weights[f"{block}._project_conv.weight"])
    n_out = len(weights[f"{block}._project_conv.weight"])
    keeps_shape = stride == 1 and n_in.shape[1] == n_out
    return graph.add("Add", inner, x) if keeps_shape else inner


def convolve(
    graph: Graph,
    weights: Weights,
    x: str,
    conv: str,
    norm: str,
    *,
    stride: int = 1,
    activation: bool = True,
) -> str:
    """Convolution with its batch norm folded in, then ReLU6; padded as TensorFlow's SAME."""
    kernel = weights[f"{conv}.weight"]  # (O, I / groups, K, K)
    gain = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + 1e-3)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * gain
    x = graph.add(
        "Conv",
        x,
        graph.half(kernel * gain[:, None, None, None]),
        graph.constant(bias),
        group=len(kernel) if "_depthwise" in conv else 1,
        kernel_shape=kernel.shape[2:],
        strides=[stride, stride],
        auto_pad="SAME_UPPER",
    )
    return graph.add("Clip", x, graph.constant(0), graph.constant(6)) if activation else x


def text_tower(weights: Weights, centre: NDArray[np.float32]) -> onnx.ModelProto:
    """input_ids, attention_mask (B, S) -> text_embeds (B, 384): BERT, mean pooling, centred."""
    graph = Graph()
    mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)  # (B, S)
    shut = graph.add("Mul", graph.add("Sub", mask, graph.constant(1)), graph.constant(1e9))
    shut = graph.add("Unsqueeze", shut, graph.constant([1, 2], "int64"))  # (B, 1, 1, S)
    x = embed_tokens(graph, weights)
    for number in range(3):
        x = transformer_layer(graph, weights, x, shut, f"encoder.layer.{number}")
    x = pool(graph, x, mask)
    graph.unit(graph.add("Sub", graph.unit(x), graph.constant(centre)), name="text_embeds")
    ids = (TensorProto.INT64, ["batch", "tokens"])
    return graph.model({"input_ids": ids, "attention_mask": ids}, {"text_embeds": 384})


def embed_tokens(graph: Graph, weights: Weights) -> str:
    """Words (an int8 table, unpacked only where looked up) and positions -> (B, S, 384)."""
    stored, scales = to_int8(weights["embeddings.word_embeddings.weight"], axis=1)
    rows = graph.add("Gather", graph.constant(stored, "int8"), "input_ids")
    gains = graph.add("Gather", graph.constant(scales), "input_ids")  # (B, S, 1)
    words = graph.add("Mul", graph.add("Cast", rows, to=TensorProto.FLOAT), gains)
    segment = weights["embeddings.token_type_embeddings.weight"][0]  # texts have one segment
    places = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS] + segment
    one = graph.constant([1], "int64")
    n_tokens = graph.add("Gather", graph.add("Shape", "input_ids"), one)
    places = graph.add("Slice", graph.half(places), graph.constant([0], "int64"), n_tokens)
    return normalise(graph, weights, graph.add("Add", words, places), "embeddings.LayerNorm")


def transformer_layer(graph: Graph, weights: Weights, x: str, shut: str, layer: str) -> str:
    attended = attend(graph, weights, x, shut, f"{layer}.attention.self")
    attended = linear(graph, weights, attended, f"{layer}.attention.output.dense")
    x = graph.add("Add", attended, x)
    x = normalise(graph, weights, x, f"{layer}.attention.output.LayerNorm")
    inner = gelu(graph, linear(graph, weights, x, f"{layer}.intermediate.dense"))
    inner = linear(graph, weights, inner, f"{layer}.output.dense")
    return normalise(graph, weights, graph.add("Add", inner, x), f"{layer}.output.LayerNorm")


def attend(graph: Graph, weights: Weights, x: str, shut: str, block: str) -> str:
    """12 heads of 32 over (B, S, 384)."""
    heads = graph.constant([0, 0, 12, 32], "int64")

    def split(part: str, order: list[int]) -> str:
        projected = linear(graph, weights, x, f"{block}.{part}")
        return graph.add("Transpose", graph.add("Reshape", projected, heads), perm=order)

    query, value = split("query", [0, 2, 1, 3]), split("value", [0, 2, 1, 3])
    scores = graph.add("MatMul", query, split("key", [0, 2, 3, 1]))  # (B, 12, S, S)
    scores = graph.add("Div", scores, graph.constant(np.sqrt(32)))
    shares = graph.add("Softmax", graph.add("Add", scores, shut), axis=-1)
    mixed = graph.add("Transpose", graph.add("MatMul", shares, value), perm=[0, 2, 1, 3])
    return graph.add("Reshape", mixed, graph.constant([0, 0, 384], "int64"))


def linear(graph: Graph, weights: Weights, x: str, layer: str) -> str:
    product = graph.add("MatMul", x, graph.int8(weights[f"{layer}.weight"]))
    return graph.add("Add", product, graph.constant(weights[f"{layer}.bias"]))


def normalise(graph: Graph, weights: Weights, x: str, layer: str) -> str:
    gain, bias = (graph.constant(weights[f"{layer}.{part}"]) for part in ("weight", "bias"))
    return graph.add("LayerNormalization", x, gain, bias, axis=-1, epsilon=1e-12)


def gelu(graph: Graph, x: str) -> str:
    """x * (1 + erf(x / √2)) / 2"""
    bell = graph.add("Erf", graph.add("Div", x, graph.constant(np.sqrt(2))))
    raised = graph.add("Mul", x, graph.add("Add", bell, graph.constant(1)))
    return graph.add("Mul", raised, graph.constant(0.5))


def pool(graph: Graph, x: str, mask: str) -> str:
    """Mean over the tokens that are text: (B, S, 384) -> (B, 384)."""
    open_tokens = graph.add("Unsqueeze", mask, graph.constant([2], "int64"))  # (B, S, 1)
    axis = graph.constant([1], "int64")
    total = graph.add("ReduceSum", graph.add("Mul", x, open_tokens), axis, keepdims=0)
    return graph.add("Div", total, graph.add("ReduceSum", open_tokens, axis, keepdims=0))
