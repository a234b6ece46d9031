"""The form that starts a new run of `cluster` as a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from dash import dcc, html

from bilderatlas.analysis import clustering
from bilderatlas.collection import Collection
from bilderatlas.web import forms, i18n
from bilderatlas.web.address import Children, data

JOBS = "/api/v1/jobs"
DEFAULT_METHOD = "hdbscan"


def form(collection: Collection, *, unfolded: bool) -> html.Details:
    """Choose a method and what it goes by; what is left empty is as the method has it."""
    methods = {method: i18n.METHODS[method] for method in clustering.installed()}
    defaults = asdict(clustering.Options())
    fields: Children = [
        forms.hidden("verb", "cluster"),
        forms.choice("options.method", i18n.METHOD, methods, DEFAULT_METHOD),
        *[_option(name, str(default)) for name, default in defaults.items()],
        forms.choice("options.kind", i18n.KIND_OF_PART, kinds(collection), None),
        forms.choice("options.space", i18n.SPACE, _spaces(collection), None),
        html.Label([i18n.SEED, _field("seed", "0")]),
        forms.submit(i18n.START, main=True),
    ]
    shown = forms.acting(JOBS, fields, said=i18n.STARTED)
    return html.Details(
        [html.Summary(i18n.NEW_RUN), html.P(i18n.NEW_RUN_HINT, className="lead"), shown],
        open=unfolded,
        className="new-run",
    )


def button(label: str, options: Mapping[str, str], *, filled: str) -> html.Form:
    """A button that starts a run with these options, and one that `static/advice.js` fills in."""
    members = {"verb": "cluster"} | {f"options.{name}": value for name, value in options.items()}
    fields: Children = [forms.hidden(name, value) for name, value in members.items()]
    fields += [html.Span(hidden=True, **data(filled=filled)), forms.submit(label, main=True)]
    return forms.acting(JOBS, fields, said=i18n.STARTED)


def _option(name: str, default: str) -> html.Label:
    """A field that `static/clusters.js` shows for the methods which read it."""
    readers = [method for method, read in clustering.OPTIONS.items() if name in read]
    return html.Label(
        [i18n.CLUSTER_OPTIONS[name], _field(name, default)], **data(read_by=" ".join(readers))
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


def kinds(collection: Collection) -> dict[str, str]:
    """What can be grouped, as it is called; the usual kind is left out of the request."""
    counts = collection.kinds()
    others = {kind: f"{i18n.PARTS[kind]} ({i18n.count(n)})" for kind, n in counts.items()}
    return {"": i18n.USUAL_KIND} | others | {"all": i18n.ALL_KINDS}


def _spaces(collection: Collection) -> dict[str, str]:
    names = [about.space for about in collection.spaces()]
    return {"": i18n.ACTIVE_SPACE} | {name: name for name in names}
