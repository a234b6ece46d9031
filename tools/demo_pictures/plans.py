"""Maps, floor plans and mazes."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from demo_pictures.materials import INK, Rng, font, picture_of, waves


def contour_map(rng: Rng) -> Image.Image:
    figure = Figure(figsize=(8, 6), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    heights = waves(rng, 150, 200)
    axes.contourf(heights, 14, cmap=rng.choice(["terrain", "gist_earth", "YlGn"]), alpha=0.6)
    axes.contour(heights, 28, colors="#7a5230", linewidths=0.6)
    for _ in range(rng.integers(2, 5)):
        along = np.linspace(0, 200, 60)
        axes.plot(along, 75 + np.cumsum(rng.normal(0, 3, 60)), color="#3274a1", linewidth=2.5)
    for x, y in rng.uniform((10, 10), (180, 140), (6, 2)):
        axes.plot(x, y, "o", color="#222222")
        axes.text(x + 3, y, rng.choice(["Aldham", "Birk", "Lund", "Osten", "Werder"]), fontsize=11)
    axes.set(xlim=(0, 199), ylim=(0, 149))
    axes.set_axis_off()
    return picture_of(figure)


def floor_plan(rng: Rng) -> Image.Image:
    blueprint = rng.random() < 0.5
    ground, ink = ((30, 64, 120), (220, 232, 250)) if blueprint else ((252, 251, 246), INK)
    page = Image.new("RGB", (1000, 760), ground)
    draw = ImageDraw.Draw(page)

    def divide(x0: int, y0: int, x1: int, y1: int) -> None:
        draw.rectangle((x0, y0, x1, y1), outline=ink, width=6)
        wide = x1 - x0 > y1 - y0
        length = x1 - x0 if wide else y1 - y0
        if length < 260:
            name = rng.choice(["Kitchen", "Hall", "Study", "Bath", "Store"])
            middle = (x0 + x1) / 2, (y0 + y1) / 2
            draw.text(middle, name, ink, font("DejaVuSans", 18), anchor="mm")
            draw.arc((x0 - 40, y0 - 40, x0 + 50, y0 + 50), 0, 90, ink, 2)
            return
        cut = int(length * rng.uniform(0.35, 0.65))
        first, second = (
            ((x0 + cut, y1), (x0 + cut, y0)) if wide else ((x1, y0 + cut), (x0, y0 + cut))
        )
        divide(x0, y0, *first)
        divide(*second, x1, y1)

    divide(70, 70, 930, 690)
    return page


def maze(rng: Rng) -> Image.Image:
    """A perfect maze, dug by a random walk that turns back (recursive backtracking)."""
    n, side = int(rng.integers(12, 20)), 36
    page = Image.new("RGB", (n * side + 80,) * 2, "#f3ebd6")
    draw = ImageDraw.Draw(page)
    seen, way = {(0, 0)}, [(0, 0)]
    draw.rectangle((40, 40, 40 + n * side, 40 + n * side), INK)
    while way:
        x, y = way[-1]
        steps = [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
        free = [p for p in steps if p not in seen and 0 <= p[0] < n and 0 <= p[1] < n]
        if not free:
            way.pop()
            continue
        nx, ny = free[rng.integers(len(free))]
        corner = min(x, nx) * side + 46, min(y, ny) * side + 46
        far = max(x, nx) * side + 34 + side, max(y, ny) * side + 34 + side
        draw.rectangle((*corner, *far), "#f3ebd6")
        seen.add((nx, ny))
        way.append((nx, ny))
    return page
