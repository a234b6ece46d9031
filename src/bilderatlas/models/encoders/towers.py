"""One ONNX file, opened: named arrays in, named arrays out, as many rows as memory allows."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.models.encoders.onnx_graph import with_output
from bilderatlas.models.encoders.runtimes import Arrays, Session, Shape, open_session

logger = logging.getLogger(__name__)

# Rows a run of ONNX Runtime on a processor. EfficientNet-Lite2 on two threads: 15.5 ms a picture
# one by one, 11.4 by four, 11.6 by eight, while the memory that a session keeps grows by 20 MB a
# row.
CHUNK = 4
LARGE_CHUNK = 16  # elsewhere


class Tower:
    """Half of an encoder, loaded. May be run from several threads at once."""

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        n_threads: int | None = None,
        extra_output: str | None = None,
    ) -> None:
        """`n_threads`: how many one run may use; None: one a core.

        `extra_output`: something inside the graph to put out as well.
        """
        self.path = path
        graph = with_output(path, extra_output) if extra_output else None
        self._session = open_session(path, device=device, n_threads=n_threads or 0, graph=graph)
        self.device = self._session.device
        self.inputs: dict[str, Shape] = self._session.inputs
        self.outputs: dict[str, Shape] = self._session.outputs
        n_fixed = next(iter(self.inputs.values()))[0]  # some exports take one row only
        usual = CHUNK if self.device == "cpu" else LARGE_CHUNK
        self._chunk = n_fixed if isinstance(n_fixed, int) else usual

    def run(self, feeds: Arrays, *outputs: str) -> list[NDArray[np.float32]]:
        """The named outputs for N ≥ 1 rows, computed a few rows at a time."""
        n_rows = len(next(iter(feeds.values())))
        dtypes = self._session.dtypes
        typed = {name: rows.astype(dtypes[name], copy=False) for name, rows in feeds.items()}
        chunks = [
            run_within_memory(
                self._session,
                outputs,
                {name: rows[start : start + self._chunk] for name, rows in typed.items()},
            )
            for start in range(0, n_rows, self._chunk)
        ]
        return [np.concatenate(parts).astype(np.float32) for parts in zip(*chunks, strict=True)]


def run_within_memory(
    session: Session, outputs: Sequence[str], feeds: Arrays
) -> list[NDArray[Any]]:
    """Run a batch; where memory runs out, its halves one after the other.

    Raises MemoryError when a single row is too much.
    """
    n_rows = len(next(iter(feeds.values())))
    try:
        return session.run(outputs, feeds)
    except MemoryError as error:
        if n_rows == 1:
            raise MemoryError(f"Memory is too small for one picture or text: {error}") from error
        logger.warning("Memory ran out on %d rows; going on with half as many", n_rows)
    halves = [
        run_within_memory(session, outputs, {name: rows[part] for name, rows in feeds.items()})
        for part in (slice(None, n_rows // 2), slice(n_rows // 2, None))
    ]
    return [np.concatenate(parts) for parts in zip(*halves, strict=True)]


def hash_files(paths: Iterable[Path]) -> str:
    """BLAKE2b-128 over the files of a model, one after another, hex."""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
