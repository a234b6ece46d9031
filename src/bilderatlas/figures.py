"""Results -> pictures: contact sheets and scatters, on the warm paper of the web pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bilderatlas.arrays import ClusterLabels, Coordinates

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Twelve colours that differ in hue and lightness; clusters take them in turn, noise is grey.
PALETTE = (
    "#c8553d", "#4f8fb8", "#d9a441", "#6b9a58", "#9a6fb0", "#3f9e95",
    "#d97f9f", "#8c7a4f", "#5f6fc4", "#e0804a", "#7fb069", "#b0543f",
)  # fmt: skip
GREY = "#b9b1a5"

_PAPER, _MOUNT, _LINE, _INK, _QUIET = "#f4efe5", "#fdfbf6", "#ddd3c3", "#27221c", "#6b6256"
_MARGIN, _GAP, _MOUNTING = 28, 20, 6  # pixels
_SIDE = 220  # of the square that a picture is fitted into
_CAPTION_SIZE, _TITLE_SIZE = 14, 26
_N_NAMED = 20  # clusters with their names on a scatter


def contact_sheet(
    jpegs: Sequence[bytes],
    captions: Sequence[str],
    *,
    columns: int | None = None,
    title: str | None = None,
) -> Image.Image:
    """Mount pictures in rows, each above its caption. A caption too long loses its middle."""
    columns = columns or _columns(len(jpegs))
    n_rows = math.ceil(len(jpegs) / columns)
    cell = _SIDE + 2 * _MOUNTING
    step_x, step_y = cell + _GAP, cell + _CAPTION_SIZE + 10 + _GAP
    top = _MARGIN + (_TITLE_SIZE + _GAP if title else 0)
    size = (2 * _MARGIN + columns * step_x - _GAP, top + n_rows * step_y + _MARGIN - _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        font = _font("DejaVuSerif.ttf", _TITLE_SIZE)
        heading = _elide(_plain(title), font, size[0] - 2 * _MARGIN)
        draw.text((_MARGIN, _MARGIN - 6), heading, _INK, font)
    font = _font("DejaVuSans.ttf", _CAPTION_SIZE)
    for i, (jpeg, caption) in enumerate(zip(jpegs, captions, strict=True)):
        x, y = _MARGIN + i % columns * step_x, top + i // columns * step_y
        _mount(sheet, jpeg, x, y)
        short = _elide(_plain(caption), font, cell)
        draw.text((x + cell / 2, y + cell + 8), short, _QUIET, font, anchor="ma")
    return sheet


def _columns(n: int) -> int:
    """A sheet somewhat wider than high."""
    return max(1, min(n, math.ceil(math.sqrt(1.3 * n)), 10))


def _mount(sheet: Image.Image, jpeg: bytes, x: int, y: int) -> None:
    """Put a picture with a thin white border into the middle of the cell at (x, y)."""
    picture = Image.open(BytesIO(jpeg)).convert("RGB")
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    left = x + _MOUNTING + (_SIDE - picture.width) // 2
    upper = y + _MOUNTING + (_SIDE - picture.height) // 2
    border = (
        left - _MOUNTING, upper - _MOUNTING,
        left + picture.width + _MOUNTING - 1, upper + picture.height + _MOUNTING - 1,
    )  # fmt: skip
    ImageDraw.Draw(sheet).rectangle(border, fill=_MOUNT, outline=_LINE)
    sheet.paste(picture, (left, upper))


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    from matplotlib import get_data_path

    return ImageFont.truetype(Path(get_data_path(), "fonts", "ttf", name), size)


def _plain(text: str) -> str:
    """One line; file names that are no Unicode show a question mark."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _elide(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """Take as much out of the middle as makes the text fit into `width` pixels."""
    if font.getlength(text) <= width:
        return text
    for n_kept in range(min(len(text) - 1, int(width)), 1, -1):
        short = f"{text[: (n_kept + 1) // 2]}…{text[-(n_kept // 2) :]}"
        if font.getlength(short) <= width:
            return short
    return "…"


def to_png(image: Image.Image) -> bytes:
    """The picture as a PNG file."""
    png = BytesIO()
    image.save(png, "PNG")
    return png.getvalue()


def scatter(
    coordinates: Coordinates, labels: ClusterLabels, *, names: Mapping[int, str] | None = None
) -> Figure:
    """Draw a map (N, 2) or (N, 3), a colour a cluster, noise (-1) grey and behind.

    `names` (cluster -> name) are written where the largest clusters lie.
    """
    from matplotlib.figure import Figure

    dims = coordinates.shape[1]
    figure = Figure(figsize=(8, 8 if dims == 3 else 7), facecolor=_PAPER, layout="constrained")
    axes: Any = figure.add_subplot(projection="3d" if dims == 3 else None, facecolor=_PAPER)
    colours = np.array([*PALETTE, GREY])[np.where(labels < 0, len(PALETTE), labels % len(PALETTE))]
    size = float(np.clip(15_000 / max(len(labels), 1), 4, 60))  # square points
    for part, opacity in ((labels < 0, 0.6), (labels >= 0, 0.85)):
        axes.scatter(*coordinates[part].T, c=colours[part], s=size, alpha=opacity, linewidths=0)
    _write_names(axes, coordinates, labels, names or {})
    axes.set_axis_off()
    if dims == 2:
        axes.set_aspect("equal")
    else:
        limits = axes.get_xlim(), axes.get_ylim(), axes.get_zlim()
        axes.set_box_aspect(np.ptp(limits, axis=1), zoom=1.4)  # else half of the page is empty
    return figure


def _write_names(
    axes: Any, coordinates: Coordinates, labels: ClusterLabels, names: Mapping[int, str]
) -> None:
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground=_PAPER)]
    for label in [label for label in sorted(names) if (labels == label).any()][:_N_NAMED]:
        middle = np.median(coordinates[labels == label], axis=0)  # (dims,)
        name = _plain(names[label]).replace("$", r"\$")  # else matplotlib reads formulas
        axes.text(*middle, name, color=_INK, ha="center", va="center", path_effects=halo)
