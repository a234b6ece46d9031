"""All clusters of a run as contact sheets, sorted and filtered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import dcc, html

from bilderatlas.collection import Collection
from bilderatlas.results import Cluster, Clustering, ClusterShape
from bilderatlas.web import i18n
from bilderatlas.web.address import Address, Children, Desk, Page, aria, link
from bilderatlas.web.request_context import current
from bilderatlas.web.views import new_run
from bilderatlas.web.views.cluster_links import NOISE, called, run_links
from bilderatlas.web.views.contact_sheets import sheets
from bilderatlas.web.views.results import command, pager

N_SHEETS = 60  # a page
N_LOST = 100  # decisions that a run does not honour
SORTS = ("size", "tightness", "name", "confidence")


def page(desk: Desk, address: Address) -> Page:
    """Show the clusters of `?run=` by `?sort=`, those whose name or words hold `?q=`."""
    collection = desk.collection
    runs = collection.runs("cluster")
    if not runs:
        return _no_runs(collection)
    clustering = collection.clustering(address.text("run"))
    shape_of = {shape.cluster: shape for shape in collection.cluster_shapes(clustering.run)}
    found = _sorted(_matching(clustering, address.text("q")), _sort(address), shape_of)
    number = address.integer("page", 1, low=1, high=max(1, -(-len(found) // N_SHEETS)))
    shown = found[(number - 1) * N_SHEETS : number * N_SHEETS]
    return Page(
        i18n.CLUSTERS,
        [
            html.H1(i18n.CLUSTERS),
            html.P(_lead(clustering), className="lead"),
            _not_carried(clustering),
            html.Div(
                [run_links("/clusters", runs, clustering.run), _ways(clustering.run, len(runs))],
                className="narrowing",
            ),
            new_run.form(collection, unfolded=False) if current().may_edit else None,
            _narrowing(address, clustering.run),
            sheets(collection, clustering, shown, shape_of)
            if shown
            else html.P(i18n.NO_SUCH_CLUSTER, className="empty"),
            pager(address, page=number, n=len(found), n_a_page=N_SHEETS),
        ],
    )


def _no_runs(collection: Collection) -> Page:
    line = i18n.cluster_command(str(collection.path))
    children = [html.H1(i18n.NO_CLUSTERS), command(i18n.NO_CLUSTERS_HINT, line)]
    if current().may_edit:
        children.insert(1, new_run.form(collection, unfolded=True))
    return Page(i18n.CLUSTERS, children)


def _lead(clustering: Clustering) -> Children:
    about = clustering.about
    return [
        i18n.clusters_of(len(clustering.clusters), clustering.run),
        ". ",
        i18n.made_by(about.method, about.parameters, i18n.PARTS.get(about.kind, about.kind)),
    ]


def _not_carried(clustering: Clustering) -> html.Details | None:
    """What people decided elsewhere and this run does not honour, and why."""
    lost = clustering.not_carried
    if not lost:
        return None
    items = [html.Li(f"{one.about}: {one.reason}", lang="en") for one in lost[:N_LOST]]
    summary = html.Summary(i18n.not_carried(len(lost)))
    return html.Details([summary, html.Ul(items)], className="not-carried")


def _ways(run: str, n_runs: int) -> html.Nav:
    """To the pages beside this one."""
    links = [
        html.A(i18n.ADVICE, href="/clusters/advice", className="small"),
        html.A(i18n.DECISIONS, href="/decisions", className="small"),
    ]
    if n_runs > 1:
        compare = link("/clusters/compare", first=run)
        links.insert(1, html.A(i18n.COMPARE_RUNS, href=compare, className="small"))
    return html.Nav(links, className="ways", **aria(label=i18n.MORE_ABOUT_CLUSTERS))


def _narrowing(address: Address, run: str) -> html.Div:
    """The filter, and the orders to choose from."""
    kept = {name: address.text(name) for name in ("run", "sort") if address.text(name)}
    field = dcc.Input(
        id="q",
        name="q",
        type="search",
        value=address.text("q") or "",
        placeholder=i18n.FILTER_HINT,
        autoComplete="off",
        maxLength=200,
    )
    fields = [dcc.Input(name=name, type="hidden", value=value) for name, value in kept.items()]
    search = html.Form(
        [
            html.Label(i18n.FILTER_CLUSTERS, htmlFor="q", className="unseen"),
            field,
            *fields,
            html.Button(i18n.FILTER_BUTTON, type="submit", className="small"),
        ],
        action="/clusters",
        method="get",
        role="search",
        className="filter",
    )
    sort = _sort(address)
    orders = [
        html.A(
            i18n.CLUSTER_SORTS[name],
            href=address.but(sort=None if name == SORTS[0] else name, page=None),
            **_is_current(name == sort),
        )
        for name in SORTS
    ]
    nav = html.Nav(
        [html.Span(i18n.SORTED_BY), *orders], className="orders", **aria(label=i18n.SORTED_BY)
    )
    return html.Div([search, nav], className="narrowing")


def _is_current(is_so: bool) -> dict[str, Any]:
    return aria(current="true") if is_so else {}


def _sort(address: Address) -> str:
    return address.choice("sort", SORTS)


def _matching(clustering: Clustering, words: str | None) -> list[Cluster]:
    """The clusters whose name or words hold what is looked for; the noise where nothing is."""
    if words:
        sought = words.casefold()
        return [
            one
            for one in clustering.clusters
            if any(sought in held.casefold() for held in (called(one), *one.words))
        ]
    noise = Cluster(NOISE, i18n.NOISE, clustering.n_noise, 0.0, "number", ())
    return [*clustering.clusters, *([noise] if clustering.n_noise else [])]


def _sorted(found: list[Cluster], sort: str, shape_of: Mapping[int, ClusterShape]) -> list[Cluster]:
    """In the order asked for, the noise last."""

    def key(cluster: Cluster) -> Any:
        if sort == "tightness":
            shape = shape_of.get(cluster.cluster)
            return -shape.tightness if shape else 0
        return {
            "size": -cluster.size,
            "name": called(cluster).casefold(),
            "confidence": -cluster.confidence,
        }[sort]

    clusters = sorted((one for one in found if one.cluster != NOISE), key=key)
    return [*clusters, *(one for one in found if one.cluster == NOISE)]
