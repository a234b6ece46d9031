"""Coordinates -> scatters."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bilderatlas.analysis.colouring import RAMP, Colouring
from bilderatlas.arrays import Coordinates
from bilderatlas.figures.paper import GREY, INK, PALETTE, PAPER, not_a_formula

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_PICTURES = 120  # on a map, at most

_N_NAMED = 20  # labels with their names on a map or in its legend
_N_VECTORS = 5_000  # points; more are drawn as pixels in a PDF or SVG
_PICTURE_SIDE = 0.055  # of the map's longer side
_PICTURE_PIXELS = 120


def scatter(
    coordinates: Coordinates,
    colouring: Colouring,
    *,
    title: str | None = None,
    pictures: Mapping[int, bytes] | None = None,
) -> Figure:
    """Draw a map (N, 2) or (N, 3) in colours, what is grey behind.

    The names of the largest clusters are written where they lie, those of other labels in a
    legend. `pictures` (number of a point -> JPEG) stand on a flat map, framed in their colour.
    """
    from matplotlib.figure import Figure

    dims = coordinates.shape[1]
    figure = Figure(figsize=(10, _height(coordinates)), facecolor=PAPER, layout="constrained")
    axes: Any = figure.add_subplot(projection="3d" if dims == 3 else None, facecolor=PAPER)
    colours = _colours(colouring)
    size = float(np.clip(15_000 / max(len(coordinates), 1), 2, 60))  # square points
    for part, opacity in ((colouring.labels < 0, 0.6), (colouring.labels >= 0, 0.85)):
        axes.scatter(
            *coordinates[part].T,
            c=colours[part],
            s=size,
            alpha=opacity,
            linewidths=0,
            rasterized=len(coordinates) > _N_VECTORS,
        )
    _mount(axes, coordinates, colours, pictures or {})
    if colouring.is_of_clusters and not pictures:
        _write_names(axes, coordinates, colouring)
    else:
        _explain(figure, colouring)
    if title:
        about = not_a_formula(title)
        figure.suptitle(about, x=0.02, ha="left", color=INK, fontfamily="serif", fontsize=13)
    _frame(axes, dims)
    return figure


def apart(coordinates: Coordinates, n: int, *, seed: int = 0) -> list[int]:
    """The numbers of up to n points (N, 2) with room around each for a picture, drawn at random."""
    room = _PICTURE_SIDE * max(float(np.ptp(coordinates, axis=0).max(initial=0)), 1e-9)
    chosen: list[int] = []
    for i in np.random.default_rng(seed).permutation(len(coordinates)).tolist():
        away = np.abs(coordinates[chosen] - coordinates[i]).max(axis=1)
        if len(chosen) < n and (away > room).all():
            chosen.append(i)
    return chosen


def _height(coordinates: Coordinates) -> float:
    """Of a figure 10 inches wide: that of a flat map, within reason."""
    if coordinates.shape[1] == 3 or not len(coordinates):
        return 8
    width, height = np.ptp(coordinates, axis=0)
    return float(np.clip(8.5 * height / max(width, 1e-9) + 0.8, 5, 11))


def _colours(colouring: Colouring) -> NDArray[np.str_]:
    palette = RAMP if colouring.is_ramp else PALETTE
    labels = colouring.labels
    return np.array([*palette, GREY])[np.where(labels < 0, len(palette), labels % len(palette))]


def _mount(
    axes: Any, coordinates: Coordinates, colours: NDArray[np.str_], pictures: Mapping[int, bytes]
) -> None:
    """Put pictures on their points, each as large as its room."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    for i, jpeg in pictures.items():
        picture = Image.open(BytesIO(jpeg)).convert("RGB")
        picture.thumbnail((_PICTURE_PIXELS, _PICTURE_PIXELS), Image.Resampling.LANCZOS)
        drawn = OffsetImage(np.asarray(picture), zoom=28 / _PICTURE_PIXELS * 100 / 72)
        frame = {"edgecolor": colours[i], "linewidth": 1.2, "facecolor": colours[i]}
        box = AnnotationBbox(drawn, coordinates[i], pad=0.06, bboxprops=frame, zorder=3)
        axes.add_artist(box)


def _frame(axes: Any, dims: int) -> None:
    axes.set_axis_off()
    if dims == 2:
        axes.set_aspect("equal")
        axes.margins(0.05)
        return
    limits = axes.get_xlim(), axes.get_ylim(), axes.get_zlim()
    axes.set_box_aspect(np.ptp(limits, axis=1), zoom=1.4)  # else half of the page is empty


def _explain(figure: Any, colouring: Colouring) -> None:
    """A legend beside the map: the first labels, and how many more there are."""
    from matplotlib.lines import Line2D

    palette = RAMP if colouring.is_ramp else PALETTE
    entries = colouring.legend[:_N_NAMED]
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            color=GREY if entry.label < 0 else palette[entry.label % len(palette)],
            label=f"{not_a_formula(entry.name)[:40]}  {entry.size:,}",
        )
        for entry in entries
    ]
    n_more = len(colouring.legend) - len(entries)
    if n_more:
        handles.append(Line2D([], [], linestyle="", label=f"and {n_more:,} more"))
    figure.legend(
        handles=handles,
        title=not_a_formula(colouring.title),
        loc="outside right center",
        frameon=False,
        labelcolor=INK,
    )


def _write_names(axes: Any, coordinates: Coordinates, colouring: Colouring) -> None:
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground=PAPER)]
    named = [entry for entry in colouring.legend if entry.label >= 0][:_N_NAMED]
    for entry in named:
        middle = np.median(coordinates[colouring.labels == entry.label], axis=0)  # (dims,)
        name = not_a_formula(entry.name)
        axes.text(*middle, name, color=INK, ha="center", va="center", path_effects=halo)
