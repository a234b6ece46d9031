"""The bodies of `search` and `similar`: a question and a space -> hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bilderatlas import queries, search
from bilderatlas.arrays import Embeddings
from bilderatlas.catalogue import Catalogue
from bilderatlas.collection.open_space import OpenSpace
from bilderatlas.errors import QueryError
from bilderatlas.results import Hit, Region

if TYPE_CHECKING:
    from bilderatlas.collection.open_space import ImageQuery


def by_words(
    space: OpenSpace,
    query: str,
    *,
    k: int | None,
    threshold: float | None,
    kinds: Sequence[str] | None,
    where: str | None,
    may_open_files: bool,
) -> list[Hit]:
    """The images closest to words or an expression."""
    terms = queries.parse(query)
    in_joint = space.about.joint_dim is not None and any(term.words for term in terms)
    vector = space.embed_terms(terms, in_joint, may_open_files)
    return _nearest(
        space, vector, k=k, threshold=threshold, kinds=kinds, where=where, in_joint=in_joint
    )


def by_picture(
    space: OpenSpace,
    image: ImageQuery,
    *,
    k: int | None,
    threshold: float | None,
    kinds: Sequence[str] | None,
    where: str | None,
) -> list[Hit]:
    """The images closest to a picture that somebody brings."""
    vector = space.embed_picture(image)
    return _nearest(space, vector, k=k, threshold=threshold, kinds=kinds, where=where)


def similar(
    space: OpenSpace, image: str, *, k: int | None, radius: float | None, where: str | None
) -> list[Hit]:
    """The images closest to one of the collection."""
    if radius is not None and not 0 <= radius <= 2:
        raise QueryError(f"The radius is {radius:g}; a cosine distance lies between 0 and 2.")
    number = space.number_of(image)
    return _nearest(
        space,
        space.embeddings()[space.row_of_whole(number)],
        k=None if radius is not None else k,
        threshold=None if radius is None else 1 - radius - search.ROUNDING,
        where=where,
        without=number,
    )


def _nearest(
    space: OpenSpace,
    vector: Embeddings,
    *,
    k: int | None,
    threshold: float | None = None,
    kinds: Sequence[str] | None = None,
    where: str | None = None,
    in_joint: bool = False,
    without: int | None = None,
) -> list[Hit]:
    if k is not None and k < 1:
        raise QueryError(f"k is {k}; ask for at least 1 image.")
    catalogue = space.catalogue
    allowed = None if kinds is None else catalogue.of_kind(kinds)
    if where:
        fulfilling = catalogue.where(where)
        allowed = fulfilling if allowed is None else allowed & fulfilling
    if without is not None:
        others = catalogue.image_of != without
        allowed = others if allowed is None else allowed & others
    found = search.nearest(
        vector,
        catalogue.joint if in_joint else catalogue.vectors,
        catalogue.image_of,
        k=k,
        threshold=threshold,
        allowed=allowed,
    )
    return _hits(found, catalogue)


def _hits(found: search.Found, catalogue: Catalogue) -> list[Hit]:
    rows = np.concatenate([np.empty(0, np.int64), *found.rows])
    parts_of = iter(catalogue.regions.take(rows).to_pylist())
    scores = iter(found.row_scores)
    hits = []
    for number, score, relevance, its_rows in zip(
        found.images, found.scores, found.relevance, found.rows, strict=True
    ):
        paths, metadata = catalogue.places(int(number))
        parts = tuple(_region(next(parts_of), float(next(scores))) for _ in its_rows)
        image_id = catalogue.image_ids[int(number)].as_py()
        hits.append(Hit(image_id, paths[0], float(score), float(relevance), parts, metadata))
    return hits


def _region(row: Mapping[str, Any], score: float) -> Region:
    box = tuple(row["box"])
    return Region(row["region_id"], row["kind"], row["label"], box, score, row["text"])
