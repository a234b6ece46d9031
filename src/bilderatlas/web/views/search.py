"""Search by words, by an expression with images in it, or by a picture that the visitor gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from dash import html
from PIL import Image

from bilderatlas.analysis.calibration import DOUBTFUL, LIKELY
from bilderatlas.collection import Collection
from bilderatlas.errors import ImageNotFound, ImageProblem, QueryError
from bilderatlas.results import Hit, Hits, ImageFacts
from bilderatlas.web import i18n
from bilderatlas.web.address import Address, Children, Desk, Page, aria, link
from bilderatlas.web.views.results import Picture, file_name, hits_panel, pager
from bilderatlas.web.views.search_form import BROUGHT, PART_SIDE, WEIGHT, form, terms_of

DEFAULT_K = 24  # a page
MAX_K = 200
MAX_FOUND = 2000  # images that can be paged through
MAX_WEIGHT = 100.0
N_EXPORTED = 1000


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What a search found, and what was shown or said to ask it."""

    hits: Hits  # from the first page to this one
    heading: str
    shown: Children  # the picture that was asked with


def page(desk: Desk, address: Address) -> Page:
    """Show what the words `?q=`, and the picture `?picture=` or the part `?part=`, find."""
    collection, refusal = desk.collection, ""
    results: Children = [html.P(i18n.SEARCH_LEAD, className="empty")]
    try:
        found = _search(desk, address, _n_wanted(address)) if _is_asked(address) else None
        if found:
            results = [*found.shown, *_results(collection, address, found)]
    except (QueryError, ImageNotFound, ImageProblem) as refused:  # said where it can be mended
        refusal, results = str(refused), []
    opening = html.Div(
        [html.H1(i18n.SEARCH), form(address, collection, refusal=refusal)], className="opening"
    )
    return Page(address.text("q") or i18n.SEARCH, [opening, *results])


def found_ids(desk: Desk, address: Address) -> list[str]:
    """The images that a search found, up to a page behind the one in the address."""
    if not _is_asked(address):
        return []
    found = _search(desk, address, _n_wanted(address) + _k(address))
    return [hit.image_id for hit in found.hits]


def _is_asked(address: Address) -> bool:
    return any(address.text(name) for name in ("q", "picture", "part"))


def _k(address: Address) -> int:
    return address.integer("k", DEFAULT_K, low=1, high=MAX_K)


def _page_number(address: Address) -> int:
    return address.integer("page", 1, low=1, high=MAX_FOUND)


def _n_wanted(address: Address) -> int:
    return min(_k(address) * _page_number(address), MAX_FOUND)


def _search(desk: Desk, address: Address, k: int) -> SearchAnswer:
    """Raises QueryError, ImageNotFound, ImageProblem."""
    words, (picture, shown) = address.text("q"), _brought(desk, address)
    hits = desk.collection.search(
        words, image=picture, k=k, may_open_files=False, **_options(address)
    )
    return SearchAnswer(hits, _heading(words, has_picture=bool(shown)), shown)


def _brought(desk: Desk, address: Address) -> tuple[Image.Image | bytes | None, Children]:
    """The part or the picture that is asked with, and how it is shown."""
    if part := address.text("part"):
        shown = _asked_with(f"/api/v1/regions/{part}/crop", i18n.THIS_PART)
        return desk.collection.crop(part, side=PART_SIDE), [shown]
    name = address.text("picture")
    if not name:
        return None, []
    jpeg = desk.pictures.jpeg(name)
    if jpeg is None:
        raise ImageProblem(i18n.UPLOAD_GONE)
    return jpeg, [_asked_with(f"/query-pictures/{name}", i18n.UPLOADED)]


def _heading(words: str | None, *, has_picture: bool) -> str:
    if not words:
        return i18n.FOUND_LIKE
    return (i18n.found_with_picture if has_picture else i18n.found)(_readable(words))


def _readable(words: str) -> str:
    """A query with its images called so; their ids are in the field."""
    return re.sub("image:[0-9a-f]{32}", i18n.THIS_IMAGE, words)


def _asked_with(path: str, alt: str) -> Picture:
    return Picture(src=link(path), alt=alt, className="query-picture")


def _options(address: Address) -> dict[str, Any]:
    """What narrows a search, as `Collection.search` takes it."""
    kind = address.text("kind")
    return {
        "threshold": address.number("threshold"),
        "kinds": [kind] if kind else None,
        "weights": _weights(address),
        "where": address.text("where"),
        "space": address.text("space"),
        "selection": address.text("selection"),
    }


def _weights(address: Address) -> dict[str, float]:
    """The weight of each kind that has one in the address."""
    names = [name for name in address.parameters if name.startswith(WEIGHT) and address.text(name)]
    return {
        name.removeprefix(WEIGHT): address.number(name, low=0, high=MAX_WEIGHT) or 0.0
        for name in names
    }


def _results(collection: Collection, address: Address, found: SearchAnswer) -> Children:
    """A page of the hits, parted into likely, doubtful and background ones."""
    hits, number, k = found.hits, _page_number(address), _k(address)
    shown = hits[k * (number - 1) : k * number]
    if not shown:
        return [html.H2(i18n.NOTHING_FOUND), html.P(i18n.NOTHING_FOUND_HINT, className="empty")]
    facts = collection.images([hit.image_id for hit in shown])
    verdict = html.P(i18n.verdict(hits.verdict), className="lead", role="status")
    n_all = len(hits) if len(hits) < _n_wanted(address) else _n_ranked(hits)
    turning = pager(address, page=number, n=n_all, n_a_page=k)
    return [
        html.H2(found.heading),
        verdict,
        *_ways_on(address, hits),
        *_bands(address, hits, shown, facts),
        *filter(None, [turning]),
    ]


def _n_ranked(hits: Hits) -> int:
    """How many images can be paged through."""
    verdict = hits.verdict
    return min(verdict.n_likely + verdict.n_doubtful + verdict.n_background, MAX_FOUND)


def _bands(
    address: Address, hits: Hits, shown: Sequence[Hit], facts: Sequence[ImageFacts]
) -> Children:
    verdict = hits.verdict
    found = list(zip(shown, facts, strict=True))
    parted: Children = []
    for title, n, low, high in (
        (i18n.LIKELY, verdict.n_likely, LIKELY, inf),
        (i18n.DOUBTFUL, verdict.n_doubtful, DOUBTFUL, LIKELY),
    ):
        band = [(hit, fact) for hit, fact in found if low <= hit.relevance < high]
        if band:
            parted += [html.H3(i18n.band(title, n)), _panel(address, band)]
    if background := [(hit, fact) for hit, fact in found if hit.relevance < DOUBTFUL]:
        parted.append(
            html.Details(
                [
                    html.Summary(html.H3(i18n.band(i18n.BACKGROUND, verdict.n_background))),
                    html.P(i18n.BACKGROUND_HINT, className="lead"),
                    _panel(address, background),
                ],
                className="background",
                open=_page_number(address) > 1 or _is_by_likeness(address),
            )
        )
    return parted


def _is_by_likeness(address: Address) -> bool:
    """Whether a picture is asked with; the nearest are worth seeing, however far they are."""
    has_picture = any(address.text(name) for name in BROUGHT)
    return has_picture or not any(term.words for term in terms_of(address))


def _panel(address: Address, found: list[tuple[Hit, ImageFacts]]) -> html.Ul:
    return hits_panel(
        [hit for hit, _ in found],
        [fact for _, fact in found],
        came_from=address.here,
        tools=lambda image: _more_or_less(address, image),
    )


def _more_or_less(address: Address, image: ImageFacts) -> Children:
    """The links that add an image to the query, or take its likeness out of it."""
    words, name = address.text("q"), file_name(image.path)
    term = f"image:{image.image_id}"
    ways = [("+", i18n.more_like(name), f"{words} + {term}" if words else term)]
    if words:
        ways.append(("\N{MINUS SIGN}", i18n.less_like(name), f"{words} - {term}"))
    return [
        html.Span(
            [
                html.A(
                    sign,
                    href=address.but(q=query, page=None),
                    title=said,
                    **aria(label=said),
                )
                for sign, said, query in ways
            ],
            className="more-or-less",
        )
    ]


def _ways_on(address: Address, hits: Hits) -> Children:
    """What can be done with all that answer the query."""
    words = address.text("q")
    among = {name: address.text(name) for name in ("where", "selection")}
    n_answers = hits.verdict.n_likely + hits.verdict.n_doubtful
    if not words or not n_answers or _is_weighed(address):
        return []
    table = link("/api/v1/search/table", query=words, k=N_EXPORTED, **among)
    return [
        html.P(
            [
                html.A(i18n.label_answers(n_answers), href=link("/label", q=words, **among)),
                html.A(i18n.EXPORT_RESULTS, href=table, download="", target="_self"),
            ],
            className="ways-on",
        )
    ]


def _is_weighed(address: Address) -> bool:
    """Whether all that answer are others than those of the words alone."""
    options = _options(address)
    is_limited = any(options[name] for name in ("threshold", "kinds", "weights", "space"))
    return is_limited or any(address.text(name) for name in BROUGHT)
