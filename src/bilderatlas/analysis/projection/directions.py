"""The directions in which embeddings differ most (PCA), and maps that consist of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.arrays import Coordinates, Embeddings

_SAME = 1e-6  # rounding, not a difference between pictures
_N_SAMPLE = 20_000  # rows that the directions are learnt from
_N_ROWS = 65_536  # turned at once


@dataclass(frozen=True, slots=True)
class Directions:
    """Some orthogonal directions about a middle."""

    middle: NDArray[np.floating]  # (D,)
    axes: NDArray[np.floating]  # (n, D)

    def of(self, embeddings: Embeddings) -> NDArray[np.float64]:
        """Rows (N, D) in these directions -> (N, n), a few of them converted at a time."""
        coordinates = np.empty((len(embeddings), len(self.axes)))
        offset = self.middle @ self.axes.T  # (n,)
        for start in range(0, len(embeddings), _N_ROWS):
            rows = embeddings[start : start + _N_ROWS].astype(np.float32, copy=False)
            coordinates[start : start + _N_ROWS] = rows @ self.axes.T - offset
        return coordinates


def main(embeddings: Embeddings, n: int, seed: int) -> Directions:
    """The n directions of greatest variance of rows (N, D); zeros where there are fewer."""
    from sklearn.decomposition import PCA

    chosen = np.random.default_rng(seed).permutation(len(embeddings))[:_N_SAMPLE]
    rows = embeddings[np.sort(chosen)].astype(np.float32, copy=False)
    axes = np.zeros((n, embeddings.shape[1]), np.float32)
    if np.ptp(rows, axis=0).max() <= _SAME:
        return Directions(rows[0], axes)
    pca = PCA(min(n, *rows.shape), random_state=seed).fit(rows)
    axes[: len(pca.components_)] = pca.components_
    return Directions(pca.mean_, axes)


def placed(embeddings: Embeddings, onto: Embeddings, coordinates: Coordinates) -> Coordinates:
    """Rows (M, D) -> (M, dims) by the linear map that took `onto` (N, D) to its coordinates.

    Of the many matrices that fit when N < D, least squares gives the shortest, which is PCA's: its
    axes are sums of rows. At most 20,000 rows are used; any D + 1 that differ determine it.
    """
    chosen = np.random.default_rng(0).permutation(len(onto))[:_N_SAMPLE]
    rows = onto[chosen].astype(np.float64)
    middle = rows.mean(axis=0)
    values = coordinates[chosen].astype(np.float64)
    matrix = np.linalg.lstsq(rows - middle, values - values.mean(axis=0), rcond=1e-5)[0]  # (D, d)
    where: Coordinates = (embeddings @ matrix - middle @ matrix + values.mean(axis=0)).astype(
        np.float32
    )
    return where
