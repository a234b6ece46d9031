"""Landscapes, clocks and abstract art."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from PIL import Image, ImageDraw

from demo_pictures.materials import INK, PALETTES, Rng, font, waves


def landscape(rng: Rng) -> Image.Image:
    """Ridges in the haze under a low sun, over land or water."""
    h, w = 600, 900
    skies = [((40, 44, 96), (250, 160, 90)), ((96, 150, 210), (236, 240, 240)),
             ((80, 36, 84), (252, 190, 110)), ((24, 32, 70), (220, 120, 120))]  # fmt: skip
    above, below = (np.array(c, float) for c in skies[rng.integers(len(skies))])
    y, x = np.mgrid[0:h, 0:w]
    picture = above + (below - above) * np.clip(y / (0.65 * h), 0, 1)[..., None]
    sun_x, sun_y = rng.uniform(0.2, 0.8) * w, rng.uniform(0.3, 0.5) * h
    away = np.hypot(x - sun_x, y - sun_y)[..., None]
    picture += np.array([120, 90, 40]) * np.exp(-away / 90)
    picture = np.where(away < 28, (255, 244, 210), picture)
    for layer in range(4):
        ridge = 0.5 * h + 45 * layer + 55 * waves(rng, 1, w, 40)[0] / (1 + 0.3 * layer)
        tone = below * (0.62 - 0.15 * layer)
        picture = np.where((y > ridge)[..., None], tone, picture)
    if rng.random() < 0.5:
        shore = int(0.72 * h)
        water = picture[shore - (h - shore) : shore][::-1] * 0.75
        ripple = (6 * np.sin(np.arange(h - shore) ** 1.3 / 3)).astype(int)
        picture[shore:] = np.stack(
            [np.roll(row, r, 0) for row, r in zip(water, ripple, strict=True)]
        )
    return Image.fromarray(np.clip(picture + rng.normal(0, 3, (h, w, 1)), 0, 255).astype(np.uint8))


def clock(rng: Rng) -> Image.Image:
    colours = PALETTES[rng.integers(len(PALETTES))]
    picture = Image.new("RGB", (1200, 1200), colours[rng.integers(5)])
    draw = ImageDraw.Draw(picture)
    draw.ellipse((150, 150, 1050, 1050), (250, 248, 240), INK, 40)
    for hour in range(1, 13):
        x, y = on_circle(hour / 12, 355)
        draw.text((x, y), str(hour), INK, font("DejaVuSans-Bold", 84), anchor="mm")
    for minute in range(60):
        draw.line((*on_circle(minute / 60, 405), *on_circle(minute / 60, 425)), INK, 6)
    time = rng.random() * 12
    draw.line((600, 600, *on_circle(time / 12, 210)), INK, 28)
    draw.line((600, 600, *on_circle(time % 1, 320)), INK, 18)
    draw.line((600, 600, *on_circle(rng.random(), 350)), "#96302a", 6)
    draw.ellipse((575, 575, 625, 625), INK)
    return picture.resize((600, 600), Image.Resampling.LANCZOS)


def on_circle(turn: float, radius: float) -> tuple[float, float]:
    angle = 2 * math.pi * turn
    return 600 + radius * math.sin(angle), 600 - radius * math.cos(angle)


def marble(rng: Rng) -> Image.Image:
    """Bands of colour along a warped surface."""
    surface = waves(rng, 500, 500, 12)
    shades = np.sin(6 * surface + 3 * waves(rng, 500, 500, 12)) * 0.5 + 0.5
    colours = LinearSegmentedColormap.from_list("", PALETTES[rng.integers(len(PALETTES))])
    return Image.fromarray((colours(shades)[..., :3] * 255).astype(np.uint8))


def shapes(rng: Rng) -> Image.Image:
    """Discs, bars and lines, after the painters of the 1920s."""
    palette = PALETTES[rng.integers(len(PALETTES))]
    picture = Image.new("RGB", (1400, 1400), "#f2ead8")
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(14, 30)):
        x, y, r = *rng.uniform(100, 1300, 2), rng.uniform(30, 260)
        colour = palette[rng.integers(5)]
        kind = rng.integers(3)
        if kind == 0:
            draw.ellipse((x - r, y - r, x + r, y + r), colour)
        elif kind == 1:
            draw.regular_polygon((x, y, r), int(rng.integers(3, 5)), rng.uniform(0, 90), colour)
        else:
            angle = rng.uniform(0, math.pi)
            dx, dy = 2 * r * math.cos(angle), 2 * r * math.sin(angle)
            draw.line((x - dx, y - dy, x + dx, y + dy), INK, int(rng.integers(3, 24)))
    return picture.resize((700, 700), Image.Resampling.LANCZOS)
