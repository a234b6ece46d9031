"""Search by words, or by a picture that the visitor gives."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from dash import dcc, html

from bilderatlas.calibration import DOUBTFUL, LIKELY
from bilderatlas.collection import Collection
from bilderatlas.results import Hits
from bilderatlas.web import texts
from bilderatlas.web.page import Address, Children, Desk, Page
from bilderatlas.web.panel import Picture, hits_panel

DEFAULT_K = 24
MAX_K = 200
MAX_WORDS = 2000  # characters
LIMITS = ("threshold", "k", "where")
WEIGHT = "weight-"  # and the kind of region
MAX_WEIGHT = 100.0


def page(desk: Desk, address: Address) -> Page:
    """Show what the words `?q=` or, without words, the picture `?picture=` finds."""
    words, picture = address.text("q"), address.text("picture")
    collection = desk.collection
    if words:
        results = _by_words(collection, address, words)
    elif picture:
        results = _by_picture(desk, address, picture)
    else:
        results = [html.P(texts.SEARCH_LEAD, className="empty")]
    opening = html.Div(
        [html.H1(texts.SEARCH), form(address, collection.kinds())], className="opening"
    )
    return Page(words or texts.SEARCH, [opening, *results])


def form(address: Address, kinds: Mapping[str, int]) -> html.Div:
    """The place to say what to look for, filled with what was said before.

    `kinds`: how many regions there are of each kind.
    """
    return html.Div(
        [
            html.Form(
                [_words(address), _limits(address, kinds)],
                action="/search",
                method="get",
                role="search",
                className="search",
            ),
            html.Button(texts.UPLOAD, type="button", className="drop"),  # query_picture.js
            html.P(id="picture-refusal", className="refusal", role="alert"),
        ]
    )


def _words(address: Address) -> html.Div:
    field = dcc.Input(
        id="q",
        name="q",
        type="search",
        value=address.text("q") or "",
        placeholder=texts.SEARCH_HINT,
        maxLength=MAX_WORDS,
        autoComplete="off",
    )
    button = html.Button(texts.SEARCH_BUTTON, type="submit", className="button")
    return html.Div(
        [html.Label(texts.SEARCH_LABEL, htmlFor="q"), html.Div([field, button], className="field")]
    )


def _limits(address: Address, kinds: Mapping[str, int]) -> html.Details:
    """Fewer or more results, parts that count more; folded away until wanted."""
    fields: Children = [
        _field(address, "threshold", texts.THRESHOLD, inputMode="decimal", placeholder="0.25"),
        _field(address, "k", texts.HOW_MANY, inputMode="numeric", placeholder=str(DEFAULT_K)),
        _field(address, "where", texts.WHERE, placeholder=texts.WHERE_HINT),
    ]
    # Narrowing the search for a picture searches for the same picture.
    fields.append(dcc.Input(name="picture", type="hidden", value=address.text("picture") or ""))
    is_used = any(address.text(name) for name in limits_of(address))
    folded = [html.Summary(texts.MORE_OPTIONS), html.Div(fields, className="fields")]
    if len(kinds) > 1:
        folded.append(_weights(address, kinds))
    return html.Details(folded, open=is_used)


def _weights(address: Address, kinds: Mapping[str, int]) -> html.Fieldset:
    fields = [
        _field(
            address,
            f"{WEIGHT}{kind}",
            texts.weight_of(kind, n),
            inputMode="decimal",
            placeholder="1",
        )
        for kind, n in kinds.items()
    ]
    return html.Fieldset([html.Legend(texts.WEIGHTS), html.Div(fields, className="fields weights")])


def limits_of(address: Address) -> list[str]:
    """The names of the parameters that narrow a search, or weigh its parts."""
    return [*LIMITS, *(name for name in address.parameters if name.startswith(WEIGHT))]


def _weights_asked(address: Address) -> dict[str, float]:
    """The weight of each kind that has one in the address."""
    names = [name for name in address.parameters if name.startswith(WEIGHT) and address.text(name)]
    return {
        name.removeprefix(WEIGHT): address.number(name, low=0, high=MAX_WEIGHT) or 0.0
        for name in names
    }


def _field(address: Address, name: str, label: str, **props: Any) -> html.Label:
    field = dcc.Input(
        id=name, name=name, type="text", value=address.text(name) or "", autoComplete="off", **props
    )
    return html.Label([label, field], htmlFor=name)


def _by_words(collection: Collection, address: Address, words: str) -> Children:
    hits = collection.search(
        words,
        may_open_files=False,
        k=address.integer("k", DEFAULT_K, low=1, high=MAX_K),
        threshold=address.number("threshold"),
        weights=_weights_asked(address),
        where=address.text("where"),
    )
    return _results(collection, hits, texts.found(len(hits), words))


def _by_picture(desk: Desk, address: Address, name: str) -> Children:
    collection, jpeg = desk.collection, desk.pictures.jpeg(name)
    if jpeg is None:
        return [html.P(texts.UPLOAD_GONE, className="empty")]
    hits = collection.search(
        image=jpeg,
        k=address.integer("k", DEFAULT_K, low=1, high=MAX_K),
        threshold=address.number("threshold"),
        weights=_weights_asked(address),
        where=address.text("where"),
    )
    shown = Picture(src=f"/query-pictures/{name}", alt=texts.UPLOADED, className="query-picture")
    return [shown, *_results(collection, hits, texts.found_like(len(hits)))]


def _results(collection: Collection, hits: Hits, heading: str) -> Children:
    """The hits, parted into likely, doubtful and background ones."""
    if not hits:
        return [html.H2(texts.NOTHING_FOUND), html.P(texts.NOTHING_FOUND_HINT, className="empty")]
    facts = {image.image_id: image for image in collection.images([hit.image_id for hit in hits])}
    verdict = html.P(texts.verdict(hits.verdict), className="lead", role="status")
    shown: Children = [html.H2(heading), verdict]
    bands = {
        texts.LIKELY: (LIKELY, inf),
        texts.DOUBTFUL: (DOUBTFUL, LIKELY),
        texts.BACKGROUND: (-inf, DOUBTFUL),
    }
    for title, (low, high) in bands.items():
        some = [hit for hit in hits if low <= hit.relevance < high]
        if some:
            shown.append(html.H3(title))
            shown.append(hits_panel(some, [facts[hit.image_id] for hit in some]))
    return shown
