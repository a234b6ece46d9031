"""What stays while the pages change: the head, the ways to the pages, the line that says what
happened, the tray of jobs.
"""

from __future__ import annotations

from dash import dcc, html

from bilderatlas.web import texts, visitor
from bilderatlas.web.page import Desk, aria, data
from bilderatlas.web.tray import tray


def frame(desk: Desk) -> html.Div:
    """The frame in the language of whoever looks, its `main` still empty."""
    return html.Div(
        [
            dcc.Location(id="address", refresh="callback-nav"),
            dcc.Store(id="title"),
            dcc.Store(id="again"),  # set by actions.js when something was changed
            html.A(texts.SKIP, href="#main", className="skip"),
            _head(desk),
            html.Main(html.P(texts.LOADING, className="empty"), id="main", tabIndex="-1"),
            tray(),
            html.Div(id="said", role="status", className="said", **data(undo=texts.UNDO)),
        ]
    )


def _head(desk: Desk) -> html.Header:
    program = html.Span(texts.PROGRAM, className="program")
    brand = html.Div(html.A([program, desk.collection.name], href="/"), className="brand")
    links = [html.A(label, href=path) for path, label in _entries().items()]
    navigation = html.Nav(links, **aria(label=texts.NAVIGATION))
    return html.Header([brand, navigation, *_who(), _language(), _scheme()])


def _entries() -> dict[str, str]:
    """The pages that can be reached from everywhere."""
    return {
        "/gallery": texts.GALLERY,
        "/search": texts.SEARCH,
        "/clusters": texts.CLUSTERS,
        "/map": texts.MAP,
        "/label": texts.LABEL,
        "/compare": texts.COMPARE,
    }


def _who() -> list[html.A]:
    """Whose key the browser has: the way to sign out. `target` has it loaded as a document."""
    name = visitor.current().name
    if name is None:
        return []
    here = html.A(name, href="/sign-in", target="_self", className="visitor", title=texts.SIGN_OUT)
    return [here]


def _language() -> html.Button:
    """The other language; `frame.js` remembers the choice."""
    others = [one for one in texts.LANGUAGES if one != visitor.current().language]
    name = texts.NAMES_OF_LANGUAGES[others[0]]
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
    return html.Button(half_moon, className="scheme", type="button", title=texts.SCHEME)
