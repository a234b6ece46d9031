"""What was skipped: why, where, and another try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from dash import dcc, html

from bilderatlas.collection import Collection
from bilderatlas.results import Problem, ProblemKind, ProblemPage
from bilderatlas.web import forms, i18n, request_context
from bilderatlas.web.address import Address, Children, Desk, Page, aria, data, link
from bilderatlas.web.views.results import pager

N_A_PAGE = 100
N_REASONS = 40  # that are offered; the others are found by the path
MAX_PAGE = 1_000_000
JOBS = "/api/v1/jobs"
ASKED = ("kind", "stage", "reason", "q")
OF_SPACES = "reindex"  # the stage of pictures that another space lacks


def page(desk: Desk, address: Address) -> Page:
    """List what was skipped: of a `?kind=`, `?stage=`, `?reason=`, with `?q=` in its path."""
    number = address.integer("page", 1, low=1, high=MAX_PAGE)
    asked = {name: address.text(name) for name in ASKED}
    kind = _kind(address)
    found = desk.collection.browse_problems(
        kind=kind,
        stage=asked["stage"],
        reason=asked["reason"],
        query=asked["q"],
        n=N_A_PAGE,
        start=(number - 1) * N_A_PAGE,
    )
    opening = [html.H1(i18n.PROBLEMS), html.P(_lead(found, kind, asked), className="lead")]
    if not any(found.kinds.values()) and not any(asked.values()):
        return Page(i18n.PROBLEMS, opening)
    return Page(
        i18n.PROBLEMS,
        [
            *opening,
            html.Div(
                [_filters(address, found), html.Div(_listed(desk, address, found, number))],
                className="ledger",
                **data(counts="true"),
            ),
        ],
    )


def _kind(address: Address) -> ProblemKind:
    """What is listed; a kind that there is not is taken for problems."""
    asked = address.text("kind")
    return next((kind for kind in i18n.KINDS_OF_PROBLEMS if kind == asked), "problem")


def _lead(found: ProblemPage, kind: ProblemKind, asked: Mapping[str, str | None]) -> str:
    if found.n_problems:
        return i18n.n_skipped(kind, found.n_problems)
    if any(asked.values()):
        return i18n.NO_SUCH_PROBLEM
    n_others = sum(found.kinds.values())
    return i18n.no_problems_but(n_others) if n_others else i18n.NO_PROBLEMS


# -- which ones


def _filters(address: Address, found: ProblemPage) -> html.Div:
    """Part of the path, kinds, stages, reasons; each with how many there are."""
    return html.Div(
        [
            _path_field(address),
            *_kinds(address, found),
            *_choice(address, "stage", i18n.STAGE, found.stages, i18n.STAGES),
            *_choice(address, "reason", i18n.REASON, found.reasons, {}),
        ],
        className="ledger-filters",
    )


def _path_field(address: Address) -> html.Form:
    kept = [
        dcc.Input(name=name, type="hidden", value=address.text(name) or "")
        for name in ("kind", "stage", "reason")
    ]
    field = dcc.Input(
        id="q", name="q", type="search", value=address.text("q") or "", autoComplete="off"
    )
    label = html.Label([i18n.PART_OF_PATH, field], htmlFor="q")
    return html.Form(
        [label, *kept, html.Button(i18n.FILTER_BUTTON, type="submit", className="small")],
        action="/problems",
        method="get",
        role="search",
        className="ledger-path",
    )


def _kinds(address: Address, found: ProblemPage) -> Children:
    """Links to problems, to what was passed over and to small pictures, where there are such."""
    chosen = _kind(address)
    if not any(n for kind, n in found.kinds.items() if kind != "problem") and chosen == "problem":
        return []
    items = []
    for kind, called in i18n.KINDS_OF_PROBLEMS.items():
        asked = None if kind == "problem" else kind
        there = address.but(kind=asked, stage=None, reason=None, page=None)
        items.append(_way(called, found.kinds[kind], there, kind == chosen))
    return [html.H2(i18n.KIND_OF_PROBLEM), html.Ul(items, className="ledger-ways")]


def _choice(
    address: Address, name: str, title: str, counts: Mapping[str, int], called: Mapping[str, str]
) -> Children:
    """Links that choose one value of a column, or all again."""
    chosen = address.text(name)
    if not chosen and len(counts) < 2:
        return []
    items = [_way(i18n.ALL, None, address.but(**{name: None}, page=None), not chosen)]
    for value, n in islice(counts.items(), N_REASONS):
        there = address.but(**{name: value}, page=None)
        items.append(_way(called.get(value, value), n, there, value == chosen))
    return [html.H2(title), html.Ul(items, className="ledger-ways")]


def _way(called: str, n: int | None, there: str, is_chosen: bool) -> html.Li:
    count = [html.Span(i18n.count(n), className="size")] if n is not None else []
    chosen = aria(current="true") if is_chosen else {}
    return html.Li(html.A([html.Span(called), *count], href=there, **chosen))


# -- the list, and what can be done


def _listed(desk: Desk, address: Address, found: ProblemPage, number: int) -> Children:
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(said, scope="col") for said in i18n.PROBLEM_COLUMNS])),
            html.Tbody([_row(problem) for problem in found]),
        ],
        className="problems",
    )
    paged = pager(address, page=number, n=found.n_problems, n_a_page=N_A_PAGE)
    return [_ways(desk.collection, address, found), table, *([paged] if paged else [])]


def _row(problem: Problem) -> html.Tr:
    when = problem.when.astimezone().strftime("%Y-%m-%d %H:%M")
    return html.Tr(
        [
            html.Td(html.Span(problem.uri, className="path"), **data(label=i18n.LIES_AT)),
            html.Td(problem.reason),
            html.Td([i18n.STAGES.get(problem.stage, problem.stage), html.Time(when)]),
        ]
    )


def _ways(collection: Collection, address: Address, found: ProblemPage) -> html.Div:
    """The list as a file, and another try."""
    asked = {name: address.text(name) for name in ASKED}
    file = html.A(
        i18n.AS_CSV, href=link("/api/v1/problems.csv", **asked), className="button", target="_self"
    )
    ways: Children = [file]
    if request_context.current().may_edit and found.n_problems:
        ways += _tries(set(found.stages), address.text("stage"), found.sources)
    return html.Div(ways, className="ways")


def _tries(stages: set[str], stage: str | None, sources: Sequence[str]) -> Children:
    """Read again what failed: what a source has already is passed over. Or complete the space."""
    stages = {stage} if stage else stages
    tries: Children = []
    if stages - {OF_SPACES}:
        named = [forms.hidden("options.sources[]", source) for source in sources]
        fields = [forms.hidden("verb", "index"), *named, forms.submit(i18n.TRY_AGAIN)]
        tries.append(forms.acting(JOBS, fields, said=i18n.STARTED))
    if OF_SPACES in stages:
        fields = [forms.hidden("verb", "reindex"), forms.submit(i18n.COMPLETE_SPACE)]
        tries.append(forms.acting(JOBS, fields, said=i18n.STARTED))
    return tries
