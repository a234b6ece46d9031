"""Labelling in bulk: pictures grouped by the label that they may have, and what gives it to them.

`static/label.js` has the keys; what can be selected is marked as `static/selection.js` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html

from bilderatlas.collection import Collection
from bilderatlas.results import ImageFacts, LabelCounts, Suggestion
from bilderatlas.storage.labels import LONGEST
from bilderatlas.web import forms, i18n, request_context, selection
from bilderatlas.web.address import Address, Children, Desk, Page, aria, data, link
from bilderatlas.web.views.results import NARROWEST, WIDEST, file_name, pager, thumbnail

LABELS = "/api/v1/labels"
SHOWS = SUGGESTED, UNSURE, DIFFERENT, UNLABELLED, ALL = (
    *("suggested", "unsure", "different", "unlabelled", "all"),
)
ORDERS = {SUGGESTED: "confident", UNSURE: "unsure", DIFFERENT: "diverse"}
LIMITS = ("cluster", "run", "selection", "where")
N_ON_A_PAGE = 60
N_OF_A_GROUP = 24
N_GROUPS = 6
N_KEYS = 9
N_LISTED = 40  # labels that are offered without being typed
SURE = 0.5  # from here, a suggestion stands in the group of its label


@dataclass(frozen=True, slots=True)
class Meant:
    """What the address says of which pictures are to be labelled."""

    query: str | None
    cluster: int | None
    run: str | None
    label: str | None
    where: str | None
    selection: str | None
    show: str

    @classmethod
    def of(cls, address: Address) -> Meant:
        cluster = address.text("cluster")
        label = address.text("label")
        return cls(
            address.text("q"),
            address.integer("cluster", -1, low=-1, high=2**31 - 1) if cluster else None,
            address.text("run"),
            label,
            address.text("where"),
            address.text("selection"),
            ALL if label else address.choice("show", SHOWS),
        )

    @property
    def said(self) -> dict[str, Any]:
        """The same as `Collection.select` and the REST API take it."""
        return {
            "query": self.query,
            "cluster": self.cluster,
            "run": self.run,
            "label": self.label,
            "unlabelled": self.show != ALL,
            "where": self.where,
            "selection": self.selection,
        }


def page(desk: Desk, address: Address) -> Page:
    """Show the pictures that are meant, with what they may show, and take their labels."""
    collection, meant = desk.collection, Meant.of(address)
    counts = collection.labels()
    image_ids = collection.select(**meant.said)
    may_edit = request_context.current().may_edit
    shown = _pictures(collection, address, meant, image_ids, is_first=not counts)
    return Page(
        i18n.LABEL,
        [
            html.H1(i18n.LABEL),
            _progress(counts),
            _choice(address, meant, counts),
            *([_all_at_once(meant, len(image_ids))] if may_edit and image_ids else []),
            *(shown if image_ids else [html.P(i18n.NOTHING_TO_LABEL, className="empty")]),
            *([_dock(counts), _help()] if may_edit else []),
        ],
    )


# -- what is meant


def _progress(counts: LabelCounts) -> html.Div:
    said = i18n.labelled_of(counts.n_labelled, counts.n_images)
    bar = html.Progress(value=str(counts.n_labelled), max=str(max(counts.n_images, 1)))
    return html.Div([html.Label([said, bar])], className="lead labelled")


def _choice(address: Address, meant: Meant, counts: LabelCounts) -> html.Div:
    """Which pictures: by words, and how they are shown; those of a label."""
    field = dcc.Input(
        id="q",
        name="q",
        type="search",
        value=meant.query or "",
        placeholder=i18n.LABEL_SEARCH_HINT,
        autoComplete="off",
    )
    kept = [forms.hidden(name, address.text(name)) for name in LIMITS if address.text(name)]
    asked = html.Form(
        [
            html.Label([html.Span(i18n.LABEL_SEARCH), field], htmlFor="q"),
            forms.choice("show", i18n.LABEL_SHOW, i18n.LABEL_SHOWS, meant.show),
            *kept,
            forms.submit(i18n.LABEL_SHOW_BUTTON),
        ],
        action="/label",
        method="get",
        className="acting",
    )
    return html.Div(
        [asked, *_limits(address, meant), *_of_labels(meant, counts)], className="meant"
    )


def _limits(address: Address, meant: Meant) -> Children:
    """What else narrows the pictures, and the way out of it."""
    said = [] if meant.cluster is None else [i18n.in_cluster(meant.cluster, meant.run)]
    said += [i18n.IN_SELECTION] if meant.selection else []
    said += [i18n.only_where(meant.where)] if meant.where else []
    if not said:
        return []
    way_out = address.but(**dict.fromkeys((*LIMITS, "page")))
    return [html.P([" ".join(said), " ", html.A(i18n.LABEL_EVERYWHERE, href=way_out)])]


def _of_labels(meant: Meant, counts: LabelCounts) -> Children:
    if not counts:
        return []
    links = [
        html.A(
            [html.Bdi(each.label), " ", html.Span(i18n.count(each.n_images), className="size")],
            href=link("/label", label=each.label),
            **(aria(current="page") if each.label == meant.label else {}),
        )
        for each in counts[:N_LISTED]
    ]
    return [html.Nav(links, className="runs", **aria(label=i18n.LABELS))]


def _all_at_once(meant: Meant, n: int) -> html.Details:
    """One label for everything that is meant, after a question."""
    said = [
        forms.hidden(f"all.{name}", str(value).lower() if isinstance(value, bool) else value)
        for name, value in meant.said.items()
        if value is not None
    ]
    form = forms.acting(
        LABELS,
        [_label_field("label-all"), *said, forms.submit(i18n.LABEL_ALL_BUTTON)],
        confirm=i18n.label_all_question(n),
        said=i18n.labelled_all(n),
    )
    return html.Details([html.Summary(i18n.label_all(n)), form], className="at-once")


# -- the pictures


def _pictures(
    collection: Collection,
    address: Address,
    meant: Meant,
    image_ids: Sequence[str],
    *,
    is_first: bool,
) -> Children:
    """`is_first`: there are no labels yet, so nothing can be suggested."""
    if meant.show in (UNLABELLED, ALL):
        return _as_listed(collection, address, image_ids, with_suggestions=meant.show == UNLABELLED)
    show = DIFFERENT if is_first else meant.show
    n = len(image_ids) if show == SUGGESTED else N_ON_A_PAGE
    found = collection.suggest_labels(image_ids, n=max(n, 1), order=ORDERS[show])
    lead = html.P(i18n.FIRST_LABELS if is_first else i18n.LABEL_LEADS[show], className="lead")
    if show == SUGGESTED and any(each.confidence >= SURE for each in found):
        return [lead, *_groups(collection, found)]
    return [lead, _panel(collection, found[:N_ON_A_PAGE])]


def _as_listed(
    collection: Collection, address: Address, image_ids: Sequence[str], *, with_suggestions: bool
) -> Children:
    n_pages = -(-len(image_ids) // N_ON_A_PAGE)
    number = address.integer("page", 1, low=1, high=max(n_pages, 1))
    some = image_ids[(number - 1) * N_ON_A_PAGE : number * N_ON_A_PAGE]
    suggested = collection.suggest_labels(some, n=N_ON_A_PAGE) if with_suggestions and some else ()
    found = {each.image_id: each for each in suggested}
    listed = [found.get(image_id, Suggestion(image_id, None, 0, 0)) for image_id in some]
    return [
        _panel(collection, listed),
        pager(address, page=number, n=len(image_ids), n_a_page=N_ON_A_PAGE),
    ]


def _groups(collection: Collection, found: Iterable[Suggestion]) -> Children:
    """The pictures by the label that they are likely to have, the largest group first."""
    groups: dict[str, list[Suggestion]] = {}
    for each in found:
        if each.label is not None and each.confidence >= SURE:
            groups.setdefault(each.label, []).append(each)
    largest = sorted(groups.items(), key=lambda group: -len(group[1]))[:N_GROUPS]
    return [_group(collection, label, members) for label, members in largest]


def _group(collection: Collection, label: str, members: Sequence[Suggestion]) -> html.Section:
    shown = members[:N_OF_A_GROUP]
    heading: Children = [
        html.H2(html.Bdi(label)),
        html.Span(i18n.shown_of(len(shown), len(members)), className="size"),
    ]
    if request_context.current().may_edit:
        accept = i18n.accept(len(shown), label)
        heading.append(
            html.Button(accept, type="button", className="button main", **data(group=label))
        )
    return html.Section([html.Div(heading, className="group-head"), _panel(collection, shown)])


def _panel(collection: Collection, listed: Sequence[Suggestion]) -> html.Ul:
    ids = [each.image_id for each in listed]
    rows = zip(collection.images(ids), collection.labels_of(ids), listed, strict=True)
    items = [_item(*row) for row in rows]
    return html.Ul(items, className="panel labelling", **data(selecting="label"))


def _item(image: ImageFacts, labels: Sequence[str], suggested: Suggestion) -> html.Li:
    name = file_name(image.path)
    ratio = min(max(image.width / image.height, NARROWEST), WIDEST)
    picture = html.Span(thumbnail(image.image_id, name), className="frame")
    may_edit = request_context.current().may_edit
    chips = [_chip(label, may_edit) for label in labels]
    if suggested.label is not None:
        chips.append(_offer(suggested, may_edit))
    return html.Li(
        [
            html.A(picture, href=link(f"/images/{image.image_id}"), title=image.path),
            *([selection.box(image.image_id, name)] if may_edit else []),
            html.Div(chips or [html.Span(name, className="name")], className="chips"),
        ],
        style={"--ratio": f"{ratio:.3f}"},
        **data(suggested=suggested.label or ""),
    )


def _chip(label: str, may_edit: bool) -> html.Button | html.Span:
    """A label that a picture has; a click takes it away."""
    if not may_edit:
        return html.Span(html.Bdi(label), className="chip")
    title = i18n.take_label(label)
    return html.Button(
        html.Bdi(label),
        type="button",
        className="chip",
        title=title,
        **data(take=label),
        **aria(label=title),
    )


def _offer(suggested: Suggestion, may_edit: bool) -> html.Button | html.Span:
    """A label that a picture may have; a click gives it."""
    label = suggested.label or ""
    shown = [html.Bdi(label), html.Span(i18n.percent(suggested.confidence), className="size")]
    if not may_edit:
        return html.Span(shown, className="chip offered")
    title = i18n.give_label(label, suggested.confidence)
    return html.Button(
        shown,
        type="button",
        className="chip offered",
        title=title,
        **data(give=label),
        **aria(label=title),
    )


# -- giving labels


def _dock(counts: LabelCounts) -> html.Section:
    """What gives labels to the selected pictures; it stays at the foot of the window."""
    by_age = sorted(counts, key=lambda each: each.since)
    keys = [_key(str(i), each.label) for i, each in enumerate(by_age[:N_KEYS], start=1)]
    new = html.Form(
        [
            _label_field("label-new", "labels-known"),
            html.Button(i18n.GIVE_LABEL, type="submit", className="button main"),
        ],
        action=LABELS,
        method="post",
        className="acting",
        **data(new=""),
    )
    known = [html.Option(value=each.label) for each in counts[:N_LISTED]]
    help_ = html.Button("?", type="button", className="small", title=i18n.KEYS, **data(help=""))
    return html.Section(
        [
            html.Output(
                **data(one=i18n.ONE_SELECTED, many=i18n.MANY_SELECTED, none=i18n.NONE_SELECTED)
            ),
            html.Div(keys, className="keys"),
            new,
            html.Datalist(known, id="labels-known"),
            help_,
        ],
        className="dock",
        **data(
            said=i18n.LABELLED_SAID,
            taken=i18n.TAKEN_SAID,
            undone=i18n.UNDONE_SAID,
            which=i18n.WHICH_PICTURE,
        ),
        **aria(label=i18n.GIVE_LABELS),
    )


def _key(key: str, label: str) -> html.Button:
    return html.Button(
        [html.Kbd(key), html.Bdi(label)],
        type="button",
        className="small",
        **data(key=key, label=label),
    )


def _label_field(name: str, known: str | None = None) -> html.Label:
    field = dcc.Input(
        id=name,
        name="label",
        type="text",
        placeholder=i18n.LABEL_HINT,
        maxLength=LONGEST,
        autoComplete="off",
        required=True,
        list=known,
    )
    return html.Label([html.Span(i18n.LABEL_FIELD), field], htmlFor=name)


def _help() -> html.Dialog:
    listed = [
        part for key, does in i18n.LABEL_KEYS for part in (html.Dt(html.Kbd(key)), html.Dd(does))
    ]
    close = html.Form(html.Button(i18n.CLOSE, type="submit", className="button"), method="dialog")
    return html.Dialog(
        [html.H2(i18n.KEYS), html.Dl(listed), close], id="label-help", **aria(label=i18n.KEYS)
    )
