"""Cosines between things -> heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.figures.paper import ACCENT, INK, MOUNT, PAPER, QUIET, not_a_formula

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_N_WITH_NUMBERS = 16  # in more cells numbers cannot be read
_LONGEST = 28  # letters of a name


def heat_map(
    matrix: NDArray[np.float64], names: Sequence[str], *, title: str | None = None
) -> Figure:
    """Draw cosines (M, M) as cells, the darker the more alike; NaN stays empty.

    The colours run from the least value to the largest below 1, which is a thing and itself.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    side = float(np.clip(2.5 + 0.42 * len(names), 4, 14))
    figure = Figure(figsize=(side + 1, side), facecolor=PAPER, layout="constrained")
    axes: Any = figure.add_subplot(facecolor=PAPER)
    low, high = value_range(matrix)
    colours = LinearSegmentedColormap.from_list("accent", [MOUNT, ACCENT])
    drawn = axes.imshow(matrix, cmap=colours, vmin=low, vmax=max(high, low + 1e-6))
    short = [not_a_formula(_short(name)) for name in names]
    size = float(np.clip(300 / max(len(names), 1), 5, 10))
    axes.set_xticks(range(len(names)), short, rotation=90, fontsize=size, color=INK)
    axes.set_yticks(range(len(names)), short, fontsize=size, color=INK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if len(names) <= _N_WITH_NUMBERS:
        _write_numbers(axes, matrix, (low + high) / 2)
    bar: Any = figure.colorbar(drawn, ax=axes, shrink=0.6, label="mean cosine")
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=QUIET, labelsize=8)
    if title:
        axes.set_title(not_a_formula(title), fontfamily="serif", fontsize=14, color=INK, loc="left")
    return figure


def value_range(matrix: NDArray[np.float64]) -> tuple[float, float]:
    """The least value and the largest below 1: a thing's likeness to itself says nothing."""
    telling = matrix[~np.isnan(matrix) & (matrix < 1 - 1e-6)]
    return (float(telling.min()), float(telling.max())) if len(telling) else (0.0, 1.0)


def _write_numbers(axes: Any, matrix: NDArray[np.float64], middle: float) -> None:
    for (row, column), value in np.ndenumerate(matrix):
        if not np.isnan(value):
            colour = MOUNT if value > middle else INK
            axes.text(column, row, f"{value:.2f}", color=colour, ha="center", va="center", size=7.5)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
