"""Pictures -> contact sheets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw

from bilderatlas.figures.paper import ACCENT, INK, LINE, MOUNT, PAPER, QUIET, elide, font, one_line

_MARGIN, _GAP, _MOUNTING = 28, 20, 6  # pixels
_SIDE = 220  # of the square that a picture is fitted into
_CAPTION_SIZE, _TITLE_SIZE = 14, 26


def contact_sheet(
    jpegs: Sequence[bytes],
    captions: Sequence[str],
    *,
    columns: int | None = None,
    title: str | None = None,
    n_marked: int = 0,
) -> Image.Image:
    """Mount pictures in rows, each above its caption. A caption too long loses its middle.

    The first `n_marked` have a frame of the accent colour: what the others are compared with.
    """
    columns = columns or _columns(len(jpegs))
    n_rows = math.ceil(len(jpegs) / columns)
    cell = _SIDE + 2 * _MOUNTING
    step_x, step_y = cell + _GAP, cell + _CAPTION_SIZE + 10 + _GAP
    top = _MARGIN + (_TITLE_SIZE + _GAP if title else 0)
    size = (2 * _MARGIN + columns * step_x - _GAP, top + n_rows * step_y + _MARGIN - _GAP)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        serif = font("DejaVuSerif.ttf", _TITLE_SIZE)
        heading = elide(one_line(title), serif, size[0] - 2 * _MARGIN)
        draw.text((_MARGIN, _MARGIN - 6), heading, INK, serif)
    sans = font("DejaVuSans.ttf", _CAPTION_SIZE)
    for i, (jpeg, caption) in enumerate(zip(jpegs, captions, strict=True)):
        x, y = _MARGIN + i % columns * step_x, top + i // columns * step_y
        _mount(sheet, jpeg, x, y, ACCENT if i < n_marked else LINE)
        short = elide(one_line(caption), sans, cell)
        draw.text((x + cell / 2, y + cell + 8), short, QUIET, sans, anchor="ma")
    return sheet


def group_sheet(
    groups: Sequence[Sequence[tuple[bytes, str]]], *, title: str | None = None
) -> Image.Image:
    """Mount groups of pictures (JPEG, caption), a row each, the first of each row marked."""
    columns = max((len(group) for group in groups), default=1)
    rows = [
        contact_sheet(
            [jpeg for jpeg, _ in group],
            [caption for _, caption in group],
            columns=columns,
            title=title if number == 0 else None,
            n_marked=1,
        )
        for number, group in enumerate(groups)
    ] or [contact_sheet([], [], columns=columns, title=title)]
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), PAPER)
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def _columns(n: int) -> int:
    """A sheet somewhat wider than high."""
    return max(1, min(n, math.ceil(math.sqrt(1.3 * n)), 10))


def smaller(jpeg: bytes, side: int) -> bytes:
    """A thumbnail with its longer side `side` pixels, as a JPEG of few bytes."""
    picture = Image.open(BytesIO(jpeg)).convert("RGB")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = BytesIO()
    picture.save(out, "JPEG", quality=70)
    return out.getvalue()


def _mount(sheet: Image.Image, jpeg: bytes, x: int, y: int, frame: str) -> None:
    """Put a picture with a thin white border into the middle of the cell at (x, y)."""
    picture = Image.open(BytesIO(jpeg)).convert("RGB")
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    left = x + _MOUNTING + (_SIDE - picture.width) // 2
    upper = y + _MOUNTING + (_SIDE - picture.height) // 2
    border = (
        left - _MOUNTING, upper - _MOUNTING,
        left + picture.width + _MOUNTING - 1, upper + picture.height + _MOUNTING - 1,
    )  # fmt: skip
    width = 1 if frame == LINE else 3
    ImageDraw.Draw(sheet).rectangle(border, fill=MOUNT, outline=frame, width=width)
    sheet.paste(picture, (left, upper))
