"""One ONNX file, opened: named arrays in, one named array out. Owns onnxruntime."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.errors import EncoderNotFound

Arrays = Mapping[str, NDArray[Any]]
CHUNK = 8  # rows a run: on a CPU more is no faster, and activations take 15 MB a row


class Tower:
    """Half of an encoder. Runs are thread-safe."""

    def __init__(self, path: Path, *, n_threads: int | None = None) -> None:
        """`n_threads`: how many one run may use; None: as many as there are cores."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads or 0
        options.inter_op_num_threads = 1
        # Idle threads that spin would take the cores from those that read pictures.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # errors only: graph warnings mean nothing to a user
        self.path = path
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )

    @cached_property
    def inputs(self) -> dict[str, list[int | str]]:
        """Name -> shape, with names where a dimension is free."""
        return {node.name: node.shape for node in self._session.get_inputs()}

    @cached_property
    def outputs(self) -> dict[str, list[int | str]]:
        return {node.name: node.shape for node in self._session.get_outputs()}

    def run(self, feeds: Arrays, *outputs: str) -> list[NDArray[np.float32]]:
        """The named outputs for N ≥ 1 rows, computed a few rows at a time."""
        n_rows = len(next(iter(feeds.values())))
        chunks = [
            self._session.run(
                outputs, {name: rows[start : start + CHUNK] for name, rows in feeds.items()}
            )
            for start in range(0, n_rows, CHUNK)
        ]
        return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]


def check_device(device: str) -> str:
    """What will run the model. Raises EncoderNotFound for a device that is not there."""
    if device in ("auto", "cpu"):
        return "cpu"
    raise EncoderNotFound(
        f"No encoder can run on device {device!r} here; there is 'cpu'. Use device='cpu' or 'auto'."
    )


def hash_files(paths: Iterable[Path]) -> str:
    """BLAKE2b-128 over the files of a model, one after another, hex."""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
