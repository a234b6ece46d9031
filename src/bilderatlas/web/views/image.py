"""One image: the picture with its parts, what is known of it, its neighbors, and the way on."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html

from bilderatlas.arrays import Box
from bilderatlas.collection import Collection
from bilderatlas.errors import ImageNotFound
from bilderatlas.results import ImageFacts, Part
from bilderatlas.web import forms, i18n
from bilderatlas.web.address import Address, Children, Desk, Page, aria, data, link
from bilderatlas.web.request_context import current
from bilderatlas.web.views import list_position
from bilderatlas.web.views.cluster_links import called
from bilderatlas.web.views.list_position import Way
from bilderatlas.web.views.results import Picture, file_name, hits_panel
from bilderatlas.web.views.search_form import space_links

N_NEIGHBORS = 18
N_RUNS = 3  # the newest clusterings are looked through
N_LABELS = 100  # that are proposed while one is typed
LONGEST_LABEL = 200
PICTURE_SIDE = 2048  # pixels, the longest that a picture is shown with
LABELS = "/api/v1/labels"


def page(desk: Desk, address: Address, image_id: str) -> Page:
    """Show an image large, with its parts and the images most like it."""
    collection = desk.collection
    facts, parts = collection.image(image_id), collection.parts(image_id)
    name = file_name(facts.path)
    told = [
        html.H1(name),
        *_labels(collection, image_id),
        *_parts(parts),
        *_words(parts),
        *_clusters(collection, image_id),
        html.H2(i18n.FACTS),
        _facts(facts),
    ]
    return Page(
        name,
        [
            _way(list_position.through(desk, address, image_id)),
            html.Article(
                [_mount(facts, parts), html.Div(told, className="facts")], className="image"
            ),
            html.H2(i18n.NEIGHBORS, id="neighbors"),
            *_neighbors(collection, address, image_id),
        ],
    )


def _way(way: Way) -> html.Nav:
    """Back to the list, and to the images before and after; image.js has the keys."""
    links: Children = [html.A(i18n.BACK_TO_LIST, href=way.back, className="back", title="Esc")]
    if beside := way.beside:
        told = html.Span(i18n.place_in_list(beside.place + 1, beside.n_images), className="size")
        links += [
            _step(beside.previous, "prev", i18n.PREVIOUS_IMAGE, "←", way.came_from),
            told,
            _step(beside.next, "next", i18n.NEXT_IMAGE, "→", way.came_from),
        ]
    return html.Nav(links, className="way", **aria(label=i18n.WAY))


def _step(image_id: str | None, rel: str, said: str, key: str, came_from: str) -> html.A:
    """A link to another image of the list; without an address where there is none."""
    href = link(f"/images/{image_id}", **{"from": came_from}) if image_id else None
    disabled = {} if image_id else aria(disabled="true")
    return html.A(said, href=href, rel=rel, title=key, className="small", role="link", **disabled)


def _mount(facts: ImageFacts, parts: Sequence[Part]) -> html.Div:
    large = link(f"/api/v1/images/{facts.image_id}/picture")
    scale = min(1, PICTURE_SIDE / max(facts.width, facts.height))
    size = {
        "--ratio": f"{facts.width / facts.height:.4f}",
        "--width": f"{max(round(facts.width * scale), 1)}px",
    }
    picture = Picture(src=large, alt=file_name(facts.path))
    boxes = html.Div([_box(part) for part in parts], className="boxes", **aria(hidden="true"))
    stage = html.Div([picture, boxes], className="stage", style=size)
    tools = [
        _toggle("full", i18n.FULL_SIZE, "z"),
        *([_toggle("boxes", i18n.SHOW_PARTS, "b")] if parts else []),
        html.A(i18n.OPEN_ALONE, href=large, target="_blank", rel="noopener", className="small"),
    ]
    return html.Div(
        [
            html.Div(stage, className="mount", tabIndex="-1"),
            html.P(i18n.PICTURE_GONE, className="refusal gone", hidden=True),
            html.Div(tools, className="picture-tools"),
        ]
    )


def _toggle(what: str, said: str, key: str) -> html.Button:
    return html.Button(
        said,
        type="button",
        className="small",
        title=key,
        **data(toggle=what),
        **aria(pressed="false"),
    )


def _box(part: Part) -> html.A:
    """A part's outline over the picture, for the pointer; the list beside it is for all."""
    return html.A(
        html.Span(_called(part)),
        href=link("/search", part=part.region_id),
        tabIndex="-1",
        style=_placed(part.box),
        **data(part=part.region_id),
    )


def _placed(box: Box) -> dict[str, str]:
    x0, y0, x1, y1 = box
    sides = {"left": x0, "top": y0, "width": x1 - x0, "height": y1 - y0}
    return {side: f"{share:.2%}" for side, share in sides.items()}


def _called(part: Part) -> str:
    return f"{i18n.part(part.kind, part.label, part.text)} {part.score:.0%}"


def _parts(parts: Sequence[Part]) -> Children:
    """Every part, a link that searches for others like it."""
    if not parts:
        return []
    items = [
        html.Li(
            html.A(
                [
                    html.Bdi(i18n.part(part.kind, part.label, part.text)),
                    html.Span(f"{i18n.PARTS[part.kind]} · {part.score:.0%}", className="size"),
                ],
                href=link("/search", part=part.region_id),
                **data(part=part.region_id),
            )
        )
        for part in parts
    ]
    hint = html.P(i18n.PARTS_HINT, className="hint")
    return [html.H2(i18n.n_parts(len(parts))), hint, html.Ul(items, className="parts")]


def _words(parts: Sequence[Part]) -> Children:
    """The words found, from the top of the picture down, to be copied."""
    found = [part for part in parts if part.text]
    if not found:
        return []
    lines = [part.text for part in sorted(found, key=lambda part: (part.box[1], part.box[0]))]
    return [
        html.H2(i18n.WORDS_FOUND),
        html.Pre("\n".join(filter(None, lines)), id="words-found", tabIndex="0"),
        html.Button(
            i18n.COPY,
            type="button",
            className="small",
            **data(copy="words-found", said=i18n.COPIED),
        ),
    ]


def _labels(collection: Collection, image_id: str) -> Children:
    """People's labels, each a way to the other images that have it; editors change them."""
    may_edit = current().may_edit
    labels = collection.labels_of([image_id])[0]
    items = [
        html.Li([_label(label), *([_take(image_id, label)] if may_edit else [])])
        for label in labels
    ]
    shown: Children = (
        [html.Ul(items, className="labels", **aria(label=i18n.LABELS))] if items else []
    )
    return [*shown, _give(collection, image_id)] if may_edit else shown


def _label(label: str) -> html.A:
    return html.A(html.Bdi(label), href=link("/gallery", label=label))


def _take(image_id: str, label: str) -> html.Form:
    said = i18n.take_label_off(label)
    button = html.Button(type="submit", className="take", title=said, **aria(label=said))
    fields = [forms.hidden("images[]", image_id), forms.hidden("label", label), button]
    return forms.acting(LABELS, fields, method="DELETE", said=i18n.label_taken(label))


def _give(collection: Collection, image_id: str) -> html.Form:
    field = dcc.Input(
        name="label",
        type="text",
        list="labels-known",
        maxLength=LONGEST_LABEL,
        autoComplete="off",
        required=True,
    )
    known = [html.Option(value=each.label) for each in collection.labels()[:N_LABELS]]
    return forms.acting(
        LABELS,
        [
            html.Label([html.Span(i18n.NEW_LABEL), field]),
            html.Datalist(known, id="labels-known"),
            forms.hidden("images[]", image_id),
            forms.submit(i18n.GIVE_THIS_LABEL),
        ],
        said=i18n.LABEL_GIVEN,
    )


def _clusters(collection: Collection, image_id: str) -> Children:
    """The clusters that the image is in, by the newest runs."""
    items = []
    for run in collection.runs("cluster")[:N_RUNS]:
        for cluster in collection.clusters_of(image_id, run=run.run):
            href = link(f"/clusters/{cluster.cluster}", run=run.run)
            name = html.A(html.Bdi(called(cluster)), href=href)
            items.append(html.Li([name, html.Span(run.run, className="size")]))
    if not items:
        return []
    return [html.H2(i18n.CLUSTERS), html.Ul(items, className="in-clusters")]


def _facts(facts: ImageFacts) -> html.Dl:
    rows: list[tuple[str, str]] = [
        (i18n.SIZE, i18n.pixels(facts.width, facts.height)),
        (i18n.KIND_OF_FILE, facts.media_type),
    ]
    if facts.taken_at:
        rows.append((i18n.TAKEN_AT, facts.taken_at.strftime("%Y-%m-%d %H:%M")))
    for place in facts.places:
        rows += [(str(name), str(value)) for name, value in place.metadata.items()]
        rows.append((i18n.LIES_AT, place.path))
    rows.append((i18n.IMAGE_ID, facts.image_id))
    return html.Dl([part for name, value in rows for part in (html.Dt(name), html.Dd(value))])


def _neighbors(collection: Collection, address: Address, image_id: str) -> Children:
    """The nearest images, by one space of several."""
    space = address.text("space")
    return [*space_links(collection, address), *_nearest(collection, image_id, space)]


def _nearest(collection: Collection, image_id: str, space: str | None) -> Children:
    try:
        hits = collection.similar(image_id, k=N_NEIGHBORS, space=space)
    except ImageNotFound as lacking:  # a space of texts has only images with texts
        return [html.P(str(lacking), className="empty")]
    if not hits:
        return [html.P(i18n.NO_NEIGHBORS, className="empty")]
    more = html.A(
        i18n.MORE_LIKE_THIS,
        href=link("/search", q=f"image:{image_id}", space=space),
        className="button",
    )
    return [hits_panel(hits, collection.images([hit.image_id for hit in hits])), html.P(more)]
