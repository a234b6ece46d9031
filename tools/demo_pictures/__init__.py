"""Pictures that the project draws itself.

Every drawing is a function of a random generator, `draw(rng) -> Image`; the same seed draws the
same picture. `DRAWINGS` lists them with how many of each a demo pile holds.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from demo_pictures import charts, pages, plans, scenes
from demo_pictures.materials import Rng

DRAWINGS: dict[Callable[[Rng], Image.Image], int] = {
    pages.letter: 12, pages.handwriting: 10, pages.form: 10, pages.ledger: 10,
    pages.newspaper: 12, pages.crossword: 8,
    charts.bars: 8, charts.lines: 8, charts.pie: 6, charts.points: 6,
    plans.contour_map: 10, plans.floor_plan: 8, plans.maze: 8,
    scenes.landscape: 14, scenes.clock: 8, scenes.marble: 8, scenes.shapes: 8,
}  # fmt: skip
