"""Which k and which eps to take: the page asks the REST API, and `static/advice.js` draws."""

from __future__ import annotations

import json

from dash import dcc, html

from bilderatlas.web import forms, i18n
from bilderatlas.web.address import Address, Desk, Page, aria, data, link
from bilderatlas.web.request_context import current
from bilderatlas.web.views import new_run

MOST_SAMPLES = 1000


def page(desk: Desk, address: Address) -> Page:
    """Show the curves over k and eps for `?kind=` and `?min_samples=`, and start with either."""
    kinds = new_run.kinds(desk.collection)
    kind = address.text("kind")
    min_samples = address.integer("min_samples", 2, low=1, high=MOST_SAMPLES)
    asked = link("/api/v1/advice", kind=kind, min_samples=min_samples)
    return Page(
        i18n.ADVICE,
        [
            html.P(html.A(i18n.ALL_CLUSTERS, href="/clusters")),
            html.H1(i18n.ADVICE),
            html.P(i18n.ADVICE_LEAD, className="lead"),
            _choice(kinds, kind, min_samples),
            html.P(
                i18n.MEASURING,
                className="empty advice-wait",
                role="status",
                **data(advice=asked, texts=json.dumps(i18n.ADVICE_CURVES)),
            ),
            _answer("k", i18n.ADVICE_K, {"method": "kmeans"}, kind),
            _answer(
                "eps", i18n.ADVICE_EPS, {"method": "dbscan", "min_samples": str(min_samples)}, kind
            ),
        ],
    )


def _choice(kinds: dict[str, str], kind: str | None, min_samples: int) -> html.Form:
    field = dcc.Input(
        id="min_samples", name="min_samples", type="number", min=1, max=MOST_SAMPLES, step=1,
        value=min_samples,
    )  # fmt: skip
    return html.Form(
        [
            forms.choice("kind", i18n.KIND_OF_PART, kinds, kind or ""),
            html.Label([i18n.NEIGHBORS_OF_DBSCAN, field], htmlFor="min_samples"),
            forms.submit(i18n.MEASURE),
        ],
        action="/clusters/advice",
        method="get",
        className="acting compared-runs",
    )


def _answer(name: str, heading: str, options: dict[str, str], kind: str | None) -> html.Section:
    """The place for one recommendation: reason, button, curves."""
    if kind:
        options = options | {"kind": kind}
    start = new_run.button(i18n.START_WITH_THIS, options, filled=name)
    return html.Section(
        [
            html.H2(heading),
            html.P(className="reason", lang="en"),  # the words of the library
            start if current().may_edit else None,
            html.Div(className="curves"),
        ],
        hidden=True,
        **data(answer=name),
        **aria(label=heading),
    )
