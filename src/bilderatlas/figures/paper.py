"""The warm paper that figures are drawn on: its colours and its type."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageFont

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Twelve colours that differ in hue and lightness; clusters take them in turn, noise is grey.
PALETTE = (
    "#c8553d", "#4f8fb8", "#d9a441", "#6b9a58", "#9a6fb0", "#3f9e95",
    "#d97f9f", "#8c7a4f", "#5f6fc4", "#e0804a", "#7fb069", "#b0543f",
)  # fmt: skip
GREY = "#b9b1a5"
PAPER, MOUNT, LINE, INK, QUIET = "#f4efe5", "#fdfbf6", "#ddd3c3", "#27221c", "#6b6256"
ACCENT = "#8c3c1f"
UNKNOWN = "\N{WHITE SQUARE}"  # a letter that no font here has
PRINT_DPI = 150


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font that comes with matplotlib."""
    from matplotlib import get_data_path

    return ImageFont.truetype(Path(get_data_path(), "fonts", "ttf", name), size)


def one_line(text: str) -> str:
    """One line; file names that are no Unicode show a question mark."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def not_a_formula(text: str) -> str:
    """One line in which matplotlib reads no formulas; what its fonts lack is a square.

    It would draw one too, and warn of every letter.
    """
    known = _known_letters()
    letters = (letter if ord(letter) in known else UNKNOWN for letter in one_line(text))
    return "".join(letters).replace("$", r"\$")


@cache
def _known_letters() -> frozenset[int]:
    """The letters that both fonts have."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    folder = Path(get_data_path(), "fonts", "ttf")
    sans, serif = (FT2Font(folder / name) for name in ("DejaVuSans.ttf", "DejaVuSerif.ttf"))
    return frozenset(sans.get_charmap().keys() & serif.get_charmap().keys())


def elide(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """Take as much out of the middle as makes the text fit into `width` pixels."""
    if font.getlength(text) <= width:
        return text
    for n_kept in range(min(len(text) - 1, int(width)), 1, -1):
        short = f"{text[: (n_kept + 1) // 2]}…{text[-(n_kept // 2) :]}"
        if font.getlength(short) <= width:
            return short
    return "…"


def to_png(figure: Image.Image | Figure) -> bytes:
    """A picture or a drawing as a PNG file."""
    png = BytesIO()
    if isinstance(figure, Image.Image):
        figure.save(png, "PNG")
    else:
        figure.savefig(png, format="png", dpi=PRINT_DPI)
    return png.getvalue()
