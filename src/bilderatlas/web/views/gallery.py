"""The gallery: all images, or those chosen, at random, by name or by date, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from dash import dcc, html

from bilderatlas.collection import Collection
from bilderatlas.collection.image_lists import ImageList
from bilderatlas.results import ImageFacts, Month
from bilderatlas.web import i18n
from bilderatlas.web.address import Address, Children, Desk, Page, aria
from bilderatlas.web.views import facets
from bilderatlas.web.views.results import pager, panel

N_A_PAGE = 60
MAX_SEED = 2**31 - 1
ORDERS = ("random", "name", "date", "newest")  # those of `Collection.listed`, the usual first
BY_DATE = ("date", "newest")
MAX_PAGE = 10**9


def page(desk: Desk, address: Address) -> Page:
    """Show a page of a list of images."""
    collection = desk.collection
    found = listed(collection, address)
    number = address.integer("page", 1, low=1, high=MAX_PAGE)
    start = (number - 1) * N_A_PAGE
    images = found.stretch(start, N_A_PAGE)
    return Page(
        i18n.GALLERY,
        [
            html.H1(i18n.GALLERY),
            html.Div([_orders(address), *_another(address)], className="lead"),
            facets.offer(address, collection),
            *filter(None, [facets.chips(address)]),
            html.P(_counted(found, address), className="lead", role="status"),
            *_timeline(found, address),
            *_shown(images, address),
            *filter(None, [pager(address, page=number, n=len(found), n_a_page=N_A_PAGE)]),
            *_jump(address, number, len(found)),
        ],
    )


def listed(collection: Collection, address: Address) -> ImageList:
    """The list that an address of the gallery is of. Raises QueryError, LabelsError."""
    chosen = facets.read(address, collection)
    return collection.listed(
        _order(address),
        seed=_seed(address),
        where=chosen.where,
        kinds=chosen.kinds,
        label=chosen.label,
        unlabelled=chosen.unlabelled,
        selection=chosen.selection,
    )


def _order(address: Address) -> str:
    return address.choice("order", ORDERS)


def _seed(address: Address) -> int:
    return address.integer("seed", 0, low=0, high=MAX_SEED)


def _orders(address: Address) -> html.Nav:
    asked = _order(address)
    links = [
        html.A(
            i18n.ORDERS[order],
            href=address.but(order=None if order == ORDERS[0] else order, page=None, seed=None),
            **(aria(current="true") if order == asked else {}),
        )
        for order in ORDERS
    ]
    return html.Nav(links, className="runs", **aria(label=i18n.ORDER))


def _another(address: Address) -> Children:
    if _order(address) != ORDERS[0]:
        return []
    another = address.but(seed=(_seed(address) + 1) % MAX_SEED, page=None)
    return [html.A(i18n.ANOTHER_SAMPLE, href=another, className="button")]


def _counted(found: ImageList, address: Address) -> Children:
    how = f" {i18n.SAMPLE_LEAD}" if _order(address) == ORDERS[0] and len(found) else ""
    return [html.Strong(i18n.n_images(len(found))), how]


def _shown(images: Sequence[ImageFacts], address: Address) -> Children:
    if not images:
        return [html.P(i18n.NO_SUCH_IMAGES, className="empty")]
    if _order(address) not in BY_DATE:
        return [panel(images, came_from=address.here)]
    shown: Children = []
    for month, some in groupby(images, key=_month):
        shown += [html.H2(i18n.month(month)), panel(list(some), came_from=address.here)]
    return shown


def _month(image: ImageFacts) -> tuple[int, int] | None:
    return (image.taken_at.year, image.taken_at.month) if image.taken_at else None


def _timeline(found: ImageList, address: Address) -> Children:
    """The years of a list by date, each a link to the page that it begins on."""
    if _order(address) not in BY_DATE or len(found) <= N_A_PAGE:
        return []
    links = []
    for year, months in groupby(found.months(), key=lambda month: month.month and month.month[0]):
        links.append(_year(address, year, list(months)))
    return [html.Nav(links, className="timeline", **aria(label=i18n.YEARS))]


def _year(address: Address, year: int | None, months: Iterable[Month]) -> html.A:
    first, *others = months
    n = first.n_images + sum(month.n_images for month in others)
    number = first.start // N_A_PAGE + 1
    counted = html.Span(i18n.count(n), className="size")
    return html.A(
        [i18n.UNDATED if year is None else str(year), counted],
        href=address.but(page=number if number > 1 else None),
    )


def _jump(address: Address, number: int, n: int) -> Children:
    """A field for the page of a long list."""
    n_pages = -(-n // N_A_PAGE)
    if n_pages < 4:
        return []
    field = dcc.Input(
        name="page", type="text", inputMode="numeric", value=str(number), autoComplete="off"
    )
    label = html.Label([i18n.PAGE, field, i18n.of_pages(n_pages)])
    send = html.Button(i18n.GO, type="submit", className="small")
    kept = facets.hidden(address, "page")
    return [html.Form([label, send, *kept], action=address.path, method="get", className="jump")]
