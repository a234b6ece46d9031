"""What every drawing takes: inks, palettes, fonts, smooth random surfaces."""

from __future__ import annotations

import math
from functools import cache
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageFont

Rng = np.random.Generator
Colour = tuple[int, int, int]

INK: Colour = (38, 34, 40)
PALETTES = [
    ["#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51"],
    ["#0d3b66", "#faf0ca", "#f4d35e", "#ee964b", "#f95738"],
    ["#335c67", "#fff3b0", "#e09f3e", "#9e2a2b", "#540b0e"],
    ["#606c38", "#283618", "#fefae0", "#dda15e", "#bc6c25"],
    ["#3d348b", "#7678ed", "#f7b801", "#f18701", "#f35b04"],
]


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font that comes with matplotlib."""
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)


def waves(rng: Rng, h: int, w: int, n_waves: int = 24) -> np.ndarray:
    """A smooth random surface (H, W)."""
    y, x = np.mgrid[0:h, 0:w] / max(h, w)
    surface = np.zeros((h, w))
    for _ in range(n_waves):
        fx, fy = rng.normal(0, 4, 2)
        surface += np.sin(2 * math.pi * (fx * x + fy * y + rng.random())) / (1 + math.hypot(fx, fy))
    return surface


def picture_of(figure: Figure) -> Image.Image:
    png = BytesIO()
    figure.savefig(png, format="png")
    return Image.open(png).convert("RGB")
