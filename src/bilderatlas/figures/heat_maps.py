"""Cosines between things -> heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bilderatlas.figures.paper import ACCENT, INK, MOUNT, PAPER, QUIET, not_a_formula, one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_N_WITH_NUMBERS = 16  # in more cells numbers cannot be read
_LONGEST = 20  # letters of a name
_PICTURE = 64  # pixels of a picture beside its row


def heat_map(
    matrix: NDArray[np.float64],
    names: Sequence[str],
    *,
    title: str | None = None,
    pictures: Sequence[bytes] = (),
) -> Figure:
    """Draw cosines (M, M) as cells, the darker the more alike; NaN stays empty.

    The colours run from the least value to the largest below 1, which is a thing and itself.
    `pictures` (M,) are thumbnails that stand beside the rows and below the columns.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    side = float(np.clip(2.5 + 0.42 * len(names), 4, 14))
    figure = Figure(figsize=(side + 1.6, side + 0.4), facecolor=PAPER, layout="compressed")
    axes: Any = figure.add_subplot(facecolor=PAPER)
    low, high = value_range(matrix)
    colours = LinearSegmentedColormap.from_list("accent", [MOUNT, ACCENT])
    drawn = axes.imshow(matrix, cmap=colours, vmin=low, vmax=max(high, low + 1e-6))
    _write_names(axes, names, pictures)
    if len(names) <= _N_WITH_NUMBERS:
        _write_numbers(axes, matrix, (low + high) / 2)
    bar: Any = figure.colorbar(drawn, ax=axes, shrink=0.6, label="cosine")
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=QUIET, labelsize=8)
    if title:
        heading = not_a_formula(title)
        figure.suptitle(heading, fontfamily="serif", fontsize=14, color=INK, x=0.03, ha="left")
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.15, h_pad=0.15)  # inches
    return figure


def value_range(matrix: NDArray[np.float64]) -> tuple[float, float]:
    """The least value and the largest below 1: a thing's likeness to itself says nothing."""
    telling = matrix[~np.isnan(matrix) & (matrix < 1 - 1e-6)]
    return (float(telling.min()), float(telling.max())) if len(telling) else (0.0, 1.0)


def _write_names(axes: Any, names: Sequence[str], pictures: Sequence[bytes]) -> None:
    size = float(np.clip(300 / max(len(names), 1), 5, 10))
    short = [not_a_formula(_short(name)) for name in names]
    ticks = range(len(names))
    room = 32 if pictures else 4  # points between the cells and the names
    axes.set_yticks(ticks, short, fontsize=size, color=INK)
    axes.set_xticks(ticks, [] if pictures else short, rotation=90, fontsize=size, color=INK)
    axes.tick_params(length=0, pad=room)
    axes.spines[:].set_visible(False)
    side = float(np.clip(800 / max(len(names), 1), 6, 24))  # points
    for place, jpeg in enumerate(pictures):
        _stick(axes, jpeg, side, (-0.5, place), (-room / 2 - 2, 0))
        _stick(axes, jpeg, side, (place, len(pictures) - 0.5), (0, -room / 2 - 2))


def _stick(
    axes: Any, jpeg: bytes, side: float, place: tuple[float, float], offset: tuple[float, float]
) -> None:
    """Put a picture, `side` points wide or high, beside a cell, `offset` away from its edge."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    picture = Image.open(BytesIO(jpeg)).convert("RGB")
    picture.thumbnail((_PICTURE, _PICTURE), Image.Resampling.LANCZOS)
    box = OffsetImage(np.asarray(picture), zoom=side / _PICTURE, resample=True)
    axes.add_artist(
        AnnotationBbox(box, place, offset, boxcoords="offset points", frameon=False, pad=0)
    )


def _write_numbers(axes: Any, matrix: NDArray[np.float64], middle: float) -> None:
    for (row, column), value in np.ndenumerate(matrix):
        if not np.isnan(value):
            colour = MOUNT if value > middle else INK
            axes.text(column, row, f"{value:.2f}", color=colour, ha="center", va="center", size=7.5)


def _short(name: str) -> str:
    """A long name loses its middle."""
    name = one_line(name)
    half = (_LONGEST - 1) // 2
    return name if len(name) <= _LONGEST else f"{name[:half]}…{name[-half:]}"
