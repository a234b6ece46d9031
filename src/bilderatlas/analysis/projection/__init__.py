"""Embeddings -> coordinates on a map, 2-D or 3-D; further embeddings -> their places on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.projection import directions, manifold, tsne
from bilderatlas.arrays import Coordinates, Embeddings
from bilderatlas.errors import QueryError

METHODS = ("tsne", "umap", "pca")
N_TO_PLACE_INTO = 5  # rows that a map of neighborhoods has at least

_SAME = 1e-6  # rounding, not a difference between pictures
_N_LAID_OUT = 200_000  # rows; of more, a sample is laid out and the rest is placed into it
_N_SAMPLE = 100_000


@dataclass(frozen=True, slots=True)
class Layout:
    """Where N rows lie on a map."""

    coordinates: Coordinates  # (N, 2) or (N, 3), centred, the farthest at distance 1
    unit: float  # the length of that distance in the method's own coordinates
    n_laid_out: int  # rows that the map was made of; the others were placed into it


def project(
    embeddings: Embeddings,
    *,
    method: str = "tsne",
    dims: int = 2,
    perplexity: float = 30,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    seed: int = 0,
) -> Layout:
    """Lay rows (N, D) out so that those with close embeddings lie side by side.

    The map is centred, its farthest point at distance 1; same seed, same map. `pca` keeps the
    directions of greatest variance, `tsne` the neighborhoods (van der Maaten and Hinton 2008, by
    openTSNE from a PCA start: Kobak and Berens 2019), `umap` them too, more loosely (McInnes,
    Healy and Melville 2018, by umap-learn from the same start). `perplexity` (tsne) is about how
    many neighbors a row has, and is limited to a third of the others; `n_neighbors` (umap) is how
    many exactly; `min_dist` (umap) how close they may lie, in 0..1.

    Above 200,000 rows, tsne and umap lay a sample of 100,000 out, and `place` the others.

    Raises QueryError for a value that cannot be answered, and for umap without its extra.
    """
    _check(len(embeddings), method, dims, perplexity, n_neighbors, min_dist)
    if method != "pca" and len(embeddings) > _N_LAID_OUT:
        return _project_sample(
            embeddings,
            method=method,
            dims=dims,
            perplexity=perplexity,
            n_neighbors=n_neighbors,
            min_dist=min_dist,
            seed=seed,
        )
    n, start = len(embeddings), directions.main(embeddings, dims, seed).of(embeddings)  # (N, dims)
    if _is_linear(method, start):
        return _scaled(start)
    if method == "umap":
        return _scaled(manifold.lay_out(embeddings, start, n_neighbors, min_dist, seed))
    return _scaled(tsne.lay_out(embeddings, start, usable_perplexity(perplexity, n), seed))


def usable_perplexity(perplexity: float, n: int) -> float:
    """The perplexity that t-SNE uses on n rows: as asked, or a third of the other rows."""
    return min(perplexity, (n - 1) / 3)


def place(
    embeddings: Embeddings,
    onto: Embeddings,
    coordinates: Coordinates,
    *,
    method: str,
    unit: float,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    seed: int = 0,
) -> Coordinates:
    """Find places (M, dims) for further rows (M, D) on a map that is there, which does not move.

    The map is what a run keeps: the rows `onto` (N, D), their `coordinates` (N, dims), the method
    and the `unit` of `Layout`; nothing else of its making is needed.

    `pca`: the map is linear, so its matrix comes back by least squares of coordinates on
    embeddings. `tsne`: each row starts at the median of its 25 nearest on the map and is drawn to
    them by t-SNE's own gradient, with a perplexity of 5 and without seeing other new rows (Policar,
    Strazar and Zupan 2023, section 2). `umap`: the graph of neighbors of the map is built anew, and
    UMAP's `transform` joins the rows to it with the coordinates held.

    Raises QueryError where fewer than 5 rows of a map by neighborhoods are left, or none of PCA's.
    """
    if not len(embeddings):
        return np.empty((0, coordinates.shape[1]), np.float32)
    n_needed = 1 if method == "pca" else N_TO_PLACE_INTO
    if len(onto) < n_needed:
        raise QueryError(
            f"Only {len(onto)} points of the map are left; placing others among them takes "
            f"{n_needed}. Make a new one: bilderatlas project COLLECTION"
        )
    if _is_linear(method, coordinates):
        return directions.placed(embeddings, onto, coordinates)
    own = coordinates.astype(np.float64) * unit
    if method == "umap":
        placed = manifold.place(embeddings, onto, own, n_neighbors, min_dist, seed)
    else:
        placed = tsne.place(embeddings, onto, own, seed)
    return (placed / unit).astype(np.float32)


def installed() -> tuple[str, ...]:
    """The methods whose libraries are there."""
    return tuple(method for method in METHODS if method != "umap" or manifold.is_installed())


def _is_linear(method: str, coordinates: NDArray[np.floating]) -> bool:
    """4 rows have no neighborhoods to keep, equal rows neither."""
    return method == "pca" or len(coordinates) < N_TO_PLACE_INTO or not coordinates.any()


def _project_sample(
    embeddings: Embeddings,
    *,
    method: str,
    dims: int,
    perplexity: float,
    n_neighbors: int,
    min_dist: float,
    seed: int,
) -> Layout:
    """Lay a sample out, and place the other rows into it."""
    is_sampled = np.zeros(len(embeddings), dtype=np.bool_)
    chosen = np.random.default_rng(seed).choice(len(embeddings), _N_SAMPLE, replace=False)
    is_sampled[chosen] = True
    sample = embeddings[is_sampled]
    made = project(
        sample,
        method=method,
        dims=dims,
        perplexity=perplexity,
        n_neighbors=n_neighbors,
        min_dist=min_dist,
        seed=seed,
    )
    coordinates = np.empty((len(embeddings), dims), np.float32)
    coordinates[is_sampled] = made.coordinates
    coordinates[~is_sampled] = place(
        embeddings[~is_sampled],
        sample,
        made.coordinates,
        method=method,
        unit=made.unit,
        n_neighbors=n_neighbors,
        min_dist=min_dist,
        seed=seed,
    )
    scaled = _scaled(coordinates * made.unit)
    return Layout(scaled.coordinates, scaled.unit, _N_SAMPLE)


def _check(
    n: int, method: str, dims: int, perplexity: float, n_neighbors: int, min_dist: float
) -> None:
    if method not in METHODS:
        raise QueryError(f"No projection is called {method!r}. Use {', '.join(METHODS)}.")
    if n == 0:
        raise QueryError("There is nothing to project: 0 items. Index some pictures first.")
    if dims not in (2, 3):
        raise QueryError(f"dims is {dims}; a map has 2 or 3.")
    if not perplexity >= 1:
        raise QueryError(f"perplexity is {perplexity:g}; expected 1 or more. Try 30.")
    if not n_neighbors >= 2:
        raise QueryError(f"n_neighbors is {n_neighbors}; expected 2 or more. Try 15.")
    if not 0 <= min_dist <= 1:
        raise QueryError(f"min_dist is {min_dist:g}; expected 0 to 1. Try 0.1.")


def _scaled(coordinates: NDArray[np.floating]) -> Layout:
    """Centre (N, dims) and bring the farthest point to distance 1, keeping the shape."""
    centred: Coordinates = (coordinates - coordinates.mean(axis=0)).astype(np.float32)
    unit = max(float(np.linalg.norm(centred, axis=1).max()), _SAME)
    return Layout(centred / np.float32(unit), unit, len(centred))
