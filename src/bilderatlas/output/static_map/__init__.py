"""A map and its thumbnails -> one HTML file that opens from disk.

Everything is inside it: points, pictures, styles, and the script that draws the map of the served
pages too (`web/static`). It loads nothing, from nowhere.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.colouring import RAMP, Colouring, Entry
from bilderatlas.arrays import Box, Coordinates
from bilderatlas.figures import PALETTE
from bilderatlas.output.static_map import sprites
from bilderatlas.output.static_map.sprites import Sprites

GREY = "#8d867b"  # holds on dark and on light ground
OWN, SERVED = "output/static_map/assets", "web/static"  # folders of the package
SCRIPTS = ("points.js", "steering.js", "plot.js")  # as the served map has them
LABEL = "A map of the pictures. The arrow keys and + and - move it."
NO_WEBGL = "This browser has no WebGL, which the map needs."
BASE64 = 4 / 3  # bytes in the file for one of a picture
N_FRAME_BYTES = 50_000  # of styles and scripts


@dataclass(frozen=True, slots=True)
class Points:
    """What lies on the map, N of it."""

    coordinates: Coordinates  # (N, 2) or (N, 3)
    image_ids: Sequence[str]
    files: Sequence[str]  # what stands below a picture
    boxes: Sequence[Box]  # the part of the picture that is meant


@dataclass(frozen=True, slots=True)
class Page:
    """The file, and how large its pictures could be."""

    html: str
    side: int  # pixels


def page(
    points: Points,
    colouring: Colouring,
    thumbnails: Callable[[Sequence[str]], Sequence[bytes]],
    *,
    name: str,
    lead: str,
    max_bytes: int,
) -> Page:
    """Write the map of `points`, with pictures as large as keeps the file within `max_bytes`.

    Raises QueryError where not even the smallest pictures fit.
    """
    order = np.random.default_rng(0).permutation(len(points.files))  # see assets/page.js, choose
    ids, boxes = [points.image_ids[i] for i in order], [points.boxes[i] for i in order]
    about = _about(points, colouring, order)
    left_for_pictures = (max_bytes - len(_json(about)) - N_FRAME_BYTES) / BASE64
    drawn = sprites.make(
        len(ids),
        lambda numbers: thumbnails([ids[number] for number in numbers]),
        boxes,
        max_bytes=int(left_for_pictures),
    )
    about |= {
        "sizes": _packed(np.concatenate([sheet.sizes for sheet in drawn.sheets])),
        "sprites": {"side": drawn.side, "across": drawn.n_across},
    }
    text = Template(_asset(OWN, "page.html")).substitute(
        title=html.escape(f"{name} · map"),
        name=html.escape(name),
        lead=html.escape(lead),
        coloured_by=html.escape(colouring.title.capitalize()),
        styles=_asset(SERVED, "atlas.css") + _asset(OWN, "page.css"),
        scheme=_asset(SERVED, "scheme.js"),
        legend="\n".join(_legend_entry(entry, colouring) for entry in colouring.legend),
        map=_json(about),
        sheets=_sheets(drawn),
        scripts="\n".join(
            [*(_asset(SERVED, script) for script in SCRIPTS), _asset(OWN, "page.js")]
        ),
    )
    return Page(text, drawn.side)


def _about(points: Points, colouring: Colouring, order: NDArray[np.intp]) -> dict[str, object]:
    """What the script reads of N points in a random order."""
    names = [_one_line(points.files[i]) for i in order]
    return {
        "places": _packed(_places(points.coordinates[order])),
        "labels": _packed(colouring.labels[order].astype("<i4")),
        "files": "\n".join(names),
        "names": {entry.label: entry.name for entry in colouring.legend},
        "palette": _palette(colouring),
        "grey": GREY,
        "is_flat": points.coordinates.shape[1] == 2,
        "label": LABEL,
        "no_webgl": NO_WEBGL,
    }


def _places(coordinates: Coordinates) -> NDArray[np.float32]:
    """(N, 2) or (N, 3) -> (N, 3) around the origin, the farthest at distance 1."""
    places = np.zeros((len(coordinates), 3), dtype="<f4")
    places[:, : coordinates.shape[1]] = coordinates
    places -= (places.max(axis=0) + places.min(axis=0)) / 2
    farthest = np.linalg.norm(places, axis=1).max()
    return places / farthest if farthest > 0 else places


def _palette(colouring: Colouring) -> Sequence[str]:
    return RAMP if colouring.is_ramp else PALETTE


def _legend_entry(entry: Entry, colouring: Colouring) -> str:
    palette = _palette(colouring)
    colour = GREY if entry.label < 0 else palette[entry.label % len(palette)]
    return (
        f'<li><button type="button" data-cluster="{entry.label}" aria-pressed="false">'
        f'<span class="dot" style="background:{colour}"></span>'
        f'<span class="name">{html.escape(_one_line(entry.name))}</span>'
        f'<span class="size">{entry.size:,}</span></button></li>'
    )


def _sheets(drawn: Sprites) -> str:
    return "\n".join(
        f'<script type="text/plain" id="sheet-{number}">'
        f"{base64.b64encode(sheet.webp).decode()}</script>"
        for number, sheet in enumerate(drawn.sheets)
    )


def _packed(values: NDArray[np.generic]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _json(about: dict[str, object]) -> str:
    """For a script element: "<!--<script>" in a file name would swallow the element's end."""
    return json.dumps(about).replace("<", "\\u003c")


def _one_line(text: str) -> str:
    """File names that are no Unicode show a question mark."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _asset(folder: str, name: str) -> str:
    return files("bilderatlas").joinpath(folder, name).read_text("utf-8")
