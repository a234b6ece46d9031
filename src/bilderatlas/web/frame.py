"""What stays while the pages change: the head, the ways to the pages, the line that says what
happened, the tray of jobs.
"""

from __future__ import annotations

from dash import dcc, html

from bilderatlas.web import i18n, request_context
from bilderatlas.web.address import Desk, aria, data
from bilderatlas.web.tray import tray


def frame(desk: Desk) -> html.Div:
    """The frame in the language of whoever looks, its `main` still empty."""
    return html.Div(
        [
            dcc.Location(id="address", refresh="callback-nav"),
            dcc.Store(id="title"),
            dcc.Store(id="again"),  # set by actions.js when something was changed
            html.A(i18n.SKIP, href="#main", className="skip"),
            _head(desk),
            html.Main(html.P(i18n.LOADING, className="empty"), id="main", tabIndex="-1"),
            tray(),
            html.Div(id="said", role="status", className="said", **data(undo=i18n.UNDO)),
        ]
    )


def _head(desk: Desk) -> html.Header:
    program = html.Span(i18n.PROGRAM, className="program")
    brand = html.Div(html.A([program, desk.collection.name], href="/"), className="brand")
    links = [html.A(label, href=path) for path, label in _entries().items()]
    navigation = html.Nav(links, **aria(label=i18n.NAVIGATION))
    return html.Header([brand, navigation, *_who(), _language(), _scheme()])


def _entries() -> dict[str, str]:
    """The pages that can be reached from everywhere."""
    return {
        "/gallery": i18n.GALLERY,
        "/search": i18n.SEARCH,
        "/clusters": i18n.CLUSTERS,
        "/map": i18n.MAP,
        "/label": i18n.LABEL,
        "/compare": i18n.COMPARE,
    }


def _who() -> list[html.A]:
    """Whose key the browser has: the way to sign out. `target` has it loaded as a document."""
    name = request_context.current().name
    if name is None:
        return []
    here = html.A(name, href="/sign-in", target="_self", className="visitor", title=i18n.SIGN_OUT)
    return [here]


def _language() -> html.Button:
    """The other language; `frame.js` remembers the choice."""
    others = [one for one in i18n.LANGUAGES if one != request_context.current().language]
    name = i18n.NAMES_OF_LANGUAGES[others[0]]
    return html.Button(
        others[0].upper(),
        type="button",
        className="language",
        title=name,
        lang=others[0],
        **data(language=others[0]),
        **aria(label=name),
    )


def _scheme() -> html.Button:
    half_moon = html.Span(className="half-moon")
    return html.Button(half_moon, className="scheme", type="button", title=i18n.SCHEME)
