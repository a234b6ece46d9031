"""Choosing images by what is known of them: columns with their values, kinds of parts, labels.

All that is chosen stands in the address and must hold together: `is.COLUMN=` a value,
`from.COLUMN=` and `to.COLUMN=` a range of numbers or dates, `has=person,text` the kinds of parts,
`label=`, `unlabelled=1`, `where=` a condition, and `selection=` images chosen by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from dash import dcc, html

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError
from bilderatlas.storage import where
from bilderatlas.storage.where import Facet
from bilderatlas.web import i18n
from bilderatlas.web.address import Address, Children, aria

IS, FROM, TO = "is.", "from.", "to."  # and the name of a column
SHOWN = "facets"  # the parameter that shows what can be chosen
DATES = ("taken_at",)  # columns of dates, which have a range although they are texts
WHOLE = "image"  # the kind that every image has


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the images of a page must be, as `Collection.listed` takes it."""

    where: str | None
    kinds: tuple[str, ...]
    label: str | None
    unlabelled: bool
    selection: str | None


def read(address: Address, collection: Collection) -> Chosen:
    """What is chosen in an address. Raises QueryError for a column that there is not."""
    columns = dict.fromkeys(filter(None, map(_column, address.parameters)))
    known = {facet.column: facet for facet in collection.facets()} if columns else {}
    conditions = [f"({address.text('where')})"] if address.text("where") else []
    for name in columns:
        if name not in known:
            raise QueryError(i18n.no_such_column(name, list(known)))
        conditions += _conditions(address, known[name])
    return Chosen(
        " AND ".join(conditions) or None,
        _kinds(address),
        address.text("label"),
        address.text("unlabelled") is not None,
        address.text("selection"),
    )


def chips(address: Address) -> html.Ul | None:
    """What is chosen, each with a link that takes it back."""
    chosen: list[tuple[str, dict[str, object]]] = [
        (_said(address, name), {name: None})
        for name in address.parameters
        if _column(name) and address.text(name)
    ]
    for kind in _kinds(address):
        rest = ",".join(other for other in _kinds(address) if other != kind)
        chosen.append((i18n.has_part(kind), {"has": rest}))
    if label := address.text("label"):
        chosen.append((i18n.with_label(label), {"label": None}))
    if address.text("unlabelled"):
        chosen.append((i18n.WITHOUT_LABEL, {"unlabelled": None}))
    if address.text("selection"):
        chosen.append((i18n.CHOSEN_BY_HAND, {"selection": None}))
    if where := address.text("where"):
        chosen.append((where, {"where": None}))
    links = [
        html.A(
            said,
            href=address.but(page=None, **without),
            **aria(label=i18n.without(said)),
        )
        for said, without in chosen
    ]
    return html.Ul([html.Li(link) for link in links], className="chips") if links else None


def offer(address: Address, collection: Collection) -> html.Section | html.A:
    """Everything that can be chosen, or the link to it: a million images are first counted."""
    if not address.text(SHOWN):
        return html.A(i18n.MORE_OPTIONS, href=address.but(**{SHOWN: 1}), className="small narrow")
    groups = [_kinds_offered(address, collection.kinds_of_images()), _labels(address, collection)]
    groups += [_column_offered(address, facet) for facet in collection.facets()]
    shown: Children = [group for group in groups if group is not None]
    if not shown:
        shown = [html.P(i18n.NO_FACETS, className="empty")]
    away = html.A(i18n.FOLD_AWAY, href=address.but(**{SHOWN: None}), className="small narrow")
    return html.Section(
        [away, html.Div(shown, className="facet-groups")],
        className="facets",
        **aria(label=i18n.MORE_OPTIONS),
    )


def hidden(address: Address, *without: str) -> Children:
    """Fields that keep the rest of an address in a form."""
    return [
        dcc.Input(name=name, type="hidden", value=value)
        for name, value in address.parameters.items()
        if name not in without
    ]


def _column(parameter: str) -> str | None:
    for prefix in (IS, FROM, TO):
        if parameter.startswith(prefix):
            return parameter.removeprefix(prefix)
    return None


def _kinds(address: Address) -> tuple[str, ...]:
    return tuple(filter(None, (address.text("has") or "").split(",")))


def _conditions(address: Address, facet: Facet) -> list[str]:
    column, found = facet.column, []
    if value := address.text(IS + column):
        found.append(where.equals(column, value))
    if facet.column in DATES:
        found.append(where.during(column, address.text(FROM + column), address.text(TO + column)))
    else:
        low = address.number(FROM + column, low=-inf, high=inf)
        high = address.number(TO + column, low=-inf, high=inf)
        found.append(where.between(column, low, high))
    return list(filter(None, found))


def _said(address: Address, parameter: str) -> str:
    column, value = _column(parameter) or "", address.text(parameter) or ""
    sign = {IS: "", FROM: "≥ ", TO: "≤ "}[parameter.removesuffix(column)]
    return f"{i18n.COLUMNS.get(column, column)}: {sign}{value}"


def _kinds_offered(address: Address, n_of: Mapping[str, int]) -> html.Section | None:
    asked = _kinds(address)
    links = [
        _choice(address, i18n.PARTS[kind], n, has=",".join([*asked, kind]))
        for kind, n in n_of.items()
        if kind != WHOLE and kind not in asked
    ]
    return _group(i18n.PARTS_FOUND, links)


def _labels(address: Address, collection: Collection) -> html.Section | None:
    counts = collection.labels()
    if not counts or address.text("label") or address.text("unlabelled"):
        return None
    links = [
        _choice(address, each.label, each.n_images, label=each.label)
        for each in counts[: where.MAX_FACET_VALUES]
    ]
    n_without = counts.n_images - counts.n_labelled
    links.append(_choice(address, i18n.WITHOUT_LABEL, n_without, unlabelled=1))
    return _group(i18n.LABELS, links)


def _column_offered(address: Address, facet: Facet) -> html.Section | None:
    """The values of a column, the most frequent first, and a range where it has one."""
    parts: Children = []
    if address.text(IS + facet.column) is None:
        parts += [
            _choice(address, str(each.value), each.n_places, **{IS + facet.column: each.value})
            for each in facet.values
        ]
    if n_more := facet.n_values - len(facet.values) if parts else 0:
        parts.append(html.Li(i18n.more_values(n_more), className="more"))
    ranges = [_range(address, facet)] if facet.is_number or facet.column in DATES else []
    return _group(i18n.COLUMNS.get(facet.column, facet.column), parts, ranges)


def _range(address: Address, facet: Facet) -> html.Form:
    fields = [
        html.Label(
            [
                html.Span(label),
                dcc.Input(
                    name=side + facet.column,
                    type="text",
                    value=address.text(side + facet.column) or "",
                    placeholder=_short(limit),
                    autoComplete="off",
                ),
            ]
        )
        for side, label, limit in ((FROM, i18n.FROM, facet.low), (TO, i18n.TO, facet.high))
    ]
    send = html.Button(i18n.APPLY, type="submit", className="small")
    kept = hidden(address, FROM + facet.column, TO + facet.column, "page")
    return html.Form([*fields, send, *kept], action=address.path, method="get", className="range")


def _short(limit: str | float) -> str:
    """A limit as it may be written: of a date its day, of a number six digits."""
    return limit[:10] if isinstance(limit, str) else f"{limit:.6g}"


def _choice(address: Address, said: str, n: int, **change: object) -> html.Li:
    counted = html.Span(i18n.count(n), className="size")
    return html.Li(html.A([html.Bdi(said), counted], href=address.but(page=None, **change)))


def _group(title: str, links: Children, more: Children | None = None) -> html.Section | None:
    if not links and not more:
        return None
    listed = [html.Ul(links)] if links else []
    return html.Section([html.H2(title), *listed, *(more or [])])
