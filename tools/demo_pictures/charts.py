"""Charts, light and dark, by matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from demo_pictures.materials import PALETTES, Rng, picture_of

TITLES = ["Visitors", "Letters per year", "Rainfall, mm", "Loans by month", "Boxes opened", "Votes"]


def chart(paint: Callable[[Figure, Rng, list[str]], None]) -> Callable[[Rng], Image.Image]:
    @wraps(paint)
    def draw(rng: Rng) -> Image.Image:
        dark = rng.random() < 0.2
        figure = Figure(figsize=(7, 5), dpi=100, facecolor="#22252b" if dark else "white")
        figure.subplots_adjust(left=0.12, right=0.95, top=0.88, bottom=0.12)
        paint(figure, rng, PALETTES[rng.integers(len(PALETTES))])
        for axes in figure.axes:
            axes.set_title(rng.choice(TITLES), color="white" if dark else "black", fontsize=16)
            axes.tick_params(colors="#cccccc" if dark else "#333333")
            axes.set_facecolor(figure.get_facecolor())
            axes.spines[["top", "right"]].set_visible(False)
        return picture_of(figure)

    return draw


@chart
def bars(figure: Figure, rng: Rng, palette: list[str]) -> None:
    n, n_series = int(rng.integers(4, 9)), int(rng.integers(1, 4))
    axes = figure.add_subplot()
    for i in range(n_series):
        axes.bar(
            np.arange(n) + i * 0.8 / n_series,
            rng.uniform(2, 10, n),
            0.8 / n_series,
            color=palette[i],
        )


@chart
def lines(figure: Figure, rng: Rng, palette: list[str]) -> None:
    axes = figure.add_subplot()
    for colour in palette[: rng.integers(1, 5)]:
        axes.plot(np.cumsum(rng.normal(0.1, 1, 80)), color=colour, linewidth=2)
    axes.grid(alpha=0.3)


@chart
def pie(figure: Figure, rng: Rng, palette: list[str]) -> None:
    parts = rng.uniform(1, 5, rng.integers(3, 6))
    figure.add_subplot().pie(
        parts, colors=palette, wedgeprops={"linewidth": 2, "edgecolor": "white"}
    )


@chart
def points(figure: Figure, rng: Rng, palette: list[str]) -> None:
    axes = figure.add_subplot()
    for colour in palette[: rng.integers(2, 5)]:
        x, y = rng.normal(rng.uniform(-4, 4, (2, 1)), 1, (2, 60))
        axes.scatter(x, y, color=colour, alpha=0.7)
