"""Figures as HTML and SVG that follow the page's colours: tables, heat maps, lines, histograms."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.evaluation.similarity import Matrix
from bilderatlas.figures import value_range

_WIDTH, _HEIGHT = 340, 210  # of a chart, in the units of its text
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 10, 10, 34
DASH = "\N{EN DASH}"  # where there is no figure
_N_WITH_NUMBERS = 16  # a heat map of more rows has no room for them


def escape(text: str) -> str:
    """Text for HTML; control characters, and bytes that are no Unicode, as marks."""
    sound = text.encode("utf-8", "replace").decode()
    return html.escape(
        "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in sound)
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, name: str = "") -> str:
    """Cells are HTML; all columns but the first are figures, to the right."""
    head = "".join(f"<th scope=col>{cell}</th>" for cell in heads)
    body = "".join(
        f"<tr><th scope=row>{row[0]}</th>{''.join(f'<td>{cell}</td>' for cell in row[1:])}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table class="{name}"><tr>{head}</tr>{body}</table></div>'


def number(value: float | None) -> str:
    """Three places; a dash where there is none."""
    return DASH if value is None or math.isnan(value) else f"{value:.3f}"


def heat_map(matrix: Matrix, names: Sequence[str], *, heads: Sequence[str] | None = None) -> str:
    """(M, M) cosines as coloured cells; `names` say what a cell is, `heads` (HTML) stand beside."""
    heads = heads or [escape(name) for name in names]
    low, high = value_range(matrix)
    spread = max(high - low, 1e-9)
    with_numbers = len(names) <= _N_WITH_NUMBERS

    def cell(i: int, j: int) -> str:
        value = float(matrix[i, j])
        title = f"{escape(names[i])} and {escape(names[j])}: {number(value)}"
        if math.isnan(value):
            return f'<td title="{title}">{DASH if with_numbers else ""}</td>'
        share = min(max((value - low) / spread, 0), 1)
        text = f"{value:.2f}".replace("0.", ".") if with_numbers else ""
        strong = " class=strong" if share > 0.55 else ""
        return f'<td style="--t:{share:.2f}" title="{title}"{strong}>{text}</td>'

    top = "".join(f"<th scope=col><span>{head}</span></th>" for head in heads)
    rows = "".join(
        f"<tr><th scope=row>{heads[i]}</th>{''.join(cell(i, j) for j in range(len(names)))}</tr>"
        for i in range(len(names))
    )
    size = "numbered" if with_numbers else "dense"
    return (
        f'<div class="wide"><table class="heat {size}"><tr><td></td>{top}</tr>{rows}</table></div>'
        f'<p class="scale"><span>{low:.2f}</span><i></i><span>{high:.2f}</span> mean cosine</p>'
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


def lines(
    drawn: Sequence[Line], *, x_name: str, y_name: str, top: float, mark: tuple[float, float]
) -> str:
    """Some lines over the same values of x, from 0 to `top`, with a ring around one point."""
    values = sorted({x for line in drawn for x in line.x})
    at = _scales(0, max(values[-1], 1e-9), top)
    parts = [_axes(at, values, x_name, y_name, top)]
    for number_, line in enumerate(drawn):
        points = [at(x, y) for x, y in zip(line.x, line.y, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dots = "".join(
            f'<circle cx="{px:.1f}" cy="{py:.1f}" r="2.6"><title>{escape(line.name)}, {x_name} '
            f"{x:g}: {y:g}</title></circle>"
            for (px, py), x, y in zip(points, line.x, np.round(line.y, 3).tolist(), strict=True)
        )
        parts.append(f'<g class="s{number_ % 6}"><polyline points="{path}"/>{dots}</g>')
    x, y = at(*mark)
    parts.append(f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="7"/>')
    return _svg(parts, f"{y_name} over {x_name}")


def legend(names: Sequence[str]) -> str:
    """The names of the lines, in their colours."""
    items = "".join(f'<li class="s{i % 6}">{escape(name)}</li>' for i, name in enumerate(names))
    return f'<ul class="legend">{items}</ul>'


def histograms(
    edges: NDArray[np.float64],
    shares: Sequence[NDArray[np.float64]],
    *,
    x_name: str,
    mark: float,
) -> str:
    """Overlapping histograms over the same bins, with a line at `mark`."""
    full = np.flatnonzero(np.sum(shares, axis=0) > 0)
    first, last = int(full[0]), int(full[-1]) + 1
    top = float(max(share.max() for share in shares)) * 1.05
    at = _scales(float(edges[first]), float(edges[last]), top)
    ticks = np.linspace(edges[first], edges[last], 5).round(2).tolist()
    parts = [_axes(at, ticks, x_name, "share of pairs", top)]
    for number_, share in enumerate(shares):
        points = [at(edges[first], 0)]
        for i in range(first, last):
            points += [at(edges[i], share[i]), at(edges[i + 1], share[i])]
        points.append(at(edges[last], 0))
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polygon class="s{number_}" points="{path}"/>')
    x, y = at(mark, top)
    parts.append(
        f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{y:.1f}" y2="{_HEIGHT - _BOTTOM}"/>'
        f'<text x="{x + 4:.1f}" y="{y + 10:.1f}">{mark:.3f}</text>'
    )
    return _svg(parts, f"share of pairs over {x_name}")


Scales = Callable[[float, float], tuple[float, float]]


def _scales(low: float, high: float, top: float) -> Scales:
    """(x, y) of the figures -> (x, y) of the chart."""
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    spread = max(high - low, 1e-9)

    def at(x: float, y: float) -> tuple[float, float]:
        right = _LEFT + (float(x) - low) / spread * width
        return right, _TOP + (1 - float(y) / max(top, 1e-9)) * height

    return at


def _axes(at: Scales, ticks: Sequence[float], x_name: str, y_name: str, top: float) -> str:
    """A quiet line at the bottom, some values on both axes, and the names."""
    floor = _HEIGHT - _BOTTOM
    parts = [f'<path class="axis" d="M{_LEFT} {_TOP}V{floor}H{_WIDTH - _RIGHT}"/>']
    last = -math.inf
    for tick in ticks:
        x, _ = at(tick, 0)
        if x - last > 28:  # else the numbers run into each other
            parts.append(f'<text x="{x:.1f}" y="{floor + 13}" class="mid">{tick:g}</text>')
            last = x
    for y in (0, top / 2, top):
        text = f"{y:,.0f}" if top > 1.5 else f"{y:.2g}"
        parts.append(f'<text x="{_LEFT - 5}" y="{at(0, y)[1] + 4:.1f}" class="end">{text}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 5}" class="mid quiet">{escape(x_name)}</text>')
    return "".join(parts)


def _svg(parts: Sequence[str], label: str) -> str:
    box = f"0 0 {_WIDTH} {_HEIGHT}"
    return f'<svg viewBox="{box}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
