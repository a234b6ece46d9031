"""The first page: what is inside, what was skipped, what to do next, and where to add pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from dash import html

from bilderatlas.results import CollectionInfo, IndexRun
from bilderatlas.web import forms, i18n, request_context
from bilderatlas.web.address import Address, Children, Desk, Page, aria, data, link
from bilderatlas.web.views.results import command, panel
from bilderatlas.web.views.search_form import form

N_SAMPLE = 18
N_REASONS = 3
MAX_SEED = 2**31 - 1
JOBS = "/api/v1/jobs"
OBJECTS = "objects"


def page(desk: Desk, address: Address) -> Page:
    """Say what there is, and show some images, drawn at random by `?seed=`."""
    collection = desk.collection
    seed = address.integer("seed", 0, low=0, high=MAX_SEED)
    info = collection.info()
    if info.n_images == 0:
        return Page(i18n.HOME, _empty(info))
    reasons = collection.browse_problems(n=1).reasons if info.n_problems else {}
    search = html.Div(
        [html.H1(info.name), form(Address("/search", {}), collection)], className="opening"
    )
    return Page(
        i18n.HOME,
        [
            html.Div([search, *_adding()], className="welcome"),
            _inside(info, reasons),
            _sample_lead(seed, min(N_SAMPLE, info.n_images), info.n_images),
            html.Div(panel(collection.sample(N_SAMPLE, seed=seed)), className="drawn"),
            *_next(info),
        ],
    )


def _empty(info: CollectionInfo) -> Children:
    children: Children = [html.H1(i18n.EMPTY_COLLECTION), *_adding()]
    if request_context.current().may_edit:
        children.append(command(i18n.EMPTY_COLLECTION_HINT, i18n.index_command(info.path)))
    return [html.Div(children, **data(counts="true"))]


def _adding() -> Children:
    """Where files are dropped or chosen, which `static/uploads.js` sends."""
    if not request_context.current().may_edit:
        return []
    kinds = {"files": i18n.CHOOSE_FILES, "folder": i18n.CHOOSE_FOLDER}
    buttons = [
        html.Button(label, type="button", className="button", **data(choose=kind))
        for kind, label in kinds.items()
    ]
    children = [
        html.H2(i18n.ADD_PICTURES),
        html.P(i18n.ADD_HINT),
        html.Div(buttons, className="ways"),
    ]
    return [html.Section(children, className="adding", **aria(label=i18n.ADD_PICTURES))]


def _sample_lead(seed: int, n: int, n_all: int) -> html.Div:
    another = link("/", seed=(seed + 1) % MAX_SEED)
    said = html.P([html.Strong(i18n.sample_of(n, n_all)), f" {i18n.SAMPLE_LEAD}"])
    return html.Div(
        [said, html.A(i18n.ANOTHER_SAMPLE, href=another, className="button")], className="lead"
    )


# -- what is inside


def _inside(info: CollectionInfo, reasons: Mapping[str, int]) -> html.Dl:
    """Counts by kind, the spaces, the last run of `index`, what was skipped."""
    facts = [
        _fact(i18n.PICTURES, i18n.count(info.n_images), large=True, more=_places(info)),
        _fact(
            i18n.PARTS_INSIDE,
            i18n.count(info.n_regions - info.n_images),
            large=True,
            more=[i18n.part_count(kind, n) for kind, n in info.kinds.items() if kind != "image"],
        ),
        _fact(i18n.SPACE, info.active_space or "", more=_spaces(info)),
        *([_last_index(info.last_index)] if info.last_index else []),
        *([_skipped(info.n_problems, reasons)] if info.n_problems else []),
    ]
    return html.Dl(facts, className="inside", **data(counts="true"))


def _fact(name: str, value: str, *, more: Children | None = None, large: bool = False) -> html.Div:
    lines = html.Ul([html.Li(line) for line in more]) if more else None
    return html.Div(
        [html.Dt(name), html.Dd(value, className="large" if large else ""), html.Dd(lines)]
    )


def _places(info: CollectionInfo) -> Children:
    return [i18n.n_places(info.n_places), i18n.n_sources(len(info.sources))]


def _spaces(info: CollectionInfo) -> Children:
    """What else can be asked, and what the active one lacks."""
    others = [about.space for about in info.spaces if about.space != info.active_space]
    lacking = {one.space: one.n_missing for one in info.coverage if one.n_missing}
    return [
        *[i18n.space_lacks(n) for space, n in lacking.items() if space == info.active_space],
        *others,
    ]


def _last_index(run: IndexRun) -> html.Div:
    when = run.finished_at.astimezone().strftime("%Y-%m-%d %H:%M")
    speed = i18n.indexed_at(run.images_per_s, run.device)
    return _fact(i18n.LAST_INDEX, when, more=[speed, *run.finders])


def _skipped(n: int, reasons: Mapping[str, int]) -> html.Div:
    """How many files were skipped, and the most frequent reasons."""
    lines: Children = [
        html.A(i18n.n_because(count, reason), href=link("/problems", reason=reason))
        for reason, count in islice(reasons.items(), N_REASONS)
    ]
    lines.append(html.A(i18n.ALL_PROBLEMS, href="/problems"))
    return _fact(i18n.SKIPPED, i18n.count(n), large=True, more=lines)


# -- what to do next


def _next(info: CollectionInfo) -> Children:
    """What the collection lacks, each with the button that starts the job."""
    if not request_context.current().may_edit:
        return []
    verbs = {run.verb for run in info.runs}
    steps: Children = []
    if "cluster" not in verbs:
        line = i18n.cluster_command(info.path)
        steps.append(_step(i18n.STEP_CLUSTER, i18n.STEP_CLUSTER_HINT, "cluster", line=line))
    if "project" not in verbs:
        line = i18n.project_command(info.path)
        steps.append(
            _step(
                i18n.STEP_PROJECT,
                i18n.STEP_PROJECT_HINT,
                "project",
                line=line,
                options={"dims": "3"},
            )
        )
    if OBJECTS not in info.finding.names:
        steps.append(_find_step(info.finding.names))
    if info.sources:
        steps.append(_step(i18n.STEP_INDEX, i18n.STEP_INDEX_HINT, "index"))
    return [html.Section([html.H2(i18n.NEXT), html.Ul(steps, className="steps")])]


def _find_step(names: Sequence[str]) -> html.Li:
    """Look for objects too, beside what is looked for already."""
    wanted = [forms.hidden("options.find[]", name) for name in (*names, OBJECTS)]
    return _step(i18n.STEP_FIND, i18n.STEP_FIND_HINT, "index", fields=wanted)


def _step(
    title: str,
    hint: str,
    verb: str,
    *,
    line: str | None = None,
    options: dict[str, str] | None = None,
    fields: Children | None = None,
) -> html.Li:
    """One step: what it does, its button, and its command where that is short."""
    said: Children = [html.Strong(title), html.P(hint)]
    members = [forms.hidden(f"options.{name}", value) for name, value in (options or {}).items()]
    start = html.Button(i18n.START, type="submit", className="button", **aria(label=title))
    sent: Children = [forms.hidden("verb", verb), *members, *(fields or []), start]
    if line:
        said.append(html.Code(line))
    return html.Li([html.Div(said), forms.acting(JOBS, sent, said=i18n.STARTED)])
