"""The list that somebody came from to an image: which image comes before it, and which after."""

from __future__ import annotations

from dataclasses import dataclass

from bilderatlas.errors import BilderatlasError
from bilderatlas.results import Beside
from bilderatlas.web.address import Address, Desk, link
from bilderatlas.web.views import gallery, search

BY_NAME = Address("/gallery", {"order": "name"})


@dataclass(frozen=True, slots=True)
class Way:
    """The way on through a list."""

    back: str  # the address of the list
    beside: Beside | None  # None: the image is not in the list
    came_from: str  # what the next image's address says of it


def through(desk: Desk, address: Address, image_id: str) -> Way:
    """The list that `?from=` names, or all images by name."""
    came_from = address.text("from") or ""
    listing = Address.parse(*came_from.partition("?")[::2])
    try:
        beside = _beside(desk, listing, image_id) if came_from else None
    except BilderatlasError:  # a list that there is no more; the image is there all the same
        beside = None
    if beside is not None:
        return Way(link(listing.path, **listing.parameters), beside, came_from)
    every = gallery.listed(desk.collection, BY_NAME)
    return Way(BY_NAME.here, every.beside(image_id), "")


def _beside(desk: Desk, listing: Address, image_id: str) -> Beside | None:
    if listing.path == "/gallery":
        return gallery.listed(desk.collection, listing).beside(image_id)
    if listing.path == "/search":
        return _among(search.found_ids(desk, listing), image_id)
    return None


def _among(ids: list[str], image_id: str) -> Beside | None:
    if image_id not in ids:
        return None
    place = ids.index(image_id)
    previous = ids[place - 1] if place else None
    following = ids[place + 1] if place + 1 < len(ids) else None
    return Beside(place, len(ids), previous, following)
