"""Curves over k and over eps -> one figure that shows why each was recommended."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from bilderatlas.figures.paper import GREY, INK, LINE, MOUNT, PALETTE, PAPER, QUIET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bilderatlas.analysis.clustering.eps_advice import EpsAdvice, EpsCurves
    from bilderatlas.analysis.clustering.k_advice import KAdvice, KCurves

_RED, _BLUE, _YELLOW, _GREEN = PALETTE[:4]
_N_LETTERS = 165  # of a reason in a line


def advice(
    k_curves: KCurves, k_advice: KAdvice, eps_curves: EpsCurves, eps_advice: EpsAdvice
) -> Figure:
    """Draw four curves over k and two over eps; what was recommended is the red line in each."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 9.2), facecolor=PAPER)
    panels: Any = figure.subplots(2, 3)
    figure.subplots_adjust(left=0.05, right=0.95, top=0.85, bottom=0.18, wspace=0.42, hspace=0.36)
    for axes in panels.flat:
        _prepare(axes)
    _compactness(panels[0, 0], k_curves, k_advice)
    _silhouette(panels[0, 1], k_curves, k_advice)
    _gap(panels[0, 2], k_curves, k_advice)
    _stability(panels[1, 0], k_curves, k_advice)
    _distances(panels[1, 1], eps_curves, eps_advice)
    _neighborhoods(panels[1, 2], eps_curves, eps_advice)
    title = "How many clusters, and how far to reach"
    figure.text(0.05, 0.975, title, fontsize=20, color=INK, va="top", fontfamily="DejaVu Serif")
    about = (
        f"k-means measured on {k_curves.n_rows:,} items, DBSCAN (min_samples "
        f"{eps_curves.min_samples}) on {eps_curves.n_rows:,}; the red lines are what is recommended"
    )
    figure.text(0.05, 0.925, about, fontsize=10, color=QUIET, va="top")
    reasons = f"{fill(k_advice.reason, _N_LETTERS)}\n{fill(eps_advice.reason, _N_LETTERS)}"
    figure.text(0.05, 0.115, reasons, fontsize=10, color=INK, va="top", linespacing=1.5)
    return figure


def _prepare(axes: Any) -> None:
    axes.set_facecolor(MOUNT)
    axes.grid(color=LINE, linewidth=0.6)
    axes.tick_params(colors=QUIET, labelsize=9)
    for side in axes.spines.values():
        side.set_color(LINE)


def _name(axes: Any, title: str, x: str, y: str) -> None:
    axes.set_title(title, color=INK, fontsize=11, loc="left")
    axes.set_xlabel(x, color=QUIET, fontsize=9)
    axes.set_ylabel(y, color=QUIET, fontsize=9)


def _legend(axes: Any, *others: Any) -> None:
    """One legend for the panel and the second scales that lie on it."""
    drawn = [one for each in (axes, *others) for one in each.get_legend_handles_labels()[0]]
    if drawn:
        axes.legend(handles=drawn, fontsize=8, facecolor=MOUNT, edgecolor=LINE, loc="best")


def _second_scale(axes: Any, label: str) -> Any:
    other = axes.twinx()
    other.set_ylabel(label, color=QUIET, fontsize=9)
    other.tick_params(colors=QUIET, labelsize=9)
    other.spines[:].set_color(LINE)
    return other


def _recommended(axes: Any, x: float) -> None:
    axes.axvline(x, color=_RED, linewidth=2, alpha=0.8, zorder=1.5)


def _knee(axes: Any, x: float | None, what: str, colour: str) -> None:
    if x is not None:
        axes.axvline(x, color=colour, linewidth=1.6, linestyle=":", label=f"knee of {what}")


def _compactness(axes: Any, curves: KCurves, advised: KAdvice) -> None:
    other = _second_scale(axes, "distortion (mean distance)")
    axes.plot(curves.k, curves.inertia, color=_BLUE, marker=".", label="inertia")
    axes.plot(curves.k, curves.reference_inertia, color=GREY, label="inertia without clusters")
    other.plot(curves.k, curves.distortion, color=_YELLOW, marker=".", label="distortion")
    _knee(axes, advised.inertia_knee, "inertia", _BLUE)
    _knee(axes, advised.distortion_knee, "distortion", _YELLOW)
    _recommended(axes, advised.k)
    has_knee = advised.inertia_knee or advised.distortion_knee
    title = "Elbow" if has_knee else "Elbow: there is no knee"
    _name(axes, title, "k", "inertia (sum of squared distances)")
    _legend(axes, other)


def _silhouette(axes: Any, curves: KCurves, advised: KAdvice) -> None:
    axes.plot(curves.k, curves.silhouette, color=_BLUE, marker=".")
    _recommended(axes, advised.k)
    best = f", highest at {advised.best_silhouette}" if advised.best_silhouette else ""
    _name(axes, f"Silhouette{best}", "k", "mean silhouette")


def _gap(axes: Any, curves: KCurves, advised: KAdvice) -> None:
    low, high = curves.gap - curves.gap_error, curves.gap + curves.gap_error
    axes.fill_between(curves.k, low, high, color=_BLUE, alpha=0.25, linewidth=0)
    axes.plot(curves.k, curves.gap, color=_BLUE, marker=".")
    _knee(axes, advised.gap_knee, "the gap", _BLUE)
    _recommended(axes, advised.k)
    first = f"first enough at {advised.gap_first}" if advised.gap_first else "it keeps rising"
    _name(axes, f"Gap statistic: {first}", "k", "gap ± standard error")
    _legend(axes)


def _stability(axes: Any, curves: KCurves, advised: KAdvice) -> None:
    if curves.stability is not None:
        axes.plot(curves.k, curves.stability, color=_BLUE, marker=".")
    _recommended(axes, advised.k)
    axes.set_ylim(0, 1.02)
    _name(axes, "Stability of subsamples", "k", "adjusted Rand index")


def _distances(axes: Any, curves: EpsCurves, advised: EpsAdvice) -> None:
    share = np.linspace(0, 1, len(curves.distances))
    axes.plot(share, curves.distances, color=_BLUE)
    if advised.knee is not None:
        axes.axhline(advised.knee, color=_BLUE, linewidth=1.6, linestyle=":", label="knee")
    axes.axhline(advised.eps, color=_RED, linewidth=2, alpha=0.8, zorder=1.5)
    title = "k-distance" if advised.knee is not None else "k-distance: there is no knee"
    neighbor = f"neighbor {curves.min_samples - 1}" if curves.min_samples > 1 else "itself"
    _name(axes, title, "share of the items", f"cosine distance to {neighbor}")
    _legend(axes)


def _neighborhoods(axes: Any, curves: EpsCurves, advised: EpsAdvice) -> None:
    other = _second_scale(axes, "clusters")
    other.step(curves.eps, curves.n_clusters, color=QUIET, where="post", label="clusters")
    lines = {
        "noise": (curves.noise, GREY),
        "largest cluster": (curves.largest, _YELLOW),
        "pairs set apart": (curves.separation, _GREEN),
    }
    for name, (values, colour) in lines.items():
        axes.step(curves.eps, values, color=colour, where="post", label=name)
    for i, cliff in enumerate(curves.cliffs):
        label = "cliff" if i == 0 else None
        axes.axvline(cliff.eps, color=INK, linewidth=1, linestyle=":", label=label)
    _recommended(axes, advised.eps)
    axes.set_ylim(0, 1.02)
    _name(axes, "DBSCAN over eps", "eps", "share")
    _legend(axes, other)
