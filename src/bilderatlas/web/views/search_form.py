"""The place to say what to look for: the words, the terms of an expression, and what narrows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dash import dcc, html

from bilderatlas.collection import Collection, queries
from bilderatlas.collection.queries import Term
from bilderatlas.errors import QueryError
from bilderatlas.web import i18n
from bilderatlas.web.address import Address, Children, aria, data, link
from bilderatlas.web.views.results import thumbnail

MAX_WORDS = 2000  # characters
PART_SIDE = 1024  # pixels of a part that is searched for
DEFAULT_K = 24
WEIGHT = "weight-"  # and the kind of region
MAX_SLID = 4  # the weight at the end of a slider; the address may say more
LIMITS = ("threshold", "k", "where", "kind", "space", "selection")
BROUGHT = ("picture", "part")  # what else is asked with, alone or beside words


def form(address: Address, collection: Collection, *, refusal: str = "") -> html.Div:
    """The form, filled with what was said before; `refusal` says why that was not searched."""
    return html.Div(
        [
            html.Form(
                [_words(address, refusal), _limits(address, collection)],
                action="/search",
                method="get",
                role="search",
                className="search",
            ),
            *_terms(address),
            *_chosen(address),
            html.Button(i18n.UPLOAD, type="button", className="drop"),  # query_picture.js
            html.P(id="picture-refusal", className="refusal", role="alert"),
        ]
    )


def terms_of(address: Address) -> tuple[Term, ...]:
    """The terms of the query in an address; none where it cannot be read."""
    has_picture = any(address.text(name) for name in BROUGHT)
    try:
        return queries.parse(address.text("q") or "", beside_picture=has_picture)
    except QueryError:
        return ()


def space_links(collection: Collection, address: Address) -> Children:
    """The ways in which pictures can be compared, where there are several."""
    spaces = collection.spaces()
    if len(spaces) < 2:
        return []
    asked = address.text("space")
    links = [
        html.A(
            name or i18n.USUAL_SPACE,
            href=address.but(space=name, page=None),
            **(aria(current="true") if name == asked else {}),
        )
        for name in (None, *(about.space for about in spaces))
    ]
    return [
        html.Nav(
            [html.Span(i18n.COMPARED_BY), *links],
            className="runs",
            **aria(label=i18n.COMPARED_BY),
        )
    ]


def _words(address: Address, refusal: str) -> html.Div:
    field = dcc.Input(
        id="q",
        name="q",
        type="search",
        value=address.text("q") or "",
        placeholder=i18n.SEARCH_HINT,
        maxLength=MAX_WORDS,
        autoComplete="off",
    )
    button = html.Button(i18n.SEARCH_BUTTON, type="submit", className="button")
    said = [html.P(refusal, className="refusal", role="alert")] if refusal else []
    return html.Div(
        [
            html.Label(i18n.SEARCH_LABEL, htmlFor="q"),
            html.Div([field, button], className="field"),
            *said,
        ]
    )


def _terms(address: Address) -> Children:
    """The terms of an expression, each to be turned around or taken out."""
    terms = terms_of(address)
    if len(terms) < 2 and not any(term.image_id for term in terms):
        return []
    items = [_term(address, terms, place) for place in range(len(terms))]
    return [html.Ul(items, className="terms", **aria(label=i18n.TERMS))]


def _term(address: Address, terms: tuple[Term, ...], place: int) -> html.Li:
    term = terms[place]
    turned = (*terms[:place], replace(term, weight=-term.weight), *terms[place + 1 :])
    left = terms[:place] + terms[place + 1 :]
    sign = "+" if term.weight > 0 else "\N{MINUS SIGN}"
    weight = "" if abs(term.weight) == 1 else f"{abs(term.weight):g}"
    called = term.words or i18n.THIS_IMAGE
    turn = html.A(
        sign + weight,
        href=_asking(address, turned),
        title=i18n.turn_term(called),
        className="sign",
        **aria(label=i18n.turn_term(called)),
    )
    out = html.A(
        "\N{MULTIPLICATION SIGN}",
        href=_asking(address, left),
        title=i18n.without(called),
        **aria(label=i18n.without(called)),
    )
    return html.Li([turn, _shown(term), out])


def _asking(address: Address, terms: tuple[Term, ...]) -> str:
    return address.but(q=queries.written(terms), page=None)


def _shown(term: Term) -> html.A | html.Bdi:
    if term.image_id is None:
        return html.Bdi(term.words or term.file)
    picture = thumbnail(term.image_id, i18n.THIS_IMAGE)
    return html.A(picture, href=link(f"/images/{term.image_id}"))


def _chosen(address: Address) -> Children:
    """The picture that is asked with, the one kind that is searched, and that only chosen images
    are: links to search without.
    """
    kind = address.text("kind")
    said = {"picture": i18n.UPLOADED, "part": i18n.THIS_PART}
    said = {name: told for name, told in said.items() if address.text(name)}
    said |= {"kind": i18n.only_kind(kind)} if kind else {}
    said |= {"selection": i18n.CHOSEN_BY_HAND} if address.text("selection") else {}
    links = [
        html.A(
            told,
            href=address.but(page=None, **{name: None}),
            **aria(label=i18n.without(told)),
        )
        for name, told in said.items()
    ]
    return [html.Ul([html.Li(one) for one in links], className="chips")] if links else []


def _limits(address: Address, collection: Collection) -> html.Details:
    """Fewer or more results, parts that count more; folded away until wanted."""
    kept = [
        dcc.Input(name=name, type="hidden", value=address.text(name) or "")
        for name in ("kind", "space", "selection", *BROUGHT)
    ]
    folded: Children = [
        html.Summary(i18n.MORE_OPTIONS),
        html.Div(
            [
                _slider(address, "threshold", i18n.THRESHOLD, default=0, high=1, step=0.01),
                _field(address, "k", i18n.HOW_MANY, inputMode="numeric", placeholder="24"),
                _field(address, "where", i18n.WHERE, placeholder=i18n.WHERE_HINT),
            ],
            className="fields",
        ),
        *_weights(address, collection),
        *space_links(collection, address),
        *kept,
    ]
    is_used = any(address.text(name) for name in _limits_in(address))
    return html.Details(folded, open=is_used, **data(fold="search"))


def _limits_in(address: Address) -> list[str]:
    """The names of the parameters that narrow a search, or weigh its parts."""
    return [*LIMITS, *(name for name in address.parameters if name.startswith(WEIGHT))]


def _weights(address: Address, collection: Collection) -> Children:
    kinds = collection.kinds()
    if len(kinds) < 2:
        return []
    sliders = [
        html.Div(
            [
                _slider(
                    address,
                    f"{WEIGHT}{kind}",
                    i18n.weight_of(kind, n),
                    default=1,
                    high=MAX_SLID,
                    step=0.25,
                ),
                html.A(
                    i18n.ONLY_THIS,
                    href=address.but(kind=kind, page=None),
                    **aria(label=i18n.only_kind(kind)),
                ),
            ],
            className="weight",
        )
        for kind, n in kinds.items()
    ]
    return [
        html.Fieldset([html.Legend(i18n.WEIGHTS), html.Div(sliders, className="fields weights")])
    ]


def _slider(
    address: Address, name: str, label: str, *, default: float, high: float, step: float
) -> html.Label:
    """A number to be slid, which is shown; where it is the default, search.js leaves it out."""
    written = address.text(name)
    slider = dcc.Input(
        id=name,
        name=name,
        type="range",
        min=0,
        max=high,
        step=step,
        value=written or str(default),
    )
    shown = html.Output(written or str(default))
    return html.Label(
        [html.Span([label, shown]), slider], htmlFor=name, **data(default=str(default))
    )


def _field(address: Address, name: str, label: str, **props: Any) -> html.Label:
    field = dcc.Input(
        id=name, name=name, type="text", value=address.text(name) or "", autoComplete="off", **props
    )
    return html.Label([label, field], htmlFor=name)
