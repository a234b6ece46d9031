"""The bodies of `search` and `similar`: a question and a space -> hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bilderatlas.analysis import calibration, search
from bilderatlas.analysis.calibration import DOUBTFUL
from bilderatlas.analysis.search import Evidence
from bilderatlas.arrays import Scores
from bilderatlas.collection import queries
from bilderatlas.collection.kinds import Choice
from bilderatlas.collection.space import EmbeddedQuery, OpenSpace
from bilderatlas.collection.text_evidence import Readings
from bilderatlas.errors import QueryError
from bilderatlas.results import Hit, Region, Verdict
from bilderatlas.storage.catalogue import Catalogue

if TYPE_CHECKING:
    from bilderatlas.collection.space import ImageQuery


@dataclass(frozen=True, slots=True)
class Answer:
    """The images found, and how many of all that were searched answer the query."""

    hits: list[Hit]
    verdict: Verdict
    asked: str | None = None  # the id of the image that these are the neighbors of


def by_words(
    space: OpenSpace,
    readings: Readings,
    query: str,
    choice: Choice,
    *,
    may_open_files: bool,
    picture: ImageQuery | None = None,
) -> Answer:
    """The images closest to words or an expression, and to a picture where one is brought.

    Words are also looked for in what is read in pictures.
    """
    embedded, read = _ask_words(
        space, readings, query, may_open_files=may_open_files, picture=picture
    )
    return _nearest(space, embedded, choice, read=read)


def answering(space: OpenSpace, readings: Readings, query: str) -> pa.Array:
    """The ids of all images that answer words or an expression, the closest first."""
    embedded, read = _ask_words(space, readings, query, may_open_files=False)
    ranked = _rank(space, embedded, Choice(k=None), read=read)
    answers = ranked.found.images[ranked.found.relevance >= DOUBTFUL]
    return embedded.catalogue.image_ids.take(answers)


def _ask_words(
    space: OpenSpace,
    readings: Readings,
    query: str,
    *,
    may_open_files: bool,
    picture: ImageQuery | None = None,
) -> tuple[EmbeddedQuery, list[Evidence]]:
    terms = queries.parse(query, beside_picture=picture is not None)
    embedded = space.ask_terms(terms, may_open_files=may_open_files, picture=picture)
    is_of_pictures = space.about.field is None
    return embedded, readings.speak_for(terms, embedded.catalogue) if is_of_pictures else []


def by_picture(space: OpenSpace, image: ImageQuery, choice: Choice) -> Answer:
    """The images closest to a picture that somebody brings."""
    return _nearest(space, space.ask_picture(image), choice)


def similar(space: OpenSpace, image: str, choice: Choice, *, radius: float | None) -> Answer:
    """The images closest to one of the collection, or all within a radius."""
    if radius is not None:
        if not 0 <= radius <= 2:
            raise QueryError(f"The radius is {radius:g}; a cosine distance lies between 0 and 2.")
        choice = replace(choice, k=None, threshold=1 - radius - search.ROUNDING)
    embedded, number = space.ask_image(image)
    found = _nearest(space, embedded, choice, without=number)
    return replace(found, asked=embedded.catalogue.image_ids[number].as_py())


@dataclass(frozen=True, slots=True)
class _Ranked:
    """The images found, by their numbers, and what each region is judged by."""

    found: search.NearestImages
    scores: Scores  # (N,)
    relevance: NDArray[np.float64]  # (N,)
    ways: NDArray[np.int8]  # (N,)
    verdict: Verdict


def _nearest(
    space: OpenSpace,
    query: EmbeddedQuery,
    choice: Choice,
    *,
    without: int | None = None,
    read: Sequence[Evidence] = (),
) -> Answer:
    ranked = _rank(space, query, choice, without=without, read=read)
    return Answer(_hits(ranked, query.catalogue), ranked.verdict)


def _rank(
    space: OpenSpace,
    query: EmbeddedQuery,
    choice: Choice,
    *,
    without: int | None = None,
    read: Sequence[Evidence] = (),
) -> _Ranked:
    """The best images for a query, but for one of them."""
    catalogue = query.catalogue
    kinds, image_of = catalogue.kind_numbers, catalogue.image_of  # (N,), (N,)
    weights = choice.weigh(catalogue)  # (N,)
    if without is not None:
        weights[image_of == without] = 0
    counted = weights > 0
    scores = search.cosines(query.vector, query.embeddings)
    judged = calibration.judge(scores, kinds, image_of, query.background, counted=counted)
    relevance, ways = search.combine(judged.relevance, read)  # (N,), (N,)
    if space.about.field is not None:
        ways[:] = search.WAYS.index("meaning")
    counts = calibration.count(relevance, image_of, counted)
    if choice.threshold is not None:
        weights[scores < choice.threshold] = 0
    found = search.nearest(
        scores, relevance, image_of, weights, k=choice.k, aggregate=choice.aggregate
    )
    verdict = Verdict(counts.n_likely, counts.n_doubtful, counts.n_background, judged.cut)
    return _Ranked(found, scores, relevance, ways, verdict)


def _hits(ranked: _Ranked, catalogue: Catalogue) -> list[Hit]:
    found = ranked.found
    rows = np.concatenate([np.empty(0, np.int64), *found.rows])
    parts = iter(
        _region(*facts)
        for facts in zip(
            catalogue.regions.take(rows).to_pylist(),
            ranked.scores[rows].tolist(),
            ranked.relevance[rows].tolist(),
            found.row_shares.tolist(),
            [search.WAYS[way] for way in ranked.ways[rows]],
            strict=True,
        )
    )
    places = catalogue.places_of(found.images)
    hits = []
    for number, score, how_sure, its_rows in zip(
        found.images, found.scores, found.relevance, found.rows, strict=True
    ):
        paths, metadata = catalogue.places(int(number))
        image_id = catalogue.image_ids[int(number)].as_py()
        its_parts = tuple(next(parts) for _ in its_rows)
        hits.append(
            Hit(
                image_id,
                paths[0],
                float(score),
                float(how_sure),
                its_parts,
                metadata,
                its_parts[0].matched_by,
                tuple(places[image_id]),
            )
        )
    return hits


def _region(
    row: Mapping[str, Any], score: float, relevance: float, share: float, way: str
) -> Region:
    return Region(
        row["region_id"],
        row["kind"],
        row["label"],
        tuple(row["box"]),
        score,
        row["text"],
        relevance=relevance,
        share=share,
        matched_by=way,
    )
