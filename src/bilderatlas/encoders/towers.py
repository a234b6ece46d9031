"""One ONNX file, opened: named arrays in, one named array out. Owns onnxruntime."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.errors import EncoderNotFound

Arrays = Mapping[str, NDArray[Any]]
Shape = list[int | str | None]  # not a number where a dimension is free

# Rows a run. EfficientNet-Lite2 on two threads: 15.5 ms a picture one by one, 11.4 by four,
# 11.6 by eight, while the memory that a session keeps grows by 20 MB a row.
CHUNK = 4

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


class Tower:
    """Half of an encoder, loaded. May be run from several threads at once."""

    def __init__(self, path: Path, *, n_threads: int | None = None) -> None:
        """`n_threads`: how many one run may use; None: one a core."""
        self.path = path
        self._session = _open_session(path, n_threads or 0)
        self.inputs: dict[str, Shape] = {
            node.name: node.shape for node in self._session.get_inputs()
        }
        self.outputs: dict[str, Shape] = {
            node.name: node.shape for node in self._session.get_outputs()
        }
        n_fixed = next(iter(self.inputs.values()))[0]  # some exports take one row only
        self._chunk = n_fixed if isinstance(n_fixed, int) else CHUNK
        self._dtypes = {node.name: DTYPES[node.type] for node in self._session.get_inputs()}

    def run(self, feeds: Arrays, *outputs: str) -> list[NDArray[np.float32]]:
        """The named outputs for N ≥ 1 rows, computed a few rows at a time."""
        n_rows = len(next(iter(feeds.values())))
        typed = {name: rows.astype(self._dtypes[name], copy=False) for name, rows in feeds.items()}
        chunks = [
            self._session.run(
                outputs, {name: rows[start : start + self._chunk] for name, rows in typed.items()}
            )
            for start in range(0, n_rows, self._chunk)
        ]
        return [np.concatenate(parts).astype(np.float32) for parts in zip(*chunks, strict=True)]


def _open_session(path: Path, n_threads: int) -> Any:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    # Idle threads that spin would take the cores from those that read pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors: what it warns of is no use to a user
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except (refusals.InvalidProtobuf, refusals.InvalidGraph, refusals.Fail) as error:
        raise EncoderNotFound(
            f"{path} is not a model that ONNX Runtime can open ({error}). Download it again; "
            "a file of some hundred bytes is a Git LFS pointer, not the weights."
        ) from error


def check_device(device: str) -> str:
    """What will run the model. Raises EncoderNotFound for a device that is not there."""
    if device in ("auto", "cpu"):
        return "cpu"
    raise EncoderNotFound(
        f"No encoder can run on device {device!r} here; there is 'cpu'. Use device 'cpu' or 'auto'."
    )


def hash_files(paths: Iterable[Path]) -> str:
    """BLAKE2b-128 over the files of a model, one after another, hex."""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
