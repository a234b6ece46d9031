"""Maps by UMAP. Owns umap-learn, of the extra `fast`."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.projection import directions
from bilderatlas.arrays import Embeddings
from bilderatlas.errors import MissingExtra

N_DIRECTIONS = 50  # that neighbors are looked for in

_WIDTH = 10.0  # of the first directions at the start, as umap-learn has it


def lay_out(
    embeddings: Embeddings,
    start: NDArray[np.float64],
    n_neighbors: int,
    min_dist: float,
    seed: int,
) -> NDArray[np.float64]:
    """Rows (N, D) -> (N, dims), from the first directions (N, dims) on. On one thread, for the
    same seed to give the same map."""
    rows = _turned(embeddings, embeddings, seed)
    jitter = np.random.default_rng(seed).normal(0, 1e-4, start.shape)  # parts exact copies
    wide = (start - start.min()) * (_WIDTH / np.ptp(start)) + jitter
    model = _model(len(rows), wide, n_neighbors, min_dist, seed)
    return np.asarray(_quietly(model.fit_transform, rows), np.float64)


def place(
    embeddings: Embeddings,
    onto: Embeddings,
    coordinates: NDArray[np.float64],
    n_neighbors: int,
    min_dist: float,
    seed: int,
) -> NDArray[np.float64]:
    """Rows (M, D) -> (M, dims) among `onto` (N, D) at `coordinates` (N, dims), which stay."""
    model = _model(len(onto), coordinates, n_neighbors, min_dist, seed)
    model.n_epochs = 0  # the graph and the index of neighbors alone
    _quietly(model.fit, _turned(onto, onto, seed))
    model.n_epochs = None  # as many as UMAP takes for placing
    model.embedding_ = coordinates.astype(np.float32)
    return np.asarray(_quietly(model.transform, _turned(embeddings, onto, seed)), np.float64)


def _turned(embeddings: Embeddings, of: Embeddings, seed: int) -> NDArray[np.float32]:
    """Rows (N, D) in the main directions of other rows."""
    n_directions = min(N_DIRECTIONS, *of.shape)
    return directions.main(of, n_directions, seed).of(embeddings).astype(np.float32)


def _model(n: int, start: NDArray[np.float64], n_neighbors: int, min_dist: float, seed: int) -> Any:
    return _umap().UMAP(
        n_components=start.shape[1],
        n_neighbors=min(n_neighbors, n - 1),
        min_dist=min_dist,
        metric="cosine",
        init=start.astype(np.float32),
        n_jobs=1,
        random_state=seed,
        transform_seed=seed,
    )


def is_installed() -> bool:
    """Whether umap-learn is there."""
    return find_spec("umap") is not None


def _umap() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that its other half needs Tensorflow
            import umap
    except ImportError as error:
        raise MissingExtra(
            f"Maps by umap need umap-learn, which is not installed ({error}). "
            "Install it with: pip install 'bilderatlas[fast]' (190 MB), or use tsne."
        ) from None
    return umap


def _quietly(fit: Any, rows: NDArray[np.float32]) -> Any:
    """UMAP warns of pictures without neighbors, which lie apart on the map as they should."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(rows)
