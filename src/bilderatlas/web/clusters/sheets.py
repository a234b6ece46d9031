"""Clusters as contact sheets: their innermost pictures, their name, how tight they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html

from bilderatlas.collection import Collection
from bilderatlas.results import Cluster, Clustering, ClusterShape, Member
from bilderatlas.web import texts
from bilderatlas.web.clusters import NOISE, cluster_address
from bilderatlas.web.page import Children
from bilderatlas.web.panel import bar, file_name, region_picture

N_ON_A_SHEET = 7


def sheets(
    collection: Collection,
    clustering: Clustering,
    shown: Sequence[Cluster],
    shape_of: Mapping[int, ClusterShape],
    *,
    notes: Mapping[int, Children] | None = None,
) -> html.Ul:
    """One contact sheet a cluster; `notes` are what stands below some, with what can be done."""
    members = {
        one.cluster: collection.members(one.cluster, run=clustering.run, n=N_ON_A_SHEET)
        for one in shown
    }
    ids = list({member.image_id for some in members.values() for member in some})
    path_of = dict(zip(ids, collection.paths(ids), strict=True))
    return html.Ul(
        [
            _sheet(
                clustering,
                one,
                contact(members[one.cluster], path_of),
                shape_of.get(one.cluster),
                (notes or {}).get(one.cluster, []),
            )
            for one in shown
        ],
        className="sheets",
    )


def contact(members: Sequence[Member], path_of: Mapping[str, str | None]) -> html.Div:
    """A few pictures side by side, the first one larger."""
    pictures = [
        region_picture(member.region_id, member.kind, file_name(path_of[member.image_id] or ""))
        for member in members
    ]
    return html.Div(pictures, className="contact")


def _sheet(
    clustering: Clustering,
    cluster: Cluster,
    pictures: html.Div,
    shape: ClusterShape | None,
    notes: Children,
) -> html.Li:
    caption: Children = [
        html.H2(texts.cluster(cluster.cluster, cluster.name)),
        html.Span([texts.count(cluster.size), _tightness(shape)], className="counts"),
    ]
    shown = html.A(
        [pictures, html.Div(caption, className="caption")],
        href=cluster_address(clustering, cluster.cluster),
    )
    return html.Li([shown, *notes], className="noise" if cluster.cluster == NOISE else "")


def _tightness(shape: ClusterShape | None) -> html.Span | None:
    if shape is None:
        return None
    return bar(shape.tightness, texts.tightness(shape.tightness))
