"""The body of `suggest_labels`: people's labels and a space -> what unlabelled images may show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from bilderatlas.analysis.classification import active_learning, neighbors_vote
from bilderatlas.collection import label as labelling
from bilderatlas.errors import QueryError
from bilderatlas.results import Suggestion
from bilderatlas.storage.catalogue import Catalogue
from bilderatlas.storage.labels import LabelIndex

N_CONSIDERED = 5000  # images, drawn at random from more
N_EXAMPLES = 200  # of a label, drawn at random from more
N_FOR_BACKGROUND = 2000


@dataclass(frozen=True, slots=True)
class Examples:
    """Images that people labelled."""

    rows: NDArray[np.int64]  # (L,) of the catalogue
    names: tuple[str, ...]  # (C,) of the labels
    labels: sparse.csr_array  # (L, C), 1 where an image has a label


def suggest(
    catalogue: Catalogue,
    labels: LabelIndex,
    image_ids: Sequence[str] | None,
    *,
    n: int,
    order: str,
    seed: int,
) -> list[Suggestion]:
    """Suggestions for n of some images, or of those without a label. Raises QueryError."""
    _check(n, order)
    asked = labelling.unlabelled(catalogue, labels) if image_ids is None else image_ids
    rows = _drawn(rows_of_images(catalogue, asked), N_CONSIDERED, seed)
    known = examples(catalogue, labels, seed)
    if not len(rows):
        return []
    likely = _likely(catalogue, known, rows)
    best = active_learning.best(likely)
    if order == "diverse":
        chosen = active_learning.diverse(
            catalogue.vectors[rows], n, catalogue.vectors[known.rows] if len(known.rows) else None
        )
    else:
        rank = -best.probability if order == "confident" else best.margin
        chosen = np.argsort(rank, kind="stable")[:n]
    ids = catalogue.regions["image_id"].take(rows[chosen]).to_pylist()
    return [
        Suggestion(image_id, known.names[label] if known.names else None, probability, margin)
        for image_id, label, probability, margin in zip(
            ids,
            best.label[chosen].tolist(),
            best.probability[chosen].tolist(),
            best.margin[chosen].tolist(),
            strict=True,
        )
    ]


def examples(catalogue: Catalogue, labels: LabelIndex, seed: int, n: int = N_EXAMPLES) -> Examples:
    """The images here that people labelled as a whole, n of each label at most."""
    rows_of = {
        name: _drawn(rows_of_images(catalogue, ids), n, seed)
        for name, ids in sorted(labels.regions_of.items())
    }
    names = tuple(name for name, rows in rows_of.items() if len(rows))
    if not names:
        return Examples(np.empty(0, np.int64), (), sparse.csr_array((0, 0), dtype=np.float32))
    rows, places = np.unique(np.concatenate([rows_of[name] for name in names]), return_inverse=True)
    columns = np.repeat(np.arange(len(names)), [len(rows_of[name]) for name in names])
    ones = np.ones(len(places), np.float32)
    has = sparse.csr_array((ones, (places, columns)), shape=(len(rows), len(names)))
    return Examples(rows, names, has)


def rows_of_images(catalogue: Catalogue, image_ids: Sequence[str] | pa.Array) -> NDArray[np.int64]:
    """The rows of the whole pictures of some images; without those that the space lacks."""
    asked = pa.array(image_ids, pa.string())
    rows = catalogue.rows_of(pa.chunked_array([asked]))
    return rows[rows >= 0]


def background(catalogue: Catalogue) -> float:
    """The mean cosine of two pictures of the collection."""
    vectors = catalogue.vectors
    return neighbors_vote.mean_cosine(vectors[:: max(1, len(vectors) // N_FOR_BACKGROUND)])


def _likely(catalogue: Catalogue, known: Examples, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(N, C) how likely each label is for some rows; 0 for one that its image has already."""
    if not known.names:
        return np.zeros((len(rows), 1), np.float32)
    likely = neighbors_vote.vote(
        catalogue.vectors[rows],
        catalogue.vectors[known.rows],
        known.labels,
        background=background(catalogue),
    )
    place = np.searchsorted(known.rows, rows)
    is_known = known.rows[np.minimum(place, len(known.rows) - 1)] == rows
    likely[is_known] *= 1 - known.labels[place[is_known]].toarray()
    return likely


def _drawn(rows: NDArray[np.int64], n: int, seed: int) -> NDArray[np.int64]:
    if len(rows) <= n:
        return rows
    return rows[np.sort(np.random.default_rng(seed).permutation(len(rows))[:n])]


def _check(n: int, order: str) -> None:
    if n < 1:
        raise QueryError(f"{n} suggestions were asked for; ask for 1 or more.")
    if order not in active_learning.ORDERS:
        raise QueryError(
            f"Suggestions have no order {order!r}; "
            f"choose one of: {', '.join(active_learning.ORDERS)}."
        )
