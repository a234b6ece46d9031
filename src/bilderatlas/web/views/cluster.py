"""One cluster: its members from core to edge, its neighbors, and what can be changed."""

from __future__ import annotations

from dash import dcc, html

from bilderatlas.collection import Collection
from bilderatlas.results import Cluster, Clustering, ClusterShape
from bilderatlas.web import forms, i18n, selection
from bilderatlas.web.address import Address, Children, Desk, Page, aria, link
from bilderatlas.web.request_context import current
from bilderatlas.web.views.cluster_links import NOISE, names_of
from bilderatlas.web.views.contact_sheets import sheets
from bilderatlas.web.views.results import members_panel, pager

N_MEMBERS = 60  # a page
N_NEAREST = 6
N_OFFERED = 500  # clusters that are proposed while one is typed
CLUSTER_NAMES = "cluster-names"
LONGEST_NAME = 200


def page(desk: Desk, address: Address, cluster: str) -> Page:
    """Show one cluster of `?run=`, its members from the core (`?page=1`) to the edge."""
    collection, number = desk.collection, int(cluster)
    clustering = collection.clustering(address.text("run"))
    about = {one.cluster: one for one in clustering.clusters}.get(number)
    name = names_of(clustering).get(number, i18n.cluster(number, ""))
    to_all = html.P(html.A(i18n.ALL_CLUSTERS, href=link("/clusters", run=clustering.run)))
    if about is None and number != NOISE:
        gone = html.P(i18n.CLUSTER_GONE, className="empty")
        return Page(name, [to_all, html.H1(name), gone])
    shapes = {one.cluster: one for one in collection.cluster_shapes(clustering.run)}
    shape = shapes.get(number)
    may_edit = current().may_edit
    return Page(
        name,
        [
            to_all,
            html.H1(name),
            *_facts(clustering, about, shape),
            _tools(clustering, about, shape) if about and may_edit else None,
            *_members(collection, address, clustering, number, may_edit),
            *_nearest(collection, clustering, number, shapes, may_edit),
            _names(clustering, shape),
        ],
    )


def _facts(clustering: Clustering, about: Cluster | None, shape: ClusterShape | None) -> Children:
    if about is None:
        return [
            html.P(i18n.n_pictures(clustering.n_noise), className="lead"),
            html.P(i18n.NOISE_HINT, className="lead"),
        ]
    told = [i18n.n_pictures(about.size)]
    if shape:
        told.append(i18n.tightness(shape.tightness))
    told.append(i18n.named_by(about.source, about.confidence))
    words = [html.Span(word, className="word") for word in about.words]
    return [
        html.P(" · ".join(told), className="lead"),
        html.P([html.Span(i18n.WORDS_READ), *words], className="words") if words else None,
    ]


def _tools(clustering: Clustering, about: Cluster, shape: ClusterShape | None) -> html.Section:
    """Rename, merge and split."""
    return html.Section(
        [
            _decision(
                clustering,
                "name",
                [forms.hidden("what[]", about.cluster), _name_field(about)],
                i18n.RENAME,
                i18n.RENAMED,
            ),
            _decision(
                clustering,
                "merge",
                [forms.hidden("what[]", about.cluster), _cluster_field("merge", i18n.MERGE_WITH)],
                i18n.MERGE,
                i18n.MERGED,
            ),
            _decision(
                clustering,
                "split",
                [forms.hidden("what[]", about.cluster), _parts_field(about.size)],
                i18n.SPLIT,
                i18n.SPLIT_DONE,
            )
            if about.size > 1
            else None,
        ],
        className="tools",
        **aria(label=i18n.CHANGE_CLUSTER),
    )


def _decision(
    clustering: Clustering, verb: str, fields: Children, label: str, said: str
) -> html.Form:
    """A form that decides something about this run."""
    about = [forms.hidden("verb", verb), forms.hidden("run", clustering.run)]
    return forms.acting(forms.DECISIONS, [*about, *fields, forms.submit(label)], said=said)


def _name_field(about: Cluster) -> html.Label:
    field = dcc.Input(
        id="cluster-name",
        name="what[]",
        type="text",
        value=about.name,
        maxLength=LONGEST_NAME,
        autoComplete="off",
        required=True,
    )
    return html.Label([i18n.NAME, field], htmlFor="cluster-name")


def _cluster_field(use: str, label: str) -> html.Label:
    """A cluster by its name, with proposals."""
    field = dcc.Input(
        id=f"{use}-with",
        name="what[]",
        type="text",
        list=CLUSTER_NAMES,
        autoComplete="off",
        required=True,
        value="",
    )
    return html.Label([label, field], htmlFor=f"{use}-with")


def _parts_field(size: int) -> html.Label:
    field = dcc.Input(
        id="parts", name="parts", type="number", value=2, min=2, max=min(size, 50), step=1
    )
    return html.Label([i18n.INTO_PARTS, field], htmlFor="parts")


def _names(clustering: Clustering, shape: ClusterShape | None) -> html.Datalist:
    """The names of the other clusters, the nearest first; as they are known to `decide`."""
    named = {one.cluster: one.name for one in clustering.clusters}
    near = [one.cluster for one in shape.nearest] if shape else []
    numbers = dict.fromkeys([*near, *named])
    offered = [n for n in numbers if shape is None or n != shape.cluster][:N_OFFERED]
    return html.Datalist([html.Option(value=named[n]) for n in offered], id=CLUSTER_NAMES)


def _members(
    collection: Collection,
    address: Address,
    clustering: Clustering,
    number: int,
    may_edit: bool,
) -> Children:
    shown = address.integer("page", 1, low=1, high=1_000_000)
    run, start = clustering.run, (shown - 1) * N_MEMBERS
    members = collection.members(number, run=run, start=start, n=N_MEMBERS)
    ids = list(dict.fromkeys(member.image_id for member in members))
    facts = {image.image_id: image for image in collection.images(ids)}
    return [
        html.H2(i18n.MEMBERS),
        selection.offer() if may_edit else None,
        members_panel(
            members,
            facts,
            selecting_as=f"{run}/{number}" if may_edit else None,
            came_from=address.here,
        ),
        pager(address, page=shown, n=members.n_all, n_a_page=N_MEMBERS),
        selection.bar(_actions(clustering, number)) if may_edit else None,
    ]


def _actions(clustering: Clustering, number: int) -> Children:
    """What can be done with selected members."""
    move = [selection.chosen(), _cluster_field("move", i18n.MOVE_TO)]
    actions = [_decision(clustering, "move", move, i18n.MOVE, i18n.MOVED)]
    if number != NOISE:
        leave = [forms.hidden("what[]", number), selection.chosen()]
        out = [selection.chosen(), forms.hidden("what[]", "out")]
        actions += [
            _decision(clustering, "split", leave, i18n.SPLIT_OFF, i18n.SPLIT_OFF_DONE),
            _decision(clustering, "move", out, i18n.MOVE_OUT, i18n.MOVED_OUT),
        ]
    return actions


def _nearest(
    collection: Collection,
    clustering: Clustering,
    number: int,
    shapes: dict[int, ClusterShape],
    may_edit: bool,
) -> Children:
    """The clusters beside this one, each with how near it is and a button to merge."""
    if number not in shapes or not shapes[number].nearest:
        return []
    near = {one.cluster: one.closeness for one in shapes[number].nearest[:N_NEAREST]}
    clusters = {one.cluster: one for one in clustering.clusters}
    notes: dict[int, Children] = {}
    for other, closeness in near.items():
        notes[other] = [html.P(i18n.near(closeness), className="near")]
        if may_edit:
            both = [forms.hidden("what[]", number), forms.hidden("what[]", other)]
            notes[other].append(_decision(clustering, "merge", both, i18n.MERGE_HERE, i18n.MERGED))
    return [
        html.H2(i18n.NEAREST_CLUSTERS),
        sheets(collection, clustering, [clusters[n] for n in near], shapes, notes=notes),
    ]
