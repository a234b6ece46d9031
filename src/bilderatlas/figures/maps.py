"""Coordinates -> scatters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bilderatlas.arrays import ClusterLabels, Coordinates
from bilderatlas.figures.paper import GREY, INK, PALETTE, PAPER, not_a_formula

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_N_NAMED = 20  # clusters with their names on a scatter


def scatter(
    coordinates: Coordinates, labels: ClusterLabels, *, names: Mapping[int, str] | None = None
) -> Figure:
    """Draw a map (N, 2) or (N, 3), a colour a cluster, noise (-1) grey and behind.

    `names` (cluster -> name) are written where the largest clusters lie.
    """
    from matplotlib.figure import Figure

    dims = coordinates.shape[1]
    figure = Figure(figsize=(8, 8 if dims == 3 else 7), facecolor=PAPER, layout="constrained")
    axes: Any = figure.add_subplot(projection="3d" if dims == 3 else None, facecolor=PAPER)
    colours = np.array([*PALETTE, GREY])[np.where(labels < 0, len(PALETTE), labels % len(PALETTE))]
    size = float(np.clip(15_000 / max(len(labels), 1), 4, 60))  # square points
    for part, opacity in ((labels < 0, 0.6), (labels >= 0, 0.85)):
        axes.scatter(*coordinates[part].T, c=colours[part], s=size, alpha=opacity, linewidths=0)
    _write_names(axes, coordinates, labels, names or {})
    axes.set_axis_off()
    if dims == 2:
        axes.set_aspect("equal")
    else:
        limits = axes.get_xlim(), axes.get_ylim(), axes.get_zlim()
        axes.set_box_aspect(np.ptp(limits, axis=1), zoom=1.4)  # else half of the page is empty
    return figure


def _write_names(
    axes: Any, coordinates: Coordinates, labels: ClusterLabels, names: Mapping[int, str]
) -> None:
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground=PAPER)]
    for label in [label for label in sorted(names) if (labels == label).any()][:_N_NAMED]:
        middle = np.median(coordinates[labels == label], axis=0)  # (dims,)
        name = not_a_formula(names[label])
        axes.text(*middle, name, color=INK, ha="center", va="center", path_effects=halo)
