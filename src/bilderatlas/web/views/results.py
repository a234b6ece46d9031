"""Pictures on a panel: the rows of thumbnails that every page shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from bilderatlas.arrays import Box
from bilderatlas.results import Hit, ImageFacts, Member, Region, image_id_of
from bilderatlas.web import i18n, selection
from bilderatlas.web.address import Address, Children, aria, data, link

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


def region_picture(region_id: str, alt: str) -> Picture:
    """A small picture of a region: its image's thumbnail, or what is cut out of it."""
    if region_id == image_id_of(region_id):
        return thumbnail(region_id, alt)
    return Picture(src=link(f"/api/v1/regions/{region_id}/crop"), alt=alt, loading="lazy")


def panel(
    facts: Iterable[ImageFacts], *, selecting_as: str | None = None, came_from: str = ""
) -> html.Ul:
    """Images in rows of one height, uncropped, each a link.

    They can be selected if `selecting_as` is said: what is selected stays so on all pages of the
    list of this name. `came_from` is the address of the list, through which their pages go on.
    """
    if selecting_as is None:
        return html.Ul([_item(image, came_from=came_from) for image in facts], className="panel")
    items = [_item(image, item_id=image.image_id, came_from=came_from) for image in facts]
    return html.Ul(items, className="panel", **data(selecting=selecting_as))


def hits_panel(
    hits: Sequence[Hit],
    facts: Iterable[ImageFacts],
    *,
    came_from: str = "",
    tools: Callable[[ImageFacts], Children] = lambda _: [],
) -> html.Ul:
    """What a search found, each with how close it is and the part of it that matched.

    `came_from` is as in `panel`; `tools` are what can be done with each.
    """
    items = [
        _item(
            image,
            over=_outline(image, hit),
            notes=_closeness(hit),
            came_from=came_from,
            tools=tools(image),
        )
        for image, hit in zip(facts, hits, strict=True)
    ]
    return html.Ul(items, className="panel")


def members_panel(
    members: Iterable[Member],
    facts: Mapping[str, ImageFacts],
    *,
    selecting_as: str | None = None,
    came_from: str = "",
) -> html.Ul:
    """Members of a cluster, each with how close to its middle; parts are cut out of their images.

    `facts` are those of their images, by id; the rest is as in `panel`.
    """
    items = [
        _item(
            facts[member.image_id],
            picture=region_picture(member.region_id, _name(facts[member.image_id])),
            box=member.box,
            notes=[bar(member.closeness, i18n.closeness(member.closeness))],
            item_id=member.region_id if selecting_as else None,
            came_from=came_from,
        )
        for member in members
    ]
    selectable = data(selecting=selecting_as) if selecting_as else {}
    return html.Ul(items, className="panel", **selectable)


def bar(share: float, said: str) -> html.Span:
    """A small bar for a number in 0..1, which is said to those who point at it or listen."""
    return html.Span(
        className="bar",
        role="img",
        title=said,
        style={"--share": f"{share:.3f}"},
        **aria(label=said),
    )


def _item(
    image: ImageFacts,
    *,
    picture: Picture | None = None,
    box: Box = (0, 0, 1, 1),
    over: Children | None = None,
    notes: Children | None = None,
    item_id: str | None = None,
    came_from: str = "",
    tools: Children | None = None,
) -> html.Li:
    """A picture, or the part of it in a box; one that can be selected where it has an `item_id`."""
    name = _name(image)
    width, height = image.width * (box[2] - box[0]), image.height * (box[3] - box[1])
    ratio = min(max(width / height, NARROWEST), WIDEST)
    shown = thumbnail(image.image_id, name) if picture is None else picture
    frame = html.Span([shown, *(over or [])], className="frame")
    caption = html.Span([html.Span(name, className="name", title=image.path), *(notes or [])])
    address = link(f"/images/{image.image_id}", **{"from": came_from})
    open_it = html.A([frame, caption], href=address)
    return html.Li(
        [
            open_it,
            *([] if item_id is None else [selection.box(item_id, name)]),
            *(tools or []),
        ],
        style={"--ratio": f"{ratio:.3f}"},
    )


def _closeness(hit: Hit) -> Children:
    part = _best_part(hit)
    said = f"{i18n.score(hit.score)} · {i18n.relevance(hit.relevance)}"
    bar = html.Span(className="bar", style={"--share": f"{hit.relevance:.3f}"})
    closeness = html.Span([i18n.score(hit.score), bar], className="closeness", title=said)
    if part is None:
        return [closeness]
    title = i18n.share_of(part.share, part.matched_by)
    said = f"{i18n.part(part.kind, part.label, part.text)} {part.share:.0%}"
    return [html.Span(said, className="part", title=title), closeness]


def _best_part(hit: Hit) -> Region | None:
    """The part that speaks most for a hit; None where that is the picture as a whole."""
    best = max(hit.regions, key=lambda region: region.share, default=None)
    return best if best and best.kind != "image" else None


def _outline(image: ImageFacts, hit: Hit) -> Children:
    """A rectangle around the part that matched: a drawing of the picture's own shape over it."""
    part = _best_part(hit)
    if part is None:
        return []
    x0, y0, x1, y1 = (
        value * side for value, side in zip(part.box, (image.width, image.height) * 2, strict=True)
    )
    line = max(image.width, image.height) / 110
    rectangle = (
        f'x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}" fill="none" '
        f'stroke-width="{line:.2f}"'
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {image.width} {image.height}">'
        f'<rect {rectangle} stroke="#fff" stroke-opacity=".75"/>'
        f'<rect {rectangle} stroke="#1d8a3a" stroke-dasharray="{line * 2:.2f}"/></svg>'
    )
    return [Picture(src=f"data:image/svg+xml,{quote(drawing)}", alt="", className="outline")]


def _name(image: ImageFacts) -> str:
    return file_name(image.path)


def file_name(path: str) -> str:
    """The last part of a path or address."""
    return path.rstrip("/").replace("\\", "/").rsplit("/", 1)[-1]


def pager(address: Address, *, page: int, n: int, n_a_page: int) -> html.Nav | None:
    """Links to the earlier and later part of a long list."""
    if n <= n_a_page:
        return None
    first = (page - 1) * n_a_page
    links: Children = [html.Span(i18n.pages(first + 1, min(first + n_a_page, n), n))]
    if page > 1:
        earlier = address.but(page=page - 1 if page > 2 else None)
        links.insert(0, html.A(i18n.EARLIER, href=earlier, rel="prev"))
    if first + n_a_page < n:
        links.append(html.A(i18n.LATER, href=address.but(page=page + 1), rel="next"))
    return html.Nav(links, className="pager")


def command(said: str, line: str) -> html.P:
    """A command for the terminal, with what it does."""
    return html.P([said, " ", html.Code(line)])
