"""Maps by t-SNE. Owns openTSNE."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import neighbors
from bilderatlas.analysis.projection import directions
from bilderatlas.arrays import Embeddings, to_unit_length

N_DIRECTIONS = 50  # that neighbors are looked for in

_N_EXACT_NEIGHBORS = 20_000  # rows; above, neighbors are approximate (Annoy)
_N_ALONE = 1_000  # rows; below, threads cost t-SNE more than they save
_N_NEAR, _PLACED_PERPLEXITY = 25, 5.0  # openTSNE's own for placing
_N_PLACED = 100_000  # rows at once


def lay_out(
    embeddings: Embeddings, start: NDArray[np.float64], perplexity: float, seed: int
) -> NDArray[np.float64]:
    """Rows (N, D) -> (N, dims), from the first directions (N, dims) on."""
    from openTSNE import TSNE

    n, dims = start.shape
    n_directions = min(N_DIRECTIONS, n, embeddings.shape[1])
    jitter = np.random.default_rng(seed).normal(0, 1e-6, start.shape)  # parts exact copies
    model = TSNE(
        n_components=dims,
        perplexity=perplexity,
        metric="cosine",
        neighbors="exact" if n <= _N_EXACT_NEIGHBORS else "annoy",
        initialization=1e-4 * start / start[:, 0].std() + jitter,
        n_jobs=_n_jobs(n),
        random_state=seed,
        **_gradient(dims),
    )
    rows = directions.main(embeddings, n_directions, seed).of(embeddings)
    return np.asarray(model.fit(rows))


def _gradient(dims: int) -> dict[str, Any]:
    """How repulsion is computed.

    openTSNE's interpolation ("fft") knows 1-D and 2-D only; its Barnes-Hut tree has 3-D, where a
    wider opening angle takes 16 s instead of 26 s for 1.3 % more divergence.
    """
    if dims == 2:
        return {"negative_gradient_method": "auto", "theta": 0.5}
    return {"negative_gradient_method": "bh", "theta": 0.9}


def _n_jobs(n: int) -> int:
    return (os.cpu_count() or 1) if n > _N_ALONE else 1


def place(
    embeddings: Embeddings, onto: Embeddings, coordinates: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Rows (M, D) -> (M, dims) among `onto` (N, D) at `coordinates` (N, dims), which stay."""
    turned = directions.main(onto, min(N_DIRECTIONS, len(onto), embeddings.shape[1]), seed)
    affinities = _ToMap(to_unit_length(turned.of(onto)))
    placed = [
        _placed(to_unit_length(turned.of(embeddings[at : at + _N_PLACED])), affinities, coordinates)
        for at in range(0, len(embeddings), _N_PLACED)
    ]
    return np.concatenate(placed)


def _placed(
    rows: Embeddings, affinities: _ToMap, coordinates: NDArray[np.float64]
) -> NDArray[np.float64]:
    from openTSNE import TSNEEmbedding

    dims = coordinates.shape[1]
    # The map's own field of repulsion is computed once for "fft", each time anew for "bh".
    method = {"negative_gradient_method": "fft"} if dims == 2 else _gradient(dims)
    reference = TSNEEmbedding(coordinates, affinities, n_jobs=_n_jobs(len(rows)), **method)
    moved = np.asarray(reference.transform(rows, perplexity=_PLACED_PERPLEXITY, k=_N_NEAR))
    middle = (coordinates.max(axis=0) + coordinates.min(axis=0)) / 2
    uncentred: NDArray[np.float64] = moved + middle  # openTSNE centres the map that it is given
    return uncentred


class _ToMap:
    """Who is drawn to whom, from further rows to those of a map; what openTSNE asks of affinities.

    Its own would build the index and the affinities of the whole map again; this compares the new
    rows with all old ones, exactly.
    """

    def __init__(self, rows: Embeddings) -> None:
        from scipy.sparse import csr_matrix

        self.rows = rows  # (N, n_directions), of length 1
        self.P = csr_matrix((len(rows), len(rows)))  # within the map: plays no part in placing

    def to_new(
        self, data: Embeddings, perplexity: float, return_distances: bool
    ) -> tuple[Any, NDArray[np.int32], NDArray[np.float32]]:
        """Affinities (M, N), nearest rows (M, k) and their cosine distances."""
        from openTSNE.affinity import joint_probabilities_nn

        assert return_distances, "openTSNE asks for them"
        found = neighbors.nearest(data, self.rows, min(_N_NEAR, len(self.rows)))
        distances = np.maximum(0, 1 - found.scores)
        drawn = joint_probabilities_nn(
            found.rows,
            distances,
            [min(perplexity, found.rows.shape[1] / 3)],
            symmetrize=False,
            normalization="point-wise",
            n_reference_samples=len(self.rows),
            n_jobs=_n_jobs(len(data)),
        )
        return drawn, found.rows, distances
