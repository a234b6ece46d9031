"""Embeddings -> coordinates on a map, 2-D or 3-D."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import Coordinates, Embeddings
from bilderatlas.errors import QueryError

METHODS = ("tsne", "pca")

_SAME = 1e-6  # rounding, not a difference between pictures
_N_DIRECTIONS = 50  # that t-SNE looks for neighbors in
_N_EXACT_NEIGHBORS = 20_000  # rows; above, neighbors are approximate (Annoy)
_N_PCA_SAMPLE = 20_000  # rows that the directions are learnt from
_N_ALONE = 1_000  # rows; below, threads cost t-SNE more than they save


def project(
    embeddings: Embeddings,
    *,
    method: str = "tsne",
    dims: int = 2,
    perplexity: float = 30,
    seed: int = 0,
) -> Coordinates:
    """Lay rows (N, D) out so that those with close embeddings lie side by side.

    Returns (N, dims), centred, the farthest point at distance 1; same seed, same map. `pca` keeps
    the directions of greatest variance, `tsne` the neighborhoods (van der Maaten and Hinton 2008,
    by openTSNE from a PCA start: Kobak and Berens 2019). `perplexity`, about how many neighbors a
    row has, is limited to a third of the others. Raises QueryError for a value that cannot be
    answered.
    """
    _check(len(embeddings), method, dims, perplexity)
    n, start = len(embeddings), _pca(embeddings, dims, seed)  # (N, dims)
    if method == "pca" or n < 5 or not start.any():  # 4 rows have no neighborhoods to keep
        return _scale(start)
    return _scale(_tsne(embeddings, start, usable_perplexity(perplexity, n), seed))


def usable_perplexity(perplexity: float, n: int) -> float:
    """The perplexity that t-SNE uses on n rows: as asked, or a third of the other rows."""
    return min(perplexity, (n - 1) / 3)


def _check(n: int, method: str, dims: int, perplexity: float) -> None:
    if method not in METHODS:
        raise QueryError(f"No projection is called {method!r}. Use {' or '.join(METHODS)}.")
    if n == 0:
        raise QueryError("There is nothing to project: 0 items. Index some pictures first.")
    if dims not in (2, 3):
        raise QueryError(f"dims is {dims}; a map has 2 or 3.")
    if not perplexity >= 1:
        raise QueryError(f"perplexity is {perplexity:g}; expected 1 or more. Try 30.")


def _pca(embeddings: Embeddings, dims: int, seed: int) -> NDArray[np.float64]:
    """The `dims` directions of greatest variance; zeros where there are fewer directions."""
    from sklearn.decomposition import PCA

    coordinates = np.zeros((len(embeddings), dims))
    if np.ptp(embeddings, axis=0).max() <= _SAME:
        return coordinates
    rows = np.random.default_rng(seed).permutation(len(embeddings))[:_N_PCA_SAMPLE]
    n_directions = min(dims, len(rows), embeddings.shape[1])
    pca = PCA(n_directions, random_state=seed).fit(embeddings[np.sort(rows)])
    coordinates[:, :n_directions] = pca.transform(embeddings)
    return coordinates


def _tsne(
    embeddings: Embeddings, start: NDArray[np.float64], perplexity: float, seed: int
) -> NDArray[np.float64]:
    from openTSNE import TSNE

    n, dims = start.shape
    n_directions = min(_N_DIRECTIONS, n, embeddings.shape[1])
    jitter = np.random.default_rng(seed).normal(0, 1e-6, start.shape)  # parts exact copies
    model = TSNE(
        n_components=dims,
        perplexity=perplexity,
        metric="cosine",
        neighbors="exact" if n <= _N_EXACT_NEIGHBORS else "annoy",
        initialization=1e-4 * start / start[:, 0].std() + jitter,
        # openTSNE's interpolation ("fft") knows 1-D and 2-D only; its Barnes-Hut tree has 3-D,
        # where a wider opening angle takes 16 s instead of 26 s for 1.3 % more divergence.
        negative_gradient_method="auto" if dims == 2 else "bh",
        theta=0.5 if dims == 2 else 0.9,
        n_jobs=-1 if n > _N_ALONE else 1,
        random_state=seed,
    )
    return np.asarray(model.fit(_pca(embeddings, n_directions, seed)))


def _scale(coordinates: NDArray[np.float64]) -> Coordinates:
    """Centre (N, dims) and bring the farthest point to distance 1, keeping the shape."""
    centred: Coordinates = (coordinates - coordinates.mean(axis=0)).astype(np.float32)
    centred /= max(np.linalg.norm(centred, axis=1).max(), _SAME)
    return centred
