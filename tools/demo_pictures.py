"""Pictures that the project draws itself: pages, charts, maps, clocks, landscapes, abstract art.

Every drawing is a function of a random generator, `draw(rng) -> Image`; the same seed draws the
same picture. `DRAWINGS` lists them with how many of each a demo pile holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Rng = np.random.Generator
Colour = tuple[int, int, int]

PAGE = 800, 1100
INK: Colour = (38, 34, 40)
BLUE_INK: Colour = (38, 52, 120)
RED: Colour = (150, 44, 36)
PAPERS: list[Colour] = [(250, 247, 238), (243, 235, 214), (236, 226, 200), (252, 252, 250)]
PALETTES = [
    ["#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51"],
    ["#0d3b66", "#faf0ca", "#f4d35e", "#ee964b", "#f95738"],
    ["#335c67", "#fff3b0", "#e09f3e", "#9e2a2b", "#540b0e"],
    ["#606c38", "#283618", "#fefae0", "#dda15e", "#bc6c25"],
    ["#3d348b", "#7678ed", "#f7b801", "#f18701", "#f35b04"],
]
SENTENCES = """
The committee met on the third of May in the reading room of the old library.
Nobody could say how many boxes had been carried down to the cellar before the flood.
We thank you for your letter and for the eleven photographs that came with it.
The river rose by two metres in a single night and took the wooden bridge with it.
Please find enclosed the list of members who have paid their contribution.
A collection of this size has never been put in order by hand.
The painter lived for nine years in the house behind the harbour.
All the maps of the northern district were drawn again after the survey.
It was decided to print four hundred copies and to send them to the schools.
The orchestra will play in the open air if the weather allows it.
Prices for coal and flour went up again, and the market closed at noon.
My grandmother kept every ticket, every menu and every postcard in one drawer.
The new tram line connects the station with the botanical garden.
On the back of the picture somebody wrote a name and a year in pencil.
""".split("\n")[1:-1]
HEADLINES = [
    "THE DAILY LEDGER", "HARBOUR NEWS", "MORNING POST", "VALLEY COURIER", "EVENING STANDARD",
]  # fmt: skip
TITLES = ["Visitors", "Letters per year", "Rainfall, mm", "Loans by month", "Boxes opened", "Votes"]


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font that comes with matplotlib."""
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)


def prose(rng: Rng, n_sentences: int) -> str:
    return " ".join(rng.choice(SENTENCES, n_sentences))


def wrap(text: str, face: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if face.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def write(  # noqa: PLR0913  a pen has a place, a width, a face and a colour
    draw: ImageDraw.ImageDraw, text: str, x: float, y: float, width: float,
    face: ImageFont.FreeTypeFont, colour: Colour = INK, spacing: float = 1.35, bottom: float = 1e9,
) -> float:  # fmt: skip
    """Write text into a column; returns where the next line would stand."""
    for line in wrap(text, face, width):
        if y + face.size > bottom:
            break
        draw.text((x, y), line, colour, face)
        y += face.size * spacing
    return y


def blank(rng: Rng, size: tuple[int, int] = PAGE) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("RGB", size, PAPERS[rng.integers(len(PAPERS))])
    return page, ImageDraw.Draw(page)


def scanned(page: Image.Image, rng: Rng) -> Image.Image:
    """Lay a page a little askew on the glass, with the grain and the shadow of a scanner."""
    fill = page.getpixel((2, 2))
    page = page.rotate(rng.normal(0, 0.7), Image.Resampling.BICUBIC, fillcolor=fill)
    pixels = np.asarray(page.filter(ImageFilter.GaussianBlur(0.6)), np.float32)
    h, w, _ = pixels.shape
    shadow = 1 - 0.12 * rng.random() * np.linspace(1, 0, w)[None, :, None] ** 3
    grain = rng.normal(0, 5, (h, w, 1))
    return Image.fromarray(np.clip(pixels * shadow + grain, 0, 255).astype(np.uint8))


# Pages


def letter(rng: Rng) -> Image.Image:
    page, draw = blank(rng)
    face = font(rng.choice(["cmtt10", "STIXGeneral"]), 20)
    draw.text((90, 80), "Society of Friends of the Archive", RED, font("DejaVuSerif-Bold", 24))
    draw.line((90, 118, 710, 118), RED, 2)
    draw.text((520, 150), f"{rng.integers(1, 29)} March 19{rng.integers(20, 79)}", INK, face)
    y = write(draw, "Dear Madam, dear Sir,", 90, 230, 620, face) + 14
    for _ in range(rng.integers(2, 5)):
        y = write(draw, prose(rng, rng.integers(2, 4)), 90, y, 620, face, bottom=900) + 14
    write(draw, "Yours faithfully,", 90, y + 10, 600, face)
    draw.line([(110 + 9 * i, y + 75 + 18 * rng.normal()) for i in range(18)], BLUE_INK, 3, "curve")
    return scanned(page, rng)


def handwriting(rng: Rng) -> Image.Image:
    """Loops along ruled lines: writing that nobody can read."""
    page, draw = blank(rng)
    ink = [INK, BLUE_INK, RED][rng.integers(3)]
    slant, height = rng.uniform(0.2, 0.6), rng.uniform(9, 14)
    for y in range(110, 1020, 44):
        draw.line((60, y + 10, 740, y + 10), (196, 204, 214), 1)
        x = 70.0
        while x < 660 and rng.random() > 0.03:
            n = int(rng.integers(18, 60))
            t = np.arange(n) / 3.0
            loops = height * np.sin(t * 1.9) * rng.uniform(0.5, 1.5, n)
            xs = x + 3.2 * np.arange(n) + 4 * np.cos(t * 1.9) + slant * loops
            draw.line(list(zip(xs, y - loops, strict=True)), ink, 2, "curve")
            x += 3.2 * n + 22
    return scanned(page, rng)


def form(rng: Rng) -> Image.Image:
    page, draw = blank(rng)
    draw.rectangle((60, 60, 740, 130), outline=INK, width=3)
    draw.text(
        (80, 78), f"FORM {rng.integers(10, 99)}-B  APPLICATION", INK, font("DejaVuSans-Bold", 28)
    )
    names = [
        "Name",
        "Born",
        "Street",
        "Town",
        "Profession",
        "Date",
        "Reason",
        "Number",
        "Signature",
    ]
    for i, name in enumerate(names):
        y = 170 + i * 84
        draw.rectangle((60, y, 740, y + 64), outline=INK, width=2)
        draw.text((70, y + 6), name, INK, font("DejaVuSans", 14))
        if rng.random() < 0.8:
            answer = " ".join(prose(rng, 1).split()[: rng.integers(1, 5)])
            draw.text((190, y + 22), answer, BLUE_INK, font("DejaVuSerif-Italic", 26))
    for i in range(6):
        x = 60 + i * 115
        draw.rectangle((x, 960, x + 26, 986), outline=INK, width=2)
        if rng.random() < 0.5:
            draw.line((x + 3, 963, x + 23, 983), BLUE_INK, 4)
            draw.line((x + 23, 963, x + 3, 983), BLUE_INK, 4)
    draw.ellipse((560, 880, 720, 1040), outline=RED, width=6)
    draw.text((640, 960), "RECEIVED", RED, font("DejaVuSans-Bold", 22), anchor="mm")
    return scanned(page, rng)


def ledger(rng: Rng) -> Image.Image:
    """A table of sums."""
    page, draw = blank(rng)
    face, n_columns = font("cmtt10", 20), int(rng.integers(4, 7))
    edges = np.linspace(60, 740, n_columns + 1)
    draw.text((60, 50), f"Account for 19{rng.integers(20, 79)}", INK, font("DejaVuSerif-Bold", 28))
    for row, y in enumerate(range(110, 1040, 36)):
        draw.line((60, y, 740, y), (120, 120, 130), 2 if row < 2 else 1)
        for column, right in enumerate(edges[1:]):
            text = f"Col. {column + 1}" if row == 0 else f"{rng.integers(3, 99_999):,}"
            draw.text((right - 10, y + 7), text, INK, face, anchor="ra")
    for x in edges:
        draw.line((x, 110, x, 1040), (120, 120, 130), 2)
    return scanned(page, rng)


def newspaper(rng: Rng) -> Image.Image:
    page, draw = blank(rng)
    draw.text((400, 62), rng.choice(HEADLINES), INK, font("DejaVuSerif-Bold", 54), anchor="mm")
    draw.line((40, 104, 760, 104), INK, 4)
    draw.line((40, 112, 760, 112), INK, 1)
    n_columns = int(rng.integers(3, 6))
    width = 720 / n_columns
    picture_column = int(rng.integers(n_columns - 1))
    write(
        draw,
        rng.choice(SENTENCES),
        44,
        126,
        715,
        font("DejaVuSerif-Bold", 34),
        spacing=1.1,
        bottom=205,
    )
    for column in range(n_columns):
        x, y = 40 + column * width + 8, 225.0
        if column in (picture_column, picture_column + 1):
            y = 520.0
        while y < 1040:
            headline, body = font("DejaVuSerif-Bold", 17), font("STIXGeneral", 14)
            y = write(draw, rng.choice(SENTENCES), x, y, width - 16, headline, bottom=1060) + 6
            y = write(draw, prose(rng, 7), x, y, width - 16, body, spacing=1.15, bottom=1060) + 14
        if column:
            draw.line((x - 8, 225, x - 8, 1060), (120, 116, 110), 1)
    x = int(40 + picture_column * width + 8)
    photo = landscape(rng).convert("L").resize((int(2 * width) - 16, 280)).convert("RGB")
    page.paste(photo, (x, 225))
    return scanned(page, rng)


def crossword(rng: Rng) -> Image.Image:
    page, draw = blank(rng, (900, 1000))
    n, side = 15, 52
    half = rng.random((n, n)) < 0.19
    black = half | half[::-1, ::-1]  # crosswords look the same upside down
    number = 0
    for row, column in np.ndindex(n, n):
        x, y = 60 + column * side, 60 + row * side
        draw.rectangle(
            (x, y, x + side, y + side), INK if black[row, column] else (255,) * 3, INK, 2
        )
        starts = column == 0 or row == 0 or black[row, column - 1] or black[row - 1, column]
        if starts and not black[row, column]:
            number += 1
            draw.text((x + 4, y + 2), str(number), INK, font("DejaVuSans", 13))
    write(draw, f"ACROSS  {prose(rng, 3)}", 60, 870, 780, font("DejaVuSans", 16), bottom=970)
    return scanned(page, rng)


def maze(rng: Rng) -> Image.Image:
    """A perfect maze, dug by a random walk that turns back (recursive backtracking)."""
    n, side = int(rng.integers(12, 20)), 36
    page, draw = blank(rng, (n * side + 80, n * side + 80))
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
        draw.rectangle((*corner, *far), page.getpixel((2, 2)))
        seen.add((nx, ny))
        way.append((nx, ny))
    return page


# Charts


def chart(paint: Callable[[Figure, Rng, list[str]], None]) -> Callable[[Rng], Image.Image]:
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
        png = BytesIO()
        figure.savefig(png, format="png")
        return Image.open(png).convert("RGB")

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


# Maps and plans


def waves(rng: Rng, h: int, w: int, n_waves: int = 24) -> np.ndarray:
    """A smooth random surface (H, W)."""
    y, x = np.mgrid[0:h, 0:w] / max(h, w)
    surface = np.zeros((h, w))
    for _ in range(n_waves):
        fx, fy = rng.normal(0, 4, 2)
        surface += np.sin(2 * math.pi * (fx * x + fy * y + rng.random())) / (1 + math.hypot(fx, fy))
    return surface


def contour_map(rng: Rng) -> Image.Image:
    figure = Figure(figsize=(8, 6), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    heights = waves(rng, 150, 200)
    axes.contourf(heights, 14, cmap=rng.choice(["terrain", "gist_earth", "YlGn"]), alpha=0.6)
    axes.contour(heights, 28, colors="#7a5230", linewidths=0.6)
    for _ in range(rng.integers(2, 5)):
        along = np.linspace(0, 200, 60)
        axes.plot(along, 75 + np.cumsum(rng.normal(0, 3, 60)), color="#3274a1", linewidth=2.5)
    for x, y in rng.uniform(15, 135, (6, 2)):
        axes.plot(x, y, "o", color="#222222")
        axes.text(x + 3, y, rng.choice(["Aldham", "Birk", "Lund", "Osten", "Werder"]), fontsize=11)
    axes.set_axis_off()
    png = BytesIO()
    figure.savefig(png, format="png")
    return Image.open(png).convert("RGB")


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


# Clocks, landscapes, art


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
    draw.line((600, 600, *on_circle(rng.random(), 350)), RED, 6)
    draw.ellipse((575, 575, 625, 625), INK)
    return picture.resize((600, 600), Image.Resampling.LANCZOS)


def on_circle(turn: float, radius: float) -> tuple[float, float]:
    angle = 2 * math.pi * turn
    return 600 + radius * math.sin(angle), 600 - radius * math.cos(angle)


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


def marble(rng: Rng) -> Image.Image:
    """Bands of colour along a warped surface."""
    surface = waves(rng, 500, 500, 12)
    shades = np.sin(6 * surface + 3 * waves(rng, 500, 500, 12)) * 0.5 + 0.5
    colours = mpl.colors.LinearSegmentedColormap.from_list(
        "", PALETTES[rng.integers(len(PALETTES))]
    )
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


DRAWINGS: dict[Callable[[Rng], Image.Image], int] = {
    letter: 12, handwriting: 10, form: 10, ledger: 10, newspaper: 12, crossword: 8, maze: 8,
    bars: 8, lines: 8, pie: 6, points: 6, contour_map: 10, floor_plan: 8,
    clock: 8, landscape: 14, marble: 8, shapes: 8,
}  # fmt: skip
