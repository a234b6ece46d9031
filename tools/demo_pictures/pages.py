"""Pages as a scanner sees them: letters, forms, tables, newspapers, crosswords."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from demo_pictures.materials import INK, Colour, Rng, font
from demo_pictures.scenes import landscape

PAGE = 800, 1100  # pixels
BLUE_INK: Colour = (38, 52, 120)
RED: Colour = (150, 44, 36)
PAPERS: list[Colour] = [(250, 247, 238), (243, 235, 214), (236, 226, 200), (252, 252, 250)]
SENTENCES = [
    "The committee met on the third of May in the reading room of the old library.",
    "Nobody could say how many boxes had been carried down to the cellar before the flood.",
    "We thank you for your letter and for the eleven photographs that came with it.",
    "The river rose by two metres in a single night and took the wooden bridge with it.",
    "Please find enclosed the list of members who have paid their contribution.",
    "A collection of this size has never been put in order by hand.",
    "The painter lived for nine years in the house behind the harbour.",
    "All the maps of the northern district were drawn again after the survey.",
    "It was decided to print four hundred copies and to send them to the schools.",
    "The orchestra will play in the open air if the weather allows it.",
    "Prices for coal and flour went up again, and the market closed at noon.",
    "My grandmother kept every ticket, every menu and every postcard in one drawer.",
    "The new tram line connects the station with the botanical garden.",
    "On the back of the picture somebody wrote a name and a year in pencil.",
]
HEADLINES = [
    "THE DAILY LEDGER", "HARBOUR NEWS", "MORNING FERRY", "VALLEY COURIER", "EVENING LANTERN",
]  # fmt: skip


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


def letter(rng: Rng) -> Image.Image:
    page, draw = blank(rng)
    face = font(rng.choice(["cmtt10", "STIXGeneral"]), 20)
    draw.text((90, 80), "Society of Friends of the Archive", RED, font("DejaVuSerif-Bold", 24))
    draw.line((90, 118, 710, 118), RED, 2)
    draw.text((520, 150), f"{rng.integers(1, 29)} March 19{rng.integers(20, 79)}", INK, face)
    y = write(draw, "Dear Madam, dear Sir,", 90, 230, 620, face) + 14
    for _ in range(rng.integers(2, 6)):
        y = write(draw, prose(rng, rng.integers(2, 6)), 90, y, 620, face, bottom=900) + 14
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
            turn = np.cumsum(rng.uniform(0.2, 1.1, n))
            loops = height * np.sin(turn) * rng.choice([0.6, 0.7, 1.6], n, p=[0.5, 0.4, 0.1])
            xs = x + 3.2 * np.arange(n) + 5 * np.cos(turn) + slant * loops
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
