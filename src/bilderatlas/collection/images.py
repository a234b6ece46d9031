"""The bodies of what shows images: their facts, thumbnails, full pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image as Pillow
from PIL.Image import Image

from bilderatlas.arrays import Box
from bilderatlas.collection.space import OpenSpace, no_image
from bilderatlas.errors import ImageNotFound, ImageProblem, QueryError
from bilderatlas.indexing import images, sources
from bilderatlas.results import ImageFacts, Part
from bilderatlas.storage.catalogue import Catalogue

FACTS = ("image_id", "width", "height", "media_type", "taken_at")
SMALLEST_PART = 0.02  # of a side; smaller regions are shown as they are, not in more detail


def facts(catalogue: Catalogue, numbers: Sequence[int]) -> list[ImageFacts]:
    """What the collection knows of some images, by their numbers, in the order asked for."""
    rows = catalogue.images(numbers, FACTS)
    told = [catalogue.places(number) for number in numbers]
    places = catalogue.places_of(numbers)
    return [
        ImageFacts(
            path=paths[0],
            paths=tuple(paths),
            metadata=metadata,
            places=tuple(places[row["image_id"]]),
            **row,
        )
        for row, (paths, metadata) in zip(rows, told, strict=True)
    ]


def parts(space: OpenSpace, image_id: str) -> list[Part]:
    """The regions of an image but for itself, as they were found, the largest first.

    Raises ImageNotFound.
    """
    catalogue = space.catalogue
    rows = catalogue.parts(space.number_of(image_id, catalogue))
    found = [
        Part(
            row["region_id"],
            row["kind"],
            row["label"],
            tuple(row["box"]),
            row["score"],
            row["text"],
        )
        for row in rows
        if row["region_id"] != row["image_id"]
    ]
    return sorted(found, key=lambda part: -_area(part.box))


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def thumbnails(space: OpenSpace, image_ids: Sequence[str]) -> list[bytes]:
    """Small JPEGs of some images, in the order asked for. Raises ImageNotFound.

    They never change, so the catalogue at hand will do as long as it knows all of them.
    """
    for catalogue in space.catalogues():
        numbers = [catalogue.number_of_id(image_id) for image_id in image_ids]
        if None not in numbers:
            return catalogue.thumbnails([number for number in numbers if number is not None])
    raise no_image(image_ids[numbers.index(None)], space.collection)


def picture(space: OpenSpace, image_id: str) -> Image:
    """The full picture, upright RGB, read again from where it lies.

    Raises ImageNotFound, and ImageProblem where its file is gone or another now.
    """
    return images.decode(_content(space, image_id)).image


def crop(space: OpenSpace, region_id: str, side: int) -> Image:
    """A region cut out of its picture as encoders see it, its longer side `side` pixels at most.

    Raises as `picture` does.
    """
    if side < 1:
        raise QueryError(f"The side is {side} pixels; expected 1 or more.")
    row = space.catalogue.region(region_id.encode("utf-8", "replace").decode())
    if row is None:
        raise ImageNotFound(
            f"Collection '{space.collection}' holds no region {region_id!r}. Give a region id as "
            "a search or `bilderatlas export --table clusters` lists it."
        )
    x0, y0, x1, y1 = row["box"]
    enough = math.ceil(side / max(x1 - x0, y1 - y0, SMALLEST_PART))
    whole = images.decode(_content(space, row["image_id"]), min_side=enough).image
    part = images.crop(whole, (x0, y0, x1, y1))
    part.thumbnail((side, side), Pillow.Resampling.LANCZOS)
    return part


def _content(space: OpenSpace, image_id: str) -> bytes:
    """The bytes of a picture's file, wherever it lies still."""
    paths, _ = space.catalogue.places(space.number_of(image_id))
    problems = []
    for path in paths:
        try:
            content = sources.read_uri(path)
        except (ImageProblem, OSError) as error:
            problems.append(f"{path}: {error}")
            continue
        if images.image_id(content) == image_id:
            return content
        problems.append(f"{path}: holds another picture now")
    raise ImageProblem(
        f"The picture {image_id} is not where it was ({'; '.join(problems)}). Run index again."
    )
