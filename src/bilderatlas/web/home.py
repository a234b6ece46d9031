"""The first page: some of what is inside, where to search, and what to do next."""

from __future__ import annotations

from dash import html

from bilderatlas.results import CollectionInfo
from bilderatlas.web import texts
from bilderatlas.web.page import Address, Children, Desk, Page, link
from bilderatlas.web.panel import command, panel
from bilderatlas.web.search_form import form

N_SAMPLE = 36
MAX_SEED = 2**31 - 1


def page(desk: Desk, address: Address) -> Page:
    """Show some images, drawn at random by `?seed=`."""
    collection = desk.collection
    seed = address.integer("seed", 0, low=0, high=MAX_SEED)
    info = collection.info()
    if info.n_images == 0:
        return Page(texts.HOME, _empty(info))
    sample = collection.sample(N_SAMPLE, seed=seed)
    another = link("/", seed=(seed + 1) % MAX_SEED)
    return Page(
        texts.HOME,
        [
            html.Div(
                [html.H1(info.name), form(Address("/search", {}), collection)], className="opening"
            ),
            html.Div(
                [
                    html.P(
                        [
                            html.Strong(texts.sample_of(len(sample), info.n_images)),
                            f" {texts.SAMPLE_LEAD}",
                        ]
                    ),
                    html.A(texts.ANOTHER_SAMPLE, href=another, className="button"),
                ],
                className="lead",
            ),
            panel(sample),
            *_next(info),
        ],
    )


def _empty(info: CollectionInfo) -> Children:
    return [
        html.H1(texts.EMPTY_COLLECTION),
        command(texts.EMPTY_COLLECTION_HINT, texts.index_command(info.path)),
    ]


def _next(info: CollectionInfo) -> Children:
    """The commands that add what the collection lacks."""
    verbs = {run.verb for run in info.runs}
    lines: Children = []
    if "cluster" not in verbs:
        lines.append(command(texts.NEXT_CLUSTER, texts.cluster_command(info.path)))
    if "project" not in verbs:
        lines.append(command(texts.NEXT_PROJECT, texts.project_command(info.path)))
    if info.n_problems:
        said = f"{texts.n_problems(info.n_problems)}. {texts.NEXT_PROBLEMS}"
        lines.append(command(said, texts.problems_command(info.path)))
    return [html.Aside([html.H2(texts.NEXT), *lines], className="next")] if lines else []
