"""The form that starts a new map as a job."""

from __future__ import annotations

from dash import dcc, html

from bilderatlas.analysis import projection
from bilderatlas.collection import Collection
from bilderatlas.collection.project import OPTIONS
from bilderatlas.results import MapPoints
from bilderatlas.web import forms, i18n
from bilderatlas.web.address import Children, data

JOBS = "/api/v1/jobs"


def form(collection: Collection, shown: MapPoints | None, *, unfolded: bool) -> html.Details:
    """Choose a method and what it goes by, or place new pictures on the map that is shown."""
    kinds = collection.kinds()
    methods = {method: i18n.MAP_METHODS[method] for method in projection.installed()}
    spaces = {about.space: about.space for about in collection.spaces()}
    options = {option: default for its in OPTIONS.values() for option, default in its.items()}
    fields: Children = [
        forms.hidden("verb", "project"),
        forms.choice("options.method", i18n.METHOD, methods, "tsne"),
        forms.choice("options.dims", i18n.DIMENSIONS, {"2": "2", "3": "3"}, "2"),
        *[_option(name, f"{default:g}") for name, default in options.items()],
        forms.choice(
            "options.kind",
            i18n.WHAT_TO_MAP,
            {"": i18n.USUAL_KIND}
            | {kind: f"{i18n.PARTS[kind]} ({i18n.count(n)})" for kind, n in kinds.items()}
            | {"all": i18n.ALL_KINDS},
            None,
        ),
        forms.choice("options.space", i18n.SPACE, {"": i18n.ACTIVE_SPACE} | spaces, None),
        html.Label([i18n.SEED, _field("seed", "0")]),
        forms.submit(i18n.START, main=True),
    ]
    return html.Details(
        [
            html.Summary(i18n.NEW_MAP),
            html.P(i18n.NEW_RUN_HINT, className="lead"),
            forms.acting(JOBS, fields, said=i18n.STARTED),
            *_adding(shown, kinds),
        ],
        open=unfolded,
        className="new-run",
    )


def _adding(shown: MapPoints | None, kinds: dict[str, int]) -> Children:
    """Place what the map lacks among its points, which stay where they are."""
    n_new = 0 if shown is None else kinds.get(shown.about.kind, 0) - shown.n_all
    if shown is None or n_new <= 0:
        return []
    fields: Children = [
        forms.hidden("verb", "project"),
        forms.hidden("options.into", shown.about.run),
        html.Span(i18n.not_on_the_map(n_new)),
        forms.submit(i18n.ADD_TO_MAP),
    ]
    return [forms.acting(JOBS, fields, said=i18n.STARTED)]


def _option(name: str, default: str) -> html.Label:
    """A field that `static/clusters.js` shows for the methods which read it."""
    readers = [method for method, read in OPTIONS.items() if name in read]
    return html.Label(
        [i18n.MAP_OPTIONS[name], _field(name, default)], **data(read_by=" ".join(readers))
    )


def _field(name: str, default: str) -> dcc.Input:
    return dcc.Input(
        name=f"options.{name}",
        type="text",
        placeholder=default,
        autoComplete="off",
        maxLength=20,
        size="8",
        value="",
    )
