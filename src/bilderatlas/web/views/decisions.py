"""What people decided: the log, newest first, each to be taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html

from bilderatlas.collection import Collection
from bilderatlas.results import Decision
from bilderatlas.storage import decisions as log
from bilderatlas.web import forms, i18n
from bilderatlas.web.address import Address, Desk, Page, link
from bilderatlas.web.request_context import current
from bilderatlas.web.views.results import file_name, pager, thumbnail

N_DECISIONS = 50  # a page
N_PICTURES = 6  # of a decision


def page(desk: Desk, address: Address) -> Page:
    """Show the decisions in force; with `?all=yes` those that were taken back as well."""
    collection = desk.collection
    with_undone = address.choice("all", ("no", "yes")) == "yes"
    found = list(reversed(collection.decisions(with_undone=with_undone)))
    in_force = {one.decision for one in log.in_force(found)}
    number = address.integer("page", 1, low=1, high=max(1, -(-len(found) // N_DECISIONS)))
    shown = found[(number - 1) * N_DECISIONS : number * N_DECISIONS]
    other = html.A(
        i18n.ONLY_IN_FORCE if with_undone else i18n.WITH_UNDONE,
        href=link("/decisions", all=None if with_undone else "yes"),
        className="small",
    )
    return Page(
        i18n.DECISIONS,
        [
            html.H1(i18n.DECISIONS),
            html.P(i18n.DECISIONS_LEAD, className="lead"),
            html.P(other, className="ways"),
            _list(collection, shown, in_force)
            if shown
            else html.P(i18n.NOTHING_DECIDED, className="empty"),
            pager(address, page=number, n=len(found), n_a_page=N_DECISIONS),
        ],
    )


def _list(collection: Collection, shown: Sequence[Decision], in_force: set[str]) -> html.Ol:
    ids = list({image_id for one in shown for image_id in one.image_ids[:N_PICTURES]})
    path_of = dict(zip(ids, collection.paths(ids), strict=True))
    return html.Ol(
        [_item(one, path_of, one.decision in in_force) for one in shown], className="decisions"
    )


def _item(decision: Decision, path_of: Mapping[str, str | None], is_in_force: bool) -> html.Li:
    pictures = [
        thumbnail(image_id, file_name(path))
        for image_id in decision.image_ids[:N_PICTURES]
        if (path := path_of[image_id])
    ]
    told = html.P(_told(decision), className="told")
    when = html.Time(
        i18n.moment(decision.when), dateTime=decision.when.isoformat(timespec="seconds")
    )
    about = html.P([decision.who, " · ", when, " · ", html.Code(decision.decision)])
    undo = _undo(decision) if is_in_force and current().may_edit else None
    return html.Li(
        [
            html.Div([told, about, html.Div(pictures, className="strip") if pictures else None]),
            undo if is_in_force else html.Span(i18n.TAKEN_BACK, className="taken-back"),
        ],
        className="" if is_in_force else "undone",
    )


def _told(decision: Decision) -> html.A | str:
    """What was decided; a link to where it can be seen."""
    said, told = i18n.decided(decision), decision.payload
    clusters = told.get("clusters") or [told.get("cluster")]
    if "run" not in told or clusters[0] is None:
        return said
    return html.A(said, href=link(f"/clusters/{clusters[0]}", run=str(told["run"])))


def _undo(decision: Decision) -> html.Form:
    fields = [forms.hidden("verb", log.UNDO), forms.hidden("what[]", decision.decision)]
    button = html.Button(
        i18n.UNDO, type="submit", className="small", title=i18n.undo(decision.decision)
    )
    return forms.acting(forms.DECISIONS, [*fields, button], said=i18n.UNDONE)
