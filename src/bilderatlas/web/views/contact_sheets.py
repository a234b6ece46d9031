"""Clusters as contact sheets: their innermost pictures, their name, how tight they lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from dash import html

from bilderatlas.collection import Collection
from bilderatlas.results import Cluster, Clustering, ClusterShape, image_id_of
from bilderatlas.web import i18n
from bilderatlas.web.address import Children
from bilderatlas.web.views.cluster_links import NOISE, called, cluster_address
from bilderatlas.web.views.results import bar, file_name, region_picture

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
        one.cluster: [
            member.region_id
            for member in collection.members(one.cluster, run=clustering.run, n=N_ON_A_SHEET)
        ]
        for one in shown
    }
    path_of = paths(collection, chain.from_iterable(members.values()))
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


def contact(
    region_ids: Sequence[str], path_of: Mapping[str, str | None], *, kind: str = "contact"
) -> html.Div:
    """A few pictures side by side, those that are still here; in a contact the first is larger."""
    pictures = [
        region_picture(region_id, file_name(path))
        for region_id in region_ids
        if (path := path_of[image_id_of(region_id)])
    ]
    return html.Div(pictures, className=kind)


def paths(collection: Collection, region_ids: Iterable[str]) -> dict[str, str | None]:
    """The paths of the images of some regions, by image id; None for those that have left."""
    ids = list({image_id_of(region_id) for region_id in region_ids})
    return dict(zip(ids, collection.paths(ids), strict=True))


def _sheet(
    clustering: Clustering,
    cluster: Cluster,
    pictures: html.Div,
    shape: ClusterShape | None,
    notes: Children,
) -> html.Li:
    caption: Children = [
        html.H2(called(cluster)),
        html.Span([i18n.count(cluster.size), _tightness(shape)], className="counts"),
    ]
    shown = html.A(
        [pictures, html.Div(caption, className="caption")],
        href=cluster_address(clustering, cluster.cluster),
    )
    return html.Li([shown, *notes], className="noise" if cluster.cluster == NOISE else "")


def _tightness(shape: ClusterShape | None) -> html.Span | None:
    if shape is None:
        return None
    return bar(shape.tightness, i18n.tightness(shape.tightness))
