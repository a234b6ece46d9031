"""An ONNX file, read just far enough to find what a classifier's last layer is fed.

Most exports of ResNet, ViT, DeiT and EfficientNet put out class scores. The features before the
last layer are what pictures are compared by, and they can be put out too. The `onnx` package is
not needed for that: a protobuf message is extended by appending to it.
"""

from __future__ import annotations

import mmap
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GRAPH = 7  # field numbers of onnx.proto: ModelProto
NODE, OUTPUT = 1, 12  # GraphProto
NODE_INPUT, NODE_OUTPUT, OP_TYPE = 1, 2, 4  # NodeProto
NAME = 1  # ValueInfoProto
VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5  # wire types

LAST_LAYERS = {"Gemm", "MatMul", "Conv"}
QUANTISED_LAST_LAYERS = {"MatMulInteger", "ConvInteger"}  # fed by a node that quantises


@dataclass(frozen=True, slots=True)
class Node:
    operation: str
    inputs: list[str]


def features_of(path: Path, scores: str) -> str | None:
    """The name of what the layer that makes `scores` is fed; None where no such layer is found."""
    makers = _makers(path)
    waiting = deque([scores])
    while waiting:
        node = makers.get(waiting.popleft())
        if node is None:  # an input of the graph, or weights
            continue
        if node.operation in LAST_LAYERS:
            return node.inputs[0]
        if node.operation in QUANTISED_LAST_LAYERS:
            return makers[node.inputs[0]].inputs[0]
        waiting.extend(node.inputs)
    return None


def with_output(path: Path, name: str) -> bytes:
    """The file's bytes, with one more output."""
    more = _delimited(GRAPH, _delimited(OUTPUT, _delimited(NAME, name.encode())))
    return path.read_bytes() + more


def _makers(path: Path) -> dict[str, Node]:
    """What is made -> the node that makes it."""
    makers: dict[str, Node] = {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for graph_start, graph_end in _fields(content, GRAPH, 0, len(content)):
            for start, end in _fields(content, NODE, graph_start, graph_end):
                texts = {
                    field: [content[a:b].decode() for a, b in _fields(content, field, start, end)]
                    for field in (NODE_INPUT, NODE_OUTPUT, OP_TYPE)
                }
                node = Node(texts[OP_TYPE][0], texts[NODE_INPUT])
                makers |= dict.fromkeys(texts[NODE_OUTPUT], node)
    return makers


def _fields(content: mmap.mmap, wanted: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the contents of that field lie; everything else is skipped by its length."""
    while start < end:
        key, start = _varint(content, start)
        field, wire = key >> 3, key & 7
        if wire == VARINT:
            _, start = _varint(content, start)
        elif wire == DELIMITED:
            length, start = _varint(content, start)
            if field == wanted:
                yield start, start + length
            start += length
        else:
            start += {FIXED64: 8, FIXED32: 4}[wire]


def _varint(content: mmap.mmap, start: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[start]
        start += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, start
        shift += 7


def _delimited(field: int, payload: bytes) -> bytes:
    return _as_varint(field << 3 | DELIMITED) + _as_varint(len(payload)) + payload


def _as_varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
