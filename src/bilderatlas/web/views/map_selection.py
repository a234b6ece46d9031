"""The pictures that are selected on a map, and what can be done to them."""

from __future__ import annotations

from dash import dcc, html

from bilderatlas.analysis.colouring import Colouring
from bilderatlas.collection import Collection
from bilderatlas.storage.labels import LONGEST
from bilderatlas.web import forms, i18n, request_context
from bilderatlas.web.address import Address, Children, aria, data, link
from bilderatlas.web.views.results import file_name, thumbnail

LABELS = "/api/v1/labels"
N_SHOWN = 12
MOST_MOVED = 999  # images in one decision, as REST takes it


def panel(address: Address, collection: Collection, colouring: Colouring) -> html.Section:
    """The first of the selected pictures, how many there are, and what to do."""
    selection = address.text("selection")
    if selection is None:
        return html.Section(hidden=True)
    image_ids = collection.select(selection=selection)
    clear = html.A(i18n.SELECT_NONE, href=address.but(selection=None), className="small")
    n = len(image_ids)
    shown: Children = [
        html.H2(i18n.ONE_SELECTED if n == 1 else i18n.MANY_SELECTED.replace("{n}", i18n.count(n))),
        _first(collection, image_ids[:N_SHOWN]),
        html.Div([*_ways(selection), clear], className="map-ways"),
        _search_within(selection),
    ]
    if request_context.current().may_edit:
        shown += [_label(collection, selection), *_move(collection, colouring, len(image_ids))]
    return html.Section(shown, className="map-selected", **aria(label=i18n.SELECTION))


def _first(collection: Collection, image_ids: list[str]) -> html.Ul:
    items = [
        html.Li(
            html.A(
                thumbnail(image.image_id, file_name(image.path)),
                href=link(f"/images/{image.image_id}"),
            )
        )
        for image in collection.images(image_ids)
    ]
    return html.Ul(items, className="map-first")


def _ways(selection: str) -> Children:
    as_list = html.A(
        i18n.OPEN_AS_LIST, href=link("/gallery", selection=selection), className="small"
    )
    file = html.A(
        i18n.EXPORT_CSV,
        href=link("/api/v1/export", table="images", selection=selection),
        target="_self",  # a file, no page
        className="small",
    )
    if not request_context.current().may_edit:
        return [as_list, file]
    one_by_one = html.A(
        i18n.LABEL_ONE_BY_ONE,
        href=link("/label", selection=selection, show="all"),
        className="small",
    )
    return [as_list, one_by_one, file]


def _search_within(selection: str) -> html.Form:
    field = dcc.Input(name="q", type="search", autoComplete="off", value="", required=True)
    return html.Form(
        [
            html.Label([html.Span(i18n.SEARCH_WITHIN), field]),
            forms.hidden("selection", selection),
            forms.submit(i18n.SEARCH_BUTTON),
        ],
        action="/search",
        method="get",
        className="acting",
    )


def _label(collection: Collection, selection: str) -> html.Form:
    known = [html.Option(value=each.label) for each in collection.labels()]
    field = dcc.Input(
        name="label",
        type="text",
        value="",
        required=True,
        maxLength=LONGEST,
        autoComplete="off",
        list="map-labels",
    )
    return forms.acting(
        LABELS,
        [
            html.Label([html.Span(i18n.LABEL_SELECTED), field]),
            html.Datalist(known, id="map-labels"),
            forms.hidden("all.selection", selection),
            forms.submit(i18n.LABEL_BUTTON, main=True),
        ],
        said=i18n.LABELLED,
    )


def _move(collection: Collection, colouring: Colouring, n: int) -> Children:
    """Move the pictures to a cluster of the clustering that gives the colours."""
    clustering = collection.clustering(colouring.run) if colouring.run else None
    if clustering is None or clustering.about.kind != "image" or n > MOST_MOVED:
        return []
    clusters = {
        str(one.cluster): i18n.cluster(one.cluster, one.name) for one in clustering.clusters
    }
    return [
        forms.acting(
            forms.DECISIONS,
            [
                forms.hidden("verb", "move"),
                forms.hidden("run", clustering.run),
                html.Span(
                    hidden=True, **data(selected_ids="what[]")
                ),  # filled by map.js, which then lets it be sent
                forms.choice("what[]", i18n.MOVE_SELECTED, clusters | {"out": i18n.NOISE}, None),
                html.Button(i18n.MOVE, type="submit", className="button", disabled=True),
            ],
            said=i18n.MOVED,
        )
    ]
