"""How many clusters k-means should make: curves over k, and what they recommend."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import cancellation
from bilderatlas.analysis.clustering import centroids, directions
from bilderatlas.analysis.clustering.directions import Rows
from bilderatlas.analysis.clustering.knees import Curve, bend, knee

if TYPE_CHECKING:
    from sklearn.cluster import KMeans, MiniBatchKMeans

CANDIDATES = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 18, 22, 27, 33, 40, 50, 60, 80, 100)
_N_SAMPLE = 2_000  # silhouettes compare every row with every other
_N_CLOUDS = 5  # of the gap statistic
_N_PAIRS = 5  # of subsamples that are compared
_SUBSAMPLE = 0.8  # of the rows
_SURE = 3  # standard errors of the gap that are no accident
_SHARPER = 0.05  # bend beyond that of a cloud without groups


@dataclass(frozen=True, slots=True)
class KCurves:
    """What was measured for M numbers of clusters, on `n_rows` of the rows."""

    n_rows: int
    k: NDArray[np.int64]  # (M,) rising
    inertia: Curve  # (M,) sum of the squared distances to the centres
    distortion: Curve  # (M,) mean distance to the centre
    silhouette: Curve  # (M,) mean, -1..1
    gap: Curve  # (M,) log inertia below that of clouds without groups
    gap_error: Curve  # (M,) its standard error
    reference_inertia: Curve  # (M,) of the clouds without groups
    reference_distortion: Curve  # (M,)
    stability: Curve | None  # (M,) ARI of two subsamples' clusterings; None where not measured


@dataclass(frozen=True, slots=True)
class KAdvice:
    """The k to take, why, and what each curve says by itself. None: it says nothing."""

    k: int
    reason: str
    inertia_knee: int | None
    distortion_knee: int | None
    gap_knee: int | None
    gap_first: int | None  # by the rule of Tibshirani, Walther and Hastie
    best_silhouette: int | None
    most_stable: int | None


def sample(n: int, seed: int) -> NDArray[np.intp]:
    """The rows (<= 2000,) of n that curves are measured on."""
    return directions.sample(n, _N_SAMPLE, seed)


def measure(rows: Rows, seed: int, *, with_stability: bool = False) -> KCurves:
    """Cluster rows (N, D) with every k up to 100 and N / 2; N is at most 2000 (`sample`).

    Silhouette: Rousseeuw 1987. Gap: Tibshirani, Walther and Hastie 2001, with 5 clouds.
    Stability: the adjusted Rand index of two subsamples' clusterings on the rows that both hold
    (Ben-Hur, Elisseeff and Guyon 2002), mean of 5 pairs with different seeds.
    """
    from sklearn.metrics import pairwise_distances
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):  # for so few rows, threads cost more than they save
        clouds = _clouds(rows, seed)
        between = pairwise_distances(rows)  # (N, N)
        points = [
            point
            for k in CANDIDATES
            if k < len(rows) and k <= max(2, len(rows) // 2)
            if (point := _measure(rows, between, clouds, k, seed)) is not None
        ]
        stability = (
            [_stability(rows, point.k, seed) for point in points] if with_stability else None
        )
    columns = {
        field.name: np.array([getattr(point, field.name) for point in points])
        for field in fields(_Point)
    }
    return KCurves(
        n_rows=len(rows),
        stability=None if stability is None else np.array(stability),
        **columns,
    )


@dataclass(frozen=True, slots=True)
class _Point:
    """The curves at one k, as KCurves names them."""

    k: int
    inertia: float
    distortion: float
    silhouette: float
    gap: float
    gap_error: float
    reference_inertia: float
    reference_distortion: float


def _measure(
    rows: Rows, between: NDArray[np.float64], clouds: list[Rows], k: int, seed: int
) -> _Point | None:
    """The point at k; None where fewer than k clusters are found."""
    from sklearn.metrics import silhouette_score

    cancellation.check()
    model = centroids.fit(rows, k, seed)
    if len(np.unique(model.labels_)) < k:
        return None
    inertia, distortion = _compactness(rows, model)
    without = [_compactness(c, centroids.fit(c, k, seed, n_starts=1)) for c in clouds]
    logs = np.log([one for one, _ in without])
    return _Point(
        k,
        inertia,
        distortion,
        silhouette=float(silhouette_score(between, model.labels_, metric="precomputed")),
        gap=float(logs.mean() - np.log(inertia)),
        gap_error=float(logs.std() * np.sqrt(1 + 1 / len(logs))),
        reference_inertia=float(np.mean([one for one, _ in without])),
        reference_distortion=float(np.mean([other for _, other in without])),
    )


def _compactness(rows: Rows, model: KMeans | MiniBatchKMeans) -> tuple[float, float]:
    """Inertia and distortion; never quite 0, for the logarithm's sake."""
    to_centre = np.linalg.norm(rows - model.cluster_centers_[model.labels_], axis=1)  # (N,)
    return max(float((to_centre**2).sum()), directions.SAME), float(to_centre.mean())


def _clouds(rows: Rows, seed: int) -> list[Rows]:
    """Rows without groups: normal, as wide as the rows in each direction, on the same sphere.

    The paper's box around the rows is mostly empty where rows lie on a sphere.
    """
    rng = np.random.default_rng(seed)
    shape = (_N_CLOUDS, *rows.shape)
    drawn = rng.normal(rows.mean(axis=0), rows.std(axis=0), shape)  # (5, N, 30)
    lengths = np.linalg.norm(drawn, axis=2, keepdims=True)
    return list(drawn / np.maximum(lengths, directions.SAME))


def _stability(rows: Rows, k: int, seed: int) -> float:
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(seed)
    n_drawn = max(k, round(_SUBSAMPLE * len(rows)))
    scores = []
    for pair in range(_N_PAIRS):
        cancellation.check()
        drawn = [rng.permutation(len(rows))[:n_drawn] for _ in range(2)]
        both = np.intersect1d(drawn[0], drawn[1])
        labels = [
            centroids.fit(rows[one], k, seed + 2 * pair + i, n_starts=1).predict(rows[both])
            for i, one in enumerate(drawn)
        ]
        scores.append(adjusted_rand_score(*labels))
    return float(np.mean(scores))


def recommend(curves: KCurves) -> KAdvice:
    """Take the k whose silhouette and whose bend of the gap stand out most, counted alike.

    Of some forty rules this one came closest to the best k by hindsight on 26 labelled sets
    (docs/log.md). Where the gap is no larger than its error there are no groups, and k is 1.
    """
    ks = curves.k
    if len(ks) == 0:
        return KAdvice(1, "k = 1: too few of the items differ.", None, None, None, None, None, None)
    score = _standard(curves.silhouette) + _standard(bend(ks.astype(float), curves.gap))
    best = int(score.argmax())
    has_groups = curves.gap[best] > _SURE * curves.gap_error[best]
    inertia_knee = _elbow(ks, curves.inertia, curves.reference_inertia)
    distortion_knee = _elbow(ks, curves.distortion, curves.reference_distortion)
    knees = _say_knees(inertia_knee, distortion_knee)
    return KAdvice(
        k=int(ks[best]) if has_groups else 1,
        reason=_say_groups(curves, best, knees) if has_groups else _say_none(curves, best, knees),
        inertia_knee=inertia_knee,
        distortion_knee=distortion_knee,
        gap_knee=_at(ks, knee(ks.astype(float), curves.gap)) if has_groups else None,
        gap_first=_at(ks, _first_by_gap(curves)),
        best_silhouette=_at(ks, int(curves.silhouette.argmax())),
        most_stable=None if curves.stability is None else _at(ks, int(curves.stability.argmax())),
    )


def _standard(curve: Curve) -> Curve:
    return np.asarray((curve - curve.mean()) / max(curve.std(), directions.SAME))


def _at(ks: NDArray[np.int64], place: int | None) -> int | None:
    return None if place is None else int(ks[place])


def _elbow(ks: NDArray[np.int64], falling: Curve, reference: Curve) -> int | None:
    """The k of the knee; None where a cloud without groups bends as much: all such curves bend."""
    x = ks.astype(float)
    is_sharp = bend(x, -falling).max() - bend(x, -reference).max() > _SHARPER
    return _at(ks, knee(x, -falling)) if is_sharp else None


def _first_by_gap(curves: KCurves) -> int | None:
    """The smallest k whose gap the next one does not exceed by more than its error."""
    stops = curves.gap[:-1] >= curves.gap[1:] - curves.gap_error[1:]
    return int(stops.argmax()) if stops.any() else None


def _say_knees(inertia: int | None, distortion: int | None) -> str:
    if inertia is None and distortion is None:
        return "neither inertia nor distortion has a knee: a cloud without clusters bends as much"
    places = [f"at {k}" if k else "nowhere" for k in (inertia, distortion)]
    return f"inertia has its knee {places[0]}, distortion {places[1]}"


def _say_groups(curves: KCurves, best: int, knees: str) -> str:
    agreed = ""
    if curves.stability is not None:
        agreed = f"; subsamples agree with an ARI of {curves.stability[best]:.2f}"
    most = " It is the most that was tried." if best == len(curves.k) - 1 else ""
    return (
        f"k = {curves.k[best]}: there the silhouette ({curves.silhouette[best]:.2f}) and the bend "
        f"of the gap statistic together stand out most; {knees}{agreed}.{most}"
    )


def _say_none(curves: KCurves, best: int, knees: str) -> str:
    return (
        f"k = 1: the items form no clusters that k-means could find; even at k = {curves.k[best]} "
        f"the gap statistic is {curves.gap[best]:.3f} with an error of {curves.gap_error[best]:.3f}"
        f"; {knees}."
    )
