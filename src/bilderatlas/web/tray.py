"""The tray of jobs, which stays while the pages change. `static/jobs.js` fills it."""

from __future__ import annotations

import json

from dash import html

from bilderatlas.web import i18n, request_context
from bilderatlas.web.address import aria, data


def tray() -> html.Section:
    """Empty, but with the words for whatever may come."""
    name = html.Span(i18n.JOBS, className="jobs-title")
    fold = html.Button(
        [name, html.Span(className="jobs-now")],
        type="button",
        className="jobs-fold",
        **aria(expanded="true", controls="jobs-all"),
    )
    lists = [html.Ul(id="uploads-list"), html.Ul(id="jobs-list")]
    return html.Section(
        [
            html.H2(fold),
            html.Div(lists, id="jobs-all"),
            html.P(id="jobs-news", className="unseen", role="status"),
        ],
        id="jobs",
        className="jobs",
        hidden=True,
        **data(
            words=json.dumps(i18n.JOB_WORDS),
            edits=json.dumps(request_context.current().may_edit),
        ),
        **aria(label=i18n.JOBS),
    )
