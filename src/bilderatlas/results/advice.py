"""What k and what eps suit a collection: the curves, the recommendations, one figure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bilderatlas.analysis.clustering import directions, eps_advice, k_advice
from bilderatlas.analysis.clustering.eps_advice import EpsAdvice, EpsCurves
from bilderatlas.analysis.clustering.k_advice import KAdvice, KCurves
from bilderatlas.arrays import Embeddings
from bilderatlas.errors import QueryError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_FEWEST = 3
_N_DISTANCES = 100  # of the k-distance curve in JSON
_PER_POINT = "k", "inertia", "distortion", "silhouette", "gap", "gap_error", "stability"
_PER_EPS = "eps", "noise", "n_clusters", "largest", "separation"


@dataclass(frozen=True, slots=True)
class Advice:
    """What k and what eps suit N regions of a kind, with all that was measured."""

    kind: str
    n_regions: int
    k: KAdvice
    k_curves: KCurves
    eps: EpsAdvice
    eps_curves: EpsCurves

    def to_dict(self) -> dict[str, Any]:
        """The recommendations, and each curve as a table: one row a k, one an eps."""
        return {
            "kind": self.kind,
            "n_regions": self.n_regions,
            "k": asdict(self.k)
            | {"n_measured": self.k_curves.n_rows, "curves": _table(self.k_curves, _PER_POINT)},
            "eps": asdict(self.eps)
            | {
                "min_samples": self.eps_curves.min_samples,
                "n_measured": self.eps_curves.n_rows,
                "curves": _table(self.eps_curves, _PER_EPS),
                "k_distances": _thinned(self.eps_curves),
                "cliffs": [asdict(cliff) for cliff in self.eps_curves.cliffs],
            },
        }

    def figure(self) -> Figure:
        """All curves, with what they recommend."""
        from bilderatlas import figures

        return figures.advice(self.k_curves, self.k, self.eps_curves, self.eps)

    def _repr_png_(self) -> bytes:
        from bilderatlas import figures

        return figures.to_png(self.figure())


def advise(
    embeddings: Embeddings, *, kind: str = "image", min_samples: int = 2, seed: int = 0
) -> Advice:
    """Measure rows (N, D); half precision will do. Raises QueryError for fewer than three.

    The time is bounded by the samples (2000 rows for k, 5000 for eps) but for one pass over all
    rows: 2000 distances each.
    """
    n = len(embeddings)
    if n < N_FEWEST:
        raise QueryError(f"There are {n} items; advice needs {N_FEWEST} or more. Add pictures.")
    if not 1 <= min_samples <= n:
        raise QueryError(f"min_samples is {min_samples}; expected 1 to {n}. Try 2.")
    rows = directions.main(embeddings, seed, only=k_advice.sample(n, seed))
    k_curves = k_advice.measure(rows, seed, with_stability=True)
    eps_curves = eps_advice.measure(embeddings, min_samples=min_samples, seed=seed)
    return Advice(
        kind,
        n,
        k_advice.recommend(k_curves),
        k_curves,
        eps_advice.recommend(eps_curves),
        eps_curves,
    )


def _table(curves: KCurves | EpsCurves, columns: tuple[str, ...]) -> list[dict[str, float]]:
    values = [getattr(curves, column).tolist() for column in columns]
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def _thinned(curves: EpsCurves) -> list[float]:
    """The k-distances of evenly spread rows, rising."""
    distances = curves.distances
    n_kept = min(len(distances), _N_DISTANCES)
    kept = np.linspace(0, len(distances) - 1, n_kept).round().astype(int)
    return [float(distance) for distance in distances[kept]]
