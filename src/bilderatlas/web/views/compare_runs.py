"""Two runs side by side: which clusters continue each other, what stayed and what moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from dash import html

from bilderatlas.analysis.evaluation import Match
from bilderatlas.collection import Collection
from bilderatlas.results import Clustering, Exchange, Run, RunComparison
from bilderatlas.web import forms, i18n
from bilderatlas.web.address import Address, Children, Desk, Page, aria
from bilderatlas.web.views.cluster_links import cluster_address, names_of
from bilderatlas.web.views.contact_sheets import contact, paths
from bilderatlas.web.views.results import bar, pager

N_PAIRS = 20  # a page
N_PICTURES = 6  # of each sort
N_ALONE = 60  # clusters without a counterpart that are named
SORTS = ("moved", "size")


def page(desk: Desk, address: Address) -> Page:
    """Compare the runs `?first=` and `?second=`; by default the newest two over one kind."""
    collection = desk.collection
    runs = collection.runs("cluster")
    first, second = _chosen(runs, address.text("first"), address.text("second"))
    back = html.P(html.A(i18n.ALL_CLUSTERS, href="/clusters"))
    opening: Children = [back, html.H1(i18n.COMPARE_RUNS)]
    if first is None or second is None:
        return Page(i18n.COMPARE_RUNS, [*opening, html.P(i18n.ONE_RUN_ONLY, className="empty")])
    opening.append(_choice(runs, first, second))
    found = collection.compare(first, second)
    return Page(i18n.COMPARE_RUNS, [*opening, *_result(collection, address, found)])


def _chosen(
    runs: Sequence[Run], first: str | None, second: str | None
) -> tuple[str | None, str | None]:
    """The runs asked for; what is left out is the newest that goes with the other."""
    kinds = {run.run: run.kind for run in runs}
    if first is None:
        first = next((run.run for run in runs if run.run != second), None)
    if second is None:
        second = next(
            (r.run for r in runs if r.run != first and r.kind == kinds.get(first or "", r.kind)),
            None,
        )
    return first, second


def _choice(runs: Sequence[Run], first: str, second: str) -> html.Form:
    named = {run.run: f"{run.run} ({i18n.PARTS.get(run.kind, run.kind)})" for run in runs}
    return html.Form(
        [
            forms.choice("first", i18n.FIRST_RUN, named, first),
            forms.choice("second", i18n.SECOND_RUN, named, second),
            forms.submit(i18n.COMPARE_BUTTON),
        ],
        action="/clusters/compare",
        method="get",
        className="acting compared-runs",
    )


def _result(collection: Collection, address: Address, found: RunComparison) -> Children:
    sort = address.choice("sort", SORTS)
    matches = sorted(found.matches, key=_n_moved if sort == "moved" else _size, reverse=True)
    number = address.integer("page", 1, low=1, high=max(1, -(-len(matches) // N_PAIRS)))
    shown = matches[(number - 1) * N_PAIRS : number * N_PAIRS]
    pair = collection.clustering(found.first), collection.clustering(found.second)
    return [
        html.P(i18n.agreement(found.ari, found.n_moved, found.n_shared), className="lead"),
        html.P(i18n.noise_moved(found.n_into_noise, found.n_out_of_noise), className="lead")
        if found.n_noise_first or found.n_noise_second
        else None,
        html.H2(i18n.MATCHES),
        _orders(address, sort),
        _pairs(collection, pair, shown),
        pager(address, page=number, n=len(matches), n_a_page=N_PAIRS),
        *_alone(i18n.only_in(found.first), pair[0], found.only_first),
        *_alone(i18n.only_in(found.second), pair[1], found.only_second),
    ]


def _n_moved(match: Match) -> int:
    return match.n_first + match.n_second - 2 * match.n_shared


def _size(match: Match) -> int:
    return match.n_first


def _orders(address: Address, sort: str) -> html.Nav:
    links = [
        html.A(
            i18n.MATCH_SORTS[name],
            href=address.but(sort=None if name == SORTS[0] else name, page=None),
            **(aria(current="true") if name == sort else {}),
        )
        for name in SORTS
    ]
    return html.Nav([html.Span(i18n.SORTED_BY), *links], className="orders")


def _pairs(
    collection: Collection, pair: tuple[Clustering, Clustering], shown: Sequence[Match]
) -> html.Ul:
    exchanges = collection.exchanges(
        pair[0].run, pair[1].run, [(one.first, one.second) for one in shown], n=N_PICTURES
    )
    ids = chain.from_iterable((*one.stayed, *one.left, *one.came) for one in exchanges)
    path_of = paths(collection, ids)
    items = [
        _pair(pair, match, exchange, path_of)
        for match, exchange in zip(shown, exchanges, strict=True)
    ]
    return html.Ul(items, className="pairs")


def _pair(
    pair: tuple[Clustering, Clustering],
    match: Match,
    exchange: Exchange,
    path_of: Mapping[str, str | None],
) -> html.Li:
    """Three columns: what left the first cluster, what both have, what came to the second."""
    share = match.n_shared / (match.n_first + match.n_second - match.n_shared)
    left, came = match.n_first - match.n_shared, match.n_second - match.n_shared
    middle = html.Div(
        [
            html.P([i18n.n_stayed(match.n_shared), bar(share, i18n.overlap(share))]),
            contact(exchange.stayed, path_of, kind="strip"),
        ]
    )
    return html.Li(
        [
            _side(pair[0], match.first, i18n.n_left(left), exchange.left, path_of),
            middle,
            _side(pair[1], match.second, i18n.n_came(came), exchange.came, path_of),
        ]
    )


def _side(
    clustering: Clustering,
    number: int,
    counted: str,
    region_ids: Sequence[str],
    path_of: Mapping[str, str | None],
) -> html.Div:
    name = html.A(names_of(clustering)[number], href=cluster_address(clustering, number))
    return html.Div([html.H3(name), html.P(counted), contact(region_ids, path_of, kind="strip")])


def _alone(heading: str, clustering: Clustering, numbers: Sequence[int]) -> Children:
    if not numbers:
        return []
    names = names_of(clustering)
    links = [
        html.A(names[n], href=cluster_address(clustering, n), className="word")
        for n in numbers[:N_ALONE]
    ]
    more = len(numbers) - len(links)
    rest = [html.Span(i18n.and_more(more))] if more else []
    return [html.H2(heading), html.P([*links, *rest], className="words")]
