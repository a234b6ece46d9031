"""Trying models and settings: what a classifier says of a sample, and two spaces side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html

from bilderatlas.collection import Collection
from bilderatlas.results import ClassCount, Classification, Hit, Hits, ImageFacts, image_id_of
from bilderatlas.web import forms, i18n
from bilderatlas.web.address import Address, Children, Desk, Page, aria, link
from bilderatlas.web.views.results import NARROWEST, WIDEST, command, file_name, thumbnail

VIEWS = CLASSES, SPACES = ("classes", "spaces")
WAYS = PROMPTS, BUILTIN, NEIGHBORS, LOGISTIC = ("prompts", "builtin", "neighbors", "logistic")
N_SAMPLE, MAX_SAMPLE = 300, 5000
MAX_SEED = 2**31 - 1
MAX_PROMPTS = 200
N_BARS = 25
N_STRIPS = 6  # labels whose pictures are shown
N_ON_A_STRIP = 8
N_OF_A_LABEL = 48
K, MAX_K = 20, 100


def page(desk: Desk, address: Address) -> Page:
    """Show one of the two comparisons, by `?view=`."""
    view = address.choice("view", VIEWS)
    shown = (_classes if view == CLASSES else _spaces)(desk.collection, address)
    return Page(
        i18n.COMPARE, [html.H1(i18n.COMPARE), _views(view), html.Div(shown, className="compare")]
    )


def _views(shown: str) -> html.Nav:
    links = [
        html.A(
            i18n.COMPARE_VIEWS[view],
            href=link("/compare", view=view if view != CLASSES else None),
            **(aria(current="page") if view == shown else {}),
        )
        for view in VIEWS
    ]
    links.append(html.A(i18n.COMPARE_RUNS, href="/clusters/compare"))
    return html.Nav(links, className="runs", **aria(label=i18n.COMPARE))


# -- what a classifier says of a sample


def _classes(collection: Collection, address: Address) -> Children:
    way = address.choice("by", WAYS)
    prompts = [each.strip() for each in (address.text("prompts") or "").split(",") if each.strip()]
    form = _classes_form(collection, address, way)
    if way == PROMPTS and not prompts:
        return [form, html.P(i18n.PROMPTS_LEAD, className="empty")]
    made = collection.classify(
        prompts=prompts[:MAX_PROMPTS] if way == PROMPTS else None,
        model=BUILTIN if way == BUILTIN else None,
        method=way if way in (NEIGHBORS, LOGISTIC) else None,
        space=address.text("space"),
        sample=address.integer("n", N_SAMPLE, low=1, high=MAX_SAMPLE),
        seed=address.integer("seed", 0, low=0, high=MAX_SEED),
        top=1,
    )
    return [form, *_said(collection, address, made)]


def _classes_form(collection: Collection, address: Address, way: str) -> html.Form:
    return html.Form(
        [
            forms.choice("by", i18n.CLASSIFY_BY, i18n.CLASSIFY_WAYS, way),
            _field(address, "prompts", i18n.PROMPTS, i18n.PROMPTS_HINT),
            _field(address, "n", i18n.SAMPLE_SIZE, str(N_SAMPLE), inputMode="numeric"),
            _field(address, "seed", i18n.SAMPLE_SEED, "0", inputMode="numeric"),
            *_space_choice(collection, address, "space", i18n.COMPARE_SPACE),
            forms.submit(i18n.TRY_IT),
        ],
        action="/compare",
        method="get",
        className="acting",
    )


def _said(collection: Collection, address: Address, made: Classification) -> Children:
    chosen = address.text("label")
    is_none = address.text("none") is not None
    counts = made.counts
    seed = address.integer("seed", 0, low=0, high=MAX_SEED)
    another = address.but(seed=(seed + 1) % MAX_SEED, label=None, none=None)
    lead = html.P(
        [
            i18n.sample_said(len(made.region_ids), len(counts)),
            " ",
            html.A(i18n.ANOTHER_SAMPLE, href=another),
        ],
        className="lead",
    )
    if chosen is not None or is_none:
        strips = [_strip(collection, made, None if is_none else chosen, N_OF_A_LABEL)]
    else:
        strips = [_strip(collection, made, each.label, N_ON_A_STRIP) for each in counts[:N_STRIPS]]
    return [lead, _bars(address, counts), *strips]


def _bars(address: Address, counts: Sequence[ClassCount]) -> html.Table:
    """The most frequent labels: a table whose second column draws its third."""
    most = max(each.n_regions for each in counts)
    head = html.Thead(html.Tr([html.Th(title, scope="col") for title in i18n.BARS_HEAD]))
    rows = []
    for each in counts[:N_BARS]:
        name = i18n.NONE_OF_THESE if each.label is None else each.label
        bar = html.Span(className="share", style={"--share": f"{each.n_regions / most:.3f}"})
        where = {"label": each.label, "none": 1 if each.label is None else None}
        is_here = address.but(**where) == address.but()
        here = aria(current="true") if is_here else {}
        named = html.A(html.Bdi(name), href=address.but(**where), **here)
        cells = [
            html.Td(bar),
            html.Td(i18n.count(each.n_regions)),
            html.Td(i18n.percent(each.probability)),
        ]
        rows.append(html.Tr([html.Th(named, scope="row"), *cells]))
    caption = html.Caption(i18n.bars_of(min(N_BARS, len(counts)), len(counts)))
    return html.Table([caption, head, html.Tbody(rows)], className="bars")


def _strip(collection: Collection, made: Classification, label: str | None, n: int) -> html.Section:
    places = made.members(label)[:n]
    sure = {
        image_id_of(made.region_ids[place]): float(made.probabilities[place, 0]) for place in places
    }
    items = [
        _item(image, [html.Span(i18n.percent(sure[image.image_id]))])
        for image in collection.images(list(sure))
    ]
    name = i18n.NONE_OF_THESE if label is None else label
    return html.Section([html.H2(html.Bdi(name)), html.Ul(items, className="panel small-panel")])


# -- two spaces


@dataclass(frozen=True, slots=True)
class _Side:
    """What one space found, and at which rank the other has each."""

    space: str
    hits: Hits
    ranks_there: Mapping[str, int]  # image id -> its rank in the other space


def _spaces(collection: Collection, address: Address) -> Children:
    spaces = _names(collection)
    if len(spaces) < 2:
        line = i18n.reindex_command(str(collection.path))
        return [command(i18n.ONE_SPACE, line)]
    first = address.text("space") or spaces[0]
    second = address.text("other") or next(name for name in spaces if name != first)
    form = html.Form(
        [
            _field(address, "q", i18n.SEARCH_LABEL, i18n.SEARCH_HINT),
            *_space_choice(collection, address, "space", i18n.FIRST_SPACE, first),
            *_space_choice(collection, address, "other", i18n.SECOND_SPACE, second),
            _field(address, "k", i18n.HOW_MANY_ANSWERS, str(K), inputMode="numeric"),
            forms.hidden("view", SPACES),
            forms.submit(i18n.SEARCH_BUTTON),
        ],
        action="/compare",
        method="get",
        className="acting",
    )
    query, image = address.text("q"), address.text("image")
    if query is None and image is None:
        return [form, html.P(i18n.SPACES_LEAD, className="empty")]
    k = address.integer("k", K, low=1, high=MAX_K)
    found = [_find(collection, query, image, k, space) for space in (first, second)]
    return [form, *_side_by_side(collection, (first, second), found)]


def _find(collection: Collection, query: str | None, image: str | None, k: int, space: str) -> Hits:
    if query is not None:
        return collection.search(query, k=k, space=space, may_open_files=False)
    return collection.similar(image or "", k=k, space=space)


def _side_by_side(collection: Collection, spaces: Sequence[str], found: Sequence[Hits]) -> Children:
    ranks = [{hit.image_id: rank for rank, hit in enumerate(hits, 1)} for hits in found]
    n_shared = len(ranks[0].keys() & ranks[1].keys())
    sides = [
        _side(collection, _Side(spaces[0], found[0], ranks[1]), "first"),
        _side(collection, _Side(spaces[1], found[1], ranks[0]), "second"),
    ]
    said = i18n.shared_hits(n_shared, min(map(len, found)))
    return [html.P(said, className="lead", role="status"), html.Div(sides, className="sides")]


def _side(collection: Collection, side: _Side, name: str) -> html.Section:
    other = "second" if name == "first" else "first"
    facts = collection.images([hit.image_id for hit in side.hits])
    items = [
        _ranked(image, hit, rank, side.ranks_there.get(hit.image_id), f"{name}-", f"{other}-")
        for rank, (image, hit) in enumerate(zip(facts, side.hits, strict=True), 1)
    ]
    verdict = html.P(i18n.verdict(side.hits.verdict), className="lead")
    return html.Section(
        [html.H2(side.space), verdict, html.Ol(items, className="panel small-panel")]
    )


def _ranked(
    image: ImageFacts, hit: Hit, rank: int, there: int | None, own: str, other: str
) -> html.Li:
    """A hit with its rank here, and the way to where it stands in the other space."""
    mark: Any = (
        html.Span(i18n.ONLY_HERE, className="size")
        if there is None
        else html.A(i18n.rank_there(there), href=f"#{other}{image.image_id}")
    )
    notes = [html.Span(i18n.rank(rank)), html.Span(i18n.score(hit.score)), mark]
    is_shared = "" if there is None else "shared"
    return _item(image, notes, id=f"{own}{image.image_id}", className=is_shared)


# -- parts


def _item(image: ImageFacts, notes: Children, **props: Any) -> html.Li:
    name = file_name(image.path)
    ratio = min(max(image.width / image.height, NARROWEST), WIDEST)
    picture = html.Span(thumbnail(image.image_id, name), className="frame")
    return html.Li(
        [
            html.A(picture, href=link(f"/images/{image.image_id}"), title=image.path),
            html.Div(notes, className="notes"),
        ],
        style={"--ratio": f"{ratio:.3f}"},
        **props,
    )


def _names(collection: Collection) -> list[str]:
    """The spaces of pictures, the active one first."""
    info = collection.info()
    names = [space.space for space in info.spaces if space.field is None]
    return sorted(names, key=lambda name: name != info.active_space)


def _space_choice(
    collection: Collection, address: Address, name: str, label: str, chosen: str | None = None
) -> Children:
    names = _names(collection)
    if len(names) < 2:
        return []
    options = {each: each for each in names}
    return [forms.choice(name, label, options, chosen or address.text(name) or names[0])]


def _field(address: Address, name: str, label: str, hint: str, **props: Any) -> html.Label:
    field = dcc.Input(
        id=name,
        name=name,
        type="text",
        value=address.text(name) or "",
        placeholder=hint,
        autoComplete="off",
        **props,
    )
    return html.Label([html.Span(label), field], htmlFor=name, className=f"field-{name}")
