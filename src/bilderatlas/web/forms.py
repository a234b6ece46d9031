"""Parts of the forms that `static/actions.js` sends to the REST API."""

from __future__ import annotations

from collections.abc import Mapping

from dash import dcc, html

from bilderatlas.web.address import Children, data

DECISIONS = "/api/v1/decisions"


def acting(action: str, children: Children, **said: str) -> html.Form:
    """A form that changes something; `said` are attributes of actions.js: said, next, confirm."""
    attributes = {name: value for name, value in said.items() if value}
    return html.Form(
        children, action=action, method="post", className="acting", **data(**attributes)
    )


def hidden(name: str, value: object) -> dcc.Input:
    """A member of the request that nobody has to type."""
    return dcc.Input(name=name, type="hidden", value=str(value))


def choice(name: str, label: str, options: Mapping[str, str], chosen: str | None) -> html.Label:
    """One of several values, each with what it is called."""
    items = [
        html.Option(called, value=value, selected=value == chosen)
        for value, called in options.items()
    ]
    return html.Label([html.Span(label), html.Select(items, name=name)])


def submit(label: str, *, main: bool = False) -> html.Button:
    """The button that sends a form."""
    return html.Button(label, type="submit", className="button main" if main else "button")
