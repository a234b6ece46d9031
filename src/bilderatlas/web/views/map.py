"""The map: every image a point, close together what looks alike.

The page says what is drawn, in which colours, and what is selected; `static/map.js` fetches the
points as plain numbers and draws them. `map_legend.py` has the colours, `map_selection.py` what can
be done to selected pictures, `new_map.py` the form for a new map.
"""

from __future__ import annotations

import json
from typing import Any

from dash import html

from bilderatlas.results import MapColours, MapPoints, Run
from bilderatlas.web import i18n, request_context
from bilderatlas.web.address import Address, Children, Desk, Page, aria, data, link
from bilderatlas.web.views import map_legend, map_selection, new_map
from bilderatlas.web.views.results import Picture, command

TOOLS = ("move", "lasso", "rectangle")  # what dragging does; static/lasso.js


def page(desk: Desk, address: Address) -> Page:
    """Show the projection `?run=` coloured by `?colour=`, and the images of `?selection=`."""
    collection = desk.collection
    runs = collection.runs("project")
    if not runs:
        return _without_map(desk)
    points = collection.map_points(address.text("run"))
    colours = collection.map_colours(points.about.run, color_by=address.text("colour"))
    shown: Children = [
        html.H1(i18n.MAP),
        html.P(_lead(points), className="lead"),
        html.Div(_runs(address, runs, points.about.run)),
        map_legend.chooser(address, collection, colours.of_all),
        html.Div(
            [
                html.Div([_tools(), _plot()], className="map-ground"),
                html.Div(
                    [
                        map_selection.panel(address, collection, colours.of_all),
                        map_legend.legend(colours.of_all),
                    ],
                    className="map-side",
                ),
            ],
            id="map",
            className="map",
            **_about(address, points, colours),
        ),
    ]
    if request_context.current().may_edit:
        shown.append(new_map.form(collection, points, unfolded=False))
    return Page(i18n.MAP, shown)


def _without_map(desk: Desk) -> Page:
    line = i18n.project_command(str(desk.collection.path))
    shown: Children = [html.H1(i18n.NO_MAP), command(i18n.NO_MAP_HINT, line)]
    if request_context.current().may_edit and desk.collection.spaces():
        shown.append(new_map.form(desk.collection, None, unfolded=True))
    return Page(i18n.MAP, shown)


def _about(address: Address, points: MapPoints, colours: MapColours) -> dict[str, Any]:
    """What `static/map.js` reads: where the numbers are, and what to say of them."""
    run = points.about.run
    names = {entry.label: map_legend.name(entry, colours.of_all) for entry in colours.of_all.legend}
    said = {
        "palette": map_legend.palette(colours.of_all),
        "grey": map_legend.GREY,
        "names": names,
        "label": i18n.map_label(len(points.region_ids)),
        "no_webgl": i18n.MAP_NEEDS_WEBGL,
    }
    selection = address.text("selection")
    return data(
        points=link(f"/api/v1/projection/{run}/points"),
        colours=link(f"/api/v1/projection/{run}/colours", by=address.text("colour")),
        selection=link(f"/api/v1/selections/{selection}") if selection else "",
        about=json.dumps(said),
    )


def _lead(points: MapPoints) -> str:
    n_drawn = len(points.region_ids)
    said = i18n.map_of(points.n_all, points.about.run)
    hint = i18n.MAP_HINT_3D if points.coordinates.shape[1] == 3 else i18n.MAP_HINT_2D
    thinned = f" {i18n.map_thinned(n_drawn)}" if n_drawn < points.n_all else ""
    return f"{said}.{thinned} {i18n.MAP_HINT} {hint}"


def _runs(address: Address, runs: list[Run], shown: str) -> Children:
    """The other maps; what is selected and the colours stay."""
    if len(runs) < 2:
        return []
    links = [
        html.A(
            i18n.run(run.run, run.parameters.get("dims")),
            href=address.but(run=run.run),
            **(aria(current="page") if run.run == shown else {}),
        )
        for run in runs
    ]
    return [html.Nav(links, className="runs", **aria(label=i18n.RUNS))]


def _tools() -> html.Div:
    """What dragging does; and all that is in view, for those who do not drag."""
    tools = [
        html.Button(
            i18n.MAP_TOOLS[tool],
            type="button",
            className="small",
            **data(tool=tool),
            **aria(pressed="true" if tool == TOOLS[0] else "false"),
        )
        for tool in TOOLS
    ]
    in_view = html.Button(
        i18n.SELECT_IN_VIEW, type="button", className="small", **data(tool_all="")
    )
    hint = html.Span(i18n.LASSO_HINT)
    return html.Div(
        [*tools, in_view, hint], className="map-tools", role="group", **aria(label=i18n.MAP_TOOL)
    )


def _plot() -> html.Div:
    """The place where the script draws, and the card that shows the picture pointed at."""
    said = [html.Span(className="cluster"), html.Span(className="file")]
    card = html.Div([Picture(alt=""), *said], className="map-card", hidden=True)
    return html.Div([card, html.Div(className="map-ring", hidden=True)], className="plot")
