"""Clusters as contact sheets, and one cluster with all its members."""

from __future__ import annotations

from dash import html

from bilderatlas.collection import Collection
from bilderatlas.results import Cluster, Clustering, Run, image_id_of
from bilderatlas.web import texts
from bilderatlas.web.page import Address, Children, Desk, Page, aria, link
from bilderatlas.web.panel import command, file_name, pager, panel, thumbnail

NOISE = -1
N_SHEETS = 60  # a page
N_ON_A_SHEET = 7
N_MEMBERS = 60  # a page


def page(desk: Desk, address: Address) -> Page:
    """Show every cluster of `?run=`, the largest first, and the noise after them."""
    collection = desk.collection
    runs = collection.runs("cluster")
    if not runs:
        line = texts.cluster_command(str(collection.path))
        return Page(
            texts.CLUSTERS, [html.H1(texts.NO_CLUSTERS), command(texts.NO_CLUSTERS_HINT, line)]
        )
    clustering = collection.clustering(address.text("run"))
    sheets = _all_clusters(clustering)
    number = address.integer("page", 1, low=1, high=1 + len(sheets) // N_SHEETS)
    shown = sheets[(number - 1) * N_SHEETS : number * N_SHEETS]
    return Page(
        texts.CLUSTERS,
        [
            html.H1(texts.CLUSTERS),
            html.P(texts.clusters_of(len(clustering.clusters), clustering.run), className="lead"),
            run_links("/clusters", runs, clustering.run),
            html.Ul(_sheets(collection, clustering, shown), className="sheets"),
            pager(address, page=number, n=len(sheets), n_a_page=N_SHEETS),
        ],
    )


def one_page(desk: Desk, address: Address, cluster: str) -> Page:
    """Show the members of one cluster, the firmest first."""
    collection, number = desk.collection, int(cluster)
    clustering = collection.clustering(address.text("run"))
    places = clustering.members(number)  # (M,)
    last = max(1, -(-len(places) // N_MEMBERS))
    shown = address.integer("page", 1, low=1, high=last)
    part = places[(shown - 1) * N_MEMBERS : shown * N_MEMBERS]
    left = _left(collection, [image_id_of(clustering.region_ids[place]) for place in part])
    members = collection.images(list(left))
    name = _name(clustering, number)
    return Page(
        name,
        [
            html.P(html.A(texts.ALL_CLUSTERS, href=link("/clusters", run=clustering.run))),
            html.H1(name),
            html.P(texts.n_images(len(places)), className="lead"),
            html.P(texts.NOISE_HINT, className="lead") if number == NOISE else None,
            panel(members),
            pager(address, page=shown, n=len(places), n_a_page=N_MEMBERS),
        ],
    )


def run_links(path: str, runs: list[Run], shown: str) -> html.Nav | None:
    """The other runs, to choose from."""
    if len(runs) < 2:
        return None
    links = [
        html.A(
            texts.run(run.run, run.parameters.get("dims")),
            href=link(path, run=run.run),
            **(aria(current="page") if run.run == shown else {}),
        )
        for run in runs
    ]
    return html.Nav(links, className="runs", **aria(label=texts.RUNS))


def cluster_address(clustering: Clustering, number: int) -> str:
    """The page of a cluster."""
    return link(f"/clusters/{number}", run=clustering.run)


def _all_clusters(clustering: Clustering) -> list[Cluster]:
    noise = [Cluster(NOISE, texts.NOISE, clustering.n_noise)] if clustering.n_noise else []
    return [*clustering.clusters, *noise]


def _name(clustering: Clustering, number: int) -> str:
    names = {cluster.cluster: cluster.name for cluster in clustering.clusters}
    return texts.cluster(number, names.get(number, ""))


def _sheets(
    collection: Collection, clustering: Clustering, clusters: list[Cluster]
) -> list[html.Li]:
    """One contact sheet a cluster. All their images are asked for at once."""
    first_ids = {
        cluster.cluster: [
            image_id_of(clustering.region_ids[place])
            for place in clustering.members(cluster.cluster)[:N_ON_A_SHEET]
        ]
        for cluster in clusters
    }
    left = _left(collection, [image_id for ids in first_ids.values() for image_id in ids])
    return [
        _sheet(clustering, one, {i: left[i] for i in first_ids[one.cluster] if i in left})
        for one in clusters
    ]


def _left(collection: Collection, image_ids: list[str]) -> dict[str, str]:
    """The paths of those images that are still here: a run outlives the images of its time."""
    paths = zip(image_ids, collection.paths(image_ids), strict=True)
    return {image_id: path for image_id, path in paths if path}


def _sheet(clustering: Clustering, cluster: Cluster, path_of: dict[str, str]) -> html.Li:
    pictures: Children = [
        thumbnail(image_id, file_name(path)) for image_id, path in path_of.items()
    ]
    name = texts.cluster(cluster.cluster, cluster.name)
    caption = [html.H2(name), html.Span(texts.n_images(cluster.size))]
    return html.Li(
        html.A(
            [html.Div(pictures, className="contact"), html.Div(caption, className="caption")],
            href=cluster_address(clustering, cluster.cluster),
        ),
        className="noise" if cluster.cluster == NOISE else "",
    )
