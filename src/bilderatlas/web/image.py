"""One image: the picture in full, what is known of it, and its nearest neighbors."""

from __future__ import annotations

from dash import html

from bilderatlas.collection import Collection
from bilderatlas.results import ImageFacts
from bilderatlas.web import texts
from bilderatlas.web.page import Address, Children, Desk, Page, link
from bilderatlas.web.panel import Picture, file_name, hits_panel

N_NEIGHBORS = 18


def page(desk: Desk, address: Address, image_id: str) -> Page:
    """Show an image large, with the images most like it."""
    collection = desk.collection
    facts = collection.image(image_id)
    name = file_name(facts.path)
    large = link(f"/api/v1/images/{image_id}/picture")
    picture = Picture(src=large, alt=name, style={"--ratio": f"{facts.width / facts.height:.4f}"})
    return Page(
        name,
        [
            html.Article(
                [
                    html.Div(html.A(picture, href=large, target="_blank"), className="mount"),
                    html.Div([html.H1(name), _facts(facts)], className="facts"),
                ],
                className="image",
            ),
            html.H2(texts.NEIGHBORS),
            *_neighbors(collection, image_id),
        ],
    )


def _facts(facts: ImageFacts) -> html.Dl:
    rows: list[tuple[str, str]] = [
        (texts.SIZE, texts.pixels(facts.width, facts.height)),
        (texts.KIND_OF_FILE, facts.media_type),
    ]
    if facts.taken_at:
        rows.append((texts.TAKEN_AT, facts.taken_at.strftime("%Y-%m-%d %H:%M")))
    rows += [(str(name), str(value)) for name, value in facts.metadata.items()]
    rows += [(texts.LIES_AT, path) for path in facts.paths]
    rows.append((texts.IMAGE_ID, facts.image_id))
    return html.Dl([part for name, value in rows for part in (html.Dt(name), html.Dd(value))])


def _neighbors(collection: Collection, image_id: str) -> Children:
    hits = collection.similar(image_id, k=N_NEIGHBORS)
    if not hits:
        return [html.P(texts.NO_NEIGHBORS, className="empty")]
    return [hits_panel(hits, collection.images([hit.image_id for hit in hits]))]
