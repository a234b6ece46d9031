"""What the points of a map are coloured by, and what the colours mean."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from bilderatlas.analysis.colouring import RAMP, Colouring, Entry
from bilderatlas.collection import Collection
from bilderatlas.collection.map_colours import FACTS
from bilderatlas.figures import PALETTE
from bilderatlas.web import forms, i18n
from bilderatlas.web.address import Address, aria, data, link

GREY = "#8d867b"  # holds on dark and on light ground
N_LISTED = 60  # entries of a legend


def chooser(address: Address, collection: Collection, colouring: Colouring) -> html.Form:
    """The form that turns the page to other colours; `static/map.js` sends it at once."""
    clusterings = [about.run for about in collection.runs("cluster")]
    columns = [name for name in collection.metadata_columns() if name not in FACTS]
    options = {name: i18n.by_clusters(name) for name in clusterings}
    options |= {fact: i18n.COLOURED_BY[fact] for fact in FACTS if fact != "cluster"}
    options |= {name: name for name in columns}
    chosen = colouring.run or address.text("colour") or "folder"
    kept = {"run": address.text("run"), "selection": address.text("selection")}
    return html.Form(
        [
            forms.choice("colour", i18n.COLOUR, options, chosen),
            *[forms.hidden(name, value) for name, value in kept.items() if value],
            forms.submit(i18n.COLOUR_BUTTON),
        ],
        action="/map",
        method="get",
        className="acting map-colour",
    )


def legend(colouring: Colouring) -> html.Nav:
    """The colours, each a button that lets its points stand out; clusters can be opened."""
    entries = [_entry(entry, colouring) for entry in colouring.legend[:N_LISTED]]
    n_more = len(colouring.legend) - len(entries)
    more = [html.P(i18n.more_entries(n_more), className="lead")] if n_more else []
    heading = i18n.COLOURED_BY.get(colouring.title, colouring.title)
    return html.Nav(
        [html.H2(heading), html.Ul(entries), *more],
        className="legend is-ramp" if colouring.is_ramp else "legend",
        **aria(label=i18n.LEGEND),
    )


def _entry(entry: Entry, colouring: Colouring) -> html.Li:
    said = name(entry, colouring)
    colours = palette(colouring)
    colour = GREY if entry.label < 0 else colours[entry.label % len(colours)]
    button = html.Button(
        [
            html.Span(className="dot", style={"background": colour}),
            html.Span(said, className="name"),
            html.Span(i18n.count(entry.size), className="size"),
        ],
        type="button",
        **data(cluster=str(entry.label)),
        **aria(pressed="false"),
    )
    if colouring.run is None:
        return html.Li(button)
    opened = html.A(
        "→",
        href=link(f"/clusters/{entry.label}", run=colouring.run),
        title=i18n.OPEN_CLUSTER,
        **aria(label=f"{i18n.OPEN_CLUSTER}: {said}"),
    )
    return html.Li([button, opened])


def name(entry: Entry, colouring: Colouring) -> str:
    """What an entry of a legend is called, in the language of whoever looks."""
    if colouring.is_of_clusters:
        return i18n.cluster(entry.label, entry.name)
    if entry.label < 0:
        return i18n.OTHER_VALUES
    if colouring.is_ramp:
        return entry.name.replace(" to ", f" {i18n.TO} ")
    return i18n.PARTS.get(entry.name, entry.name) if colouring.title == "kind" else entry.name


def palette(colouring: Colouring) -> Sequence[str]:
    """The colours of labels 0, 1, ..., in turn."""
    return RAMP if colouring.is_ramp else PALETTE
