"""The bodies of what shows images: their facts, thumbnails, full pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bilderatlas import images, sources
from bilderatlas.collection.open_space import OpenSpace, no_image
from bilderatlas.errors import ImageProblem
from bilderatlas.results import ImageFacts, Images
from bilderatlas.store import Store

if TYPE_CHECKING:
    from PIL import Image


def facts(store: Store, space: OpenSpace, image_ids: Sequence[str]) -> Images:
    """What the collection knows of some images, in the order asked for."""
    columns = ["image_id", "width", "height", "media_type", "taken_at"]
    rows = {
        row["image_id"]: row
        for row in store.read_ids("images", "image_id", image_ids, columns).to_pylist()
    }
    catalogue = space.catalogue
    places = [catalogue.places(space.number_of(image_id)) for image_id in image_ids]
    return Images(
        [
            ImageFacts(path=paths[0], paths=tuple(paths), metadata=metadata, **rows[image_id])
            for image_id, (paths, metadata) in zip(image_ids, places, strict=True)
        ]
    )


def thumbnails(store: Store, image_ids: Sequence[str]) -> list[bytes]:
    """Small JPEGs of some images, in the order asked for. Raises ImageNotFound."""
    rows = store.read_ids("images", "image_id", image_ids, ["image_id", "thumbnail"])
    jpegs = dict(zip(rows["image_id"].to_pylist(), rows["thumbnail"].to_pylist(), strict=True))
    for image_id in image_ids:
        if image_id not in jpegs:
            raise no_image(image_id, store.path.stem)
    return [jpegs[image_id] for image_id in image_ids]


def picture(space: OpenSpace, image_id: str) -> Image.Image:
    """The full picture, upright RGB, read again from where it lies.

    Raises ImageNotFound, and ImageProblem where its file is gone or another now.
    """
    paths, _ = space.catalogue.places(space.number_of(image_id))
    problems = []
    for path in paths:
        try:
            content = sources.read_uri(path)
        except (ImageProblem, OSError) as error:
            problems.append(f"{path}: {error}")
            continue
        if images.image_id(content) == image_id:
            return images.decode(content).image
        problems.append(f"{path}: holds another picture now")
    raise ImageProblem(
        f"The picture {image_id} is not where it was ({'; '.join(problems)}). Run index again."
    )
