"""Pictures on a panel: the rows of thumbnails that every page shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dash import html
from dash.development.base_component import Component

from bilderatlas.results import Hits, ImageFacts
from bilderatlas.web import texts
from bilderatlas.web.page import Address, Children, link

NARROWEST, WIDEST = 0.5, 2.6  # width / height that a frame may have; the picture stays whole


class Picture(Component):
    """An `<img>` that is fetched when it comes into view; Dash's own knows no `loading`."""

    _namespace = "dash_html_components"
    _type = "Img"

    def __init__(self, **props: str | dict[str, str]) -> None:
        self._prop_names = ["src", "alt", "className", "loading", "style"]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties = self._valid_wildcard_attributes
        super().__init__(**props)  # type: ignore[no-untyped-call]


def thumbnail(image_id: str, alt: str) -> Picture:
    """A small picture; `alt` is the name of its file."""
    return Picture(src=link(f"/api/v1/images/{image_id}/thumbnail"), alt=alt, loading="lazy")


def panel(facts: Iterable[ImageFacts], notes: Sequence[Children] | None = None) -> html.Ul:
    """Images in rows of one height, uncropped, each a link, with notes under them."""
    images = list(facts)
    return html.Ul(
        [
            _item(image, note)
            for image, note in zip(images, notes or [[]] * len(images), strict=True)
        ],
        className="panel",
    )


def hits_panel(hits: Hits, facts: Iterable[ImageFacts]) -> html.Ul:
    """What a search found, each with how close it is."""
    return panel(facts, [_closeness(hit.score, hit.relevance) for hit in hits])


def _item(image: ImageFacts, note: Children) -> html.Li:
    name = file_name(image.path)
    ratio = min(max(image.width / image.height, NARROWEST), WIDEST)
    picture = thumbnail(image.image_id, name)
    caption = html.Span([html.Span(name, className="name", title=image.path), *note])
    return html.Li(
        html.A([picture, caption], href=link(f"/images/{image.image_id}")),
        style={"--ratio": f"{ratio:.3f}"},
    )


def _closeness(score: float, relevance: float) -> Children:
    said = f"{texts.score(score)} · {texts.relevance(relevance)}"
    bar = html.Span(className="bar", style={"--share": f"{relevance:.3f}"})
    return [html.Span([texts.score(score), bar], className="closeness", title=said)]


def file_name(path: str) -> str:
    """The last part of a path or address."""
    return path.rstrip("/").replace("\\", "/").rsplit("/", 1)[-1]


def pager(address: Address, *, page: int, n: int, n_a_page: int) -> html.Nav | None:
    """Links to the earlier and later part of a long list."""
    if n <= n_a_page:
        return None
    first = (page - 1) * n_a_page
    links: Children = [html.Span(texts.pages(first + 1, min(first + n_a_page, n), n))]
    if page > 1:
        earlier = address.but(page=page - 1 if page > 2 else None)
        links.insert(0, html.A(texts.EARLIER, href=earlier, rel="prev"))
    if first + n_a_page < n:
        links.append(html.A(texts.LATER, href=address.but(page=page + 1), rel="next"))
    return html.Nav(links, className="pager")


def command(said: str, line: str) -> html.P:
    """A command for the terminal, with what it does."""
    return html.P([said, " ", html.Code(line)])
