"""How far DBSCAN should reach: curves over eps, and what they recommend.

All of DBSCAN's clusterings, one for each eps, are cuts of one tree: the minimum spanning tree of
the mutual reachability distances (Campello, Moulavi and Sander 2013, section 3). So one tree of a
sample gives the exact curves at every eps at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.clustering import directions
from bilderatlas.analysis.clustering.knees import Curve, knee
from bilderatlas.arrays import Embeddings

N_FEWEST = 3  # rows that a curve is drawn of

_N_SAMPLE = 5_000  # rows of the tree; their distances take 100 MB
_N_QUERIES = 1_000  # rows whose neighbors are looked for among all others
_N_ROWS = 16_384  # compared at once
_N_POINTS = 200  # of the curves that are handed out
_CLIFF = 0.1  # of the items, that join the largest cluster at once
_N_CLIFFS = 5
_WELL = 0.5  # of the pairs set apart, below which items chain together
_LEAST = 1e-4  # eps; among copies it would be 0, which DBSCAN refuses


@dataclass(frozen=True, slots=True)
class Cliff:
    """An eps at which much of the collection falls together."""

    eps: float
    largest_before: float  # share of the items in the largest cluster
    largest_after: float


@dataclass(frozen=True, slots=True)
class EpsCurves:
    """What DBSCAN does at M values of eps, measured on `n_rows` of the rows."""

    n_rows: int
    min_samples: int
    distances: Curve  # (Q,) rising: cosine distance to the neighbor that makes a row dense
    eps: Curve  # (M,) rising
    noise: Curve  # (M,) share of the items
    n_clusters: NDArray[np.int64]  # (M,) of two items or more
    largest: Curve  # (M,) share of the items in the largest cluster
    separation: Curve  # (M,) share of the pairs whose first is in a cluster, the second elsewhere
    cliffs: tuple[Cliff, ...]


@dataclass(frozen=True, slots=True)
class EpsAdvice:
    """The eps to take, and why."""

    eps: float
    reason: str
    knee: float | None  # of the k-distance curve; None where it has none


def measure(embeddings: Embeddings, *, min_samples: int = 2, seed: int = 0) -> EpsCurves:
    """Follow DBSCAN on rows (N, D) over every eps, on 5000 of them at most.

    A sample is thinner than the whole, so its eps are too large. They are carried over at the
    same share of dense rows, which is counted for 1000 rows among all N.
    """
    chosen = directions.sample(len(embeddings), _N_SAMPLE, seed)
    rows = embeddings[chosen].astype(np.float32, copy=False)
    tree = _grow(rows, min_samples)
    history = _follow(tree)
    distances = np.sort(tree.core)
    if len(chosen) < len(embeddings):
        queries = rows[directions.sample(len(rows), _N_QUERIES, seed)]
        distances = _distances(queries, embeddings, min_samples)
        history = _carried(history, distances)
    return _curves(history, distances, len(rows), min_samples)


@dataclass(frozen=True, slots=True)
class _Tree:
    """When rows become dense (N,), and E joins of two rows; heights are cosine distances."""

    core: Curve  # (N,)
    height: Curve  # (E,)
    left: NDArray[np.intp]  # (E,)
    right: NDArray[np.intp]  # (E,)


def _grow(rows: Embeddings, min_samples: int) -> _Tree:
    between = np.maximum(1 - rows @ rows.T, 0)  # (N, N)
    np.fill_diagonal(between, 0)  # rounding leaves more; each row is the first of its neighbors
    core = np.partition(between, min_samples - 1, axis=1)[:, min_samples - 1]  # (N,)
    near, edges = _spanning_tree(between, core)
    border, dense = _borders(between, core)
    # The tree joins a row only once it is dense itself, but DBSCAN as soon as it lies beside a
    # dense one (a border point): such a row gets one edge more, which comes earlier.
    is_border = border < core
    return _Tree(
        core.astype(np.float64),
        np.concatenate([edges, border[is_border]]).astype(np.float64),
        np.concatenate([near[0], np.flatnonzero(is_border)]),
        np.concatenate([near[1], dense[is_border]]),
    )


def _spanning_tree(
    between: NDArray[np.float32], core: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Prim 1957 on mutual reachability: ends (2, N - 1) and heights (N - 1,) of the edges."""
    n = len(core)
    ends, heights = np.zeros((2, n - 1), np.intp), np.zeros(n - 1, np.float32)
    best, nearest = np.full(n, np.inf, np.float32), np.zeros(n, np.intp)
    is_outside = np.ones(n, bool)
    row = 0
    for i in range(n - 1):
        is_outside[row] = False
        reach = np.maximum(np.maximum(between[row], core), core[row])  # (N,)
        closer = reach < best
        best[closer], nearest[closer] = reach[closer], row
        row = int(np.where(is_outside, best, np.inf).argmin())
        ends[:, i], heights[i] = (nearest[row], row), best[row]
    return ends, heights


def _borders(
    between: NDArray[np.float32], core: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """(N,) from which eps on a row lies beside a dense one, and (N,) that one."""
    reach = np.maximum(between, core[np.newaxis, :])  # (N, N)
    np.fill_diagonal(reach, np.inf)
    dense = reach.argmin(axis=1)
    return reach[np.arange(len(core)), dense], dense


@dataclass(slots=True)
class _Forest:
    """The clusters so far, joined one by one, and their sums."""

    parent: list[int]
    size: list[int]  # of a root's cluster; 0 for noise
    largest: int = 0
    n_members: int = 0
    n_clusters: int = 0  # of two rows or more, as the sums below
    n_clustered: int = 0
    n_pairs: int = 0  # sum of the squared sizes

    def root(self, row: int) -> int:
        while self.parent[row] != row:
            self.parent[row] = self.parent[self.parent[row]]
            row = self.parent[row]
        return row

    def enter(self, row: int) -> None:
        self.size[row] = 1
        self.n_members += 1
        self.largest = max(self.largest, 1)

    def join(self, left: int, right: int) -> None:
        one, other = self.root(left), self.root(right)
        if one == other:
            return
        sizes = self.size[one], self.size[other]
        self.parent[other] = one
        self.size[one] = sum(sizes)
        grown = [size for size in sizes if size > 1]
        self.n_clusters += 1 - len(grown)
        self.n_clustered += sum(sizes) - sum(grown)
        self.n_pairs += sum(sizes) ** 2 - sum(size**2 for size in grown)
        self.largest = max(self.largest, self.size[one])


@dataclass(frozen=True, slots=True)
class _History:
    """The clusters from each of M heights on, up to the next."""

    eps: Curve
    is_dense: Curve  # share of the rows
    noise: Curve
    n_clusters: Curve
    largest: Curve
    separation: Curve


def _follow(tree: _Tree) -> _History:
    """Let eps grow from 0, and write down the clusters at every height where they change."""
    n = len(tree.core)
    enters = tree.core.copy()
    np.minimum.at(enters, tree.left[n - 1 :], tree.height[n - 1 :])  # `_grow` puts borders last
    rows = np.arange(n)
    height = np.concatenate([enters, tree.height])
    left, right = np.concatenate([rows, tree.left]), np.concatenate([rows, tree.right])
    order = np.argsort(height, kind="stable")  # of equals, rows enter before they join
    forest = _Forest(list(range(n)), [0] * n)
    states = np.empty((len(order), 4))
    for i, (one, other) in enumerate(zip(left[order].tolist(), right[order].tolist(), strict=True)):
        if one == other:
            forest.enter(one)
        else:
            forest.join(one, other)
        # Sum over the clusters of s (n - s) / n^2, s being their sizes.
        apart = forest.n_clustered / n - forest.n_pairs / n**2
        states[i] = 1 - forest.n_members / n, forest.n_clusters, forest.largest / n, apart
    eps = height[order]
    is_last = np.append(eps[1:] > eps[:-1], True)
    is_dense = np.searchsorted(np.sort(tree.core), eps[is_last], side="right") / n
    return _History(eps[is_last], is_dense, *states[is_last].T)


def _distances(queries: Embeddings, embeddings: Embeddings, min_samples: int) -> Curve:
    """(Q,) rising: how far from each query (Q, D) its neighbor `min_samples` is, itself the 1st."""
    best = np.full((len(queries), min_samples), -np.inf, np.float32)
    for start in range(0, len(embeddings), _N_ROWS):
        part = embeddings[start : start + _N_ROWS].astype(np.float32, copy=False)
        scores = np.hstack([best, queries @ part.T])  # (Q, min_samples + B)
        best = -np.partition(-scores, min_samples - 1, axis=1)[:, :min_samples]
    return np.sort(np.maximum(1 - best.min(axis=1), 0).astype(np.float64))


def _carried(history: _History, distances: Curve) -> _History:
    """The same clusters at the eps where as large a share of all N rows is dense."""
    return replace(history, eps=np.quantile(distances, history.is_dense))


def _curves(history: _History, distances: Curve, n_rows: int, min_samples: int) -> EpsCurves:
    m, best = len(history.eps), int(history.separation.argmax())
    # `recommend` sees these points alone, so the best and the one after it must be among them.
    some = np.linspace(0, m - 1, min(m, _N_POINTS)).round().astype(int)
    shown = np.union1d(some, [best, min(best + 1, m - 1)])
    return EpsCurves(
        n_rows,
        min_samples,
        distances,
        history.eps[shown],
        history.noise[shown],
        history.n_clusters[shown].astype(np.int64),
        history.largest[shown],
        history.separation[shown],
        _cliffs(history),
    )


def _cliffs(history: _History) -> tuple[Cliff, ...]:
    steps = np.diff(history.largest)
    highest = np.argsort(-steps, kind="stable")[:_N_CLIFFS]
    return tuple(
        Cliff(float(history.eps[i + 1]), float(history.largest[i]), float(history.largest[i + 1]))
        for i in sorted(highest.tolist())
        if steps[i] >= _CLIFF
    )


def recommend(curves: EpsCurves) -> EpsAdvice:
    """Take the eps that sets most pairs apart: most items in clusters, and no cluster with most.

    The separation is Simpson's index of diversity (1949), noise adding nothing to it. The eps lies
    in the middle between the two joins of clusters where it is highest.

    The knee of the k-distances is only reported: on clothing and COCO it lies where all is one
    cluster. Other criteria were no better on 15 sets (docs/log.md, "other ways to choose eps").
    """
    best = int(curves.separation.argmax())
    upper = curves.eps[min(best + 1, len(curves.eps) - 1)]
    eps = float(np.clip((curves.eps[best] + upper) / 2, _LEAST, 2))
    falling = curves.distances[::-1]
    place = knee(np.linspace(0, 1, len(falling)), -falling)
    bends = None if place is None else float(falling[place])
    return EpsAdvice(eps, _say(curves, best, eps, bends), bends)


def _say(curves: EpsCurves, best: int, eps: float, bends: float | None) -> str:
    knee_said = "has no knee" if bends is None else f"has its knee at {bends:.3g}"
    said = (
        f"eps = {eps:.4g}: there {curves.separation[best]:.0%} of the pairs of items are set "
        f"apart, more than at any other, in {curves.n_clusters[best]:,} clusters with "
        f"{curves.noise[best]:.0%} noise; the k-distance curve {knee_said}."
    )
    if curves.separation[best] < _WELL:
        said += " That is little: the items chain together or stay noise. Try hdbscan or kmeans."
    return said
