"""Embed texts: a column of a table, or the words found in pictures, as a space of their own.

Each row of such a space is an image (or a region of words) and keeps the text that it was made of,
so that a changed text is seen and embedded again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from bilderatlas.errors import QueryError
from bilderatlas.models.encoders import Encoder, ImageEmbeddings
from bilderatlas.results import WORDS, Coverage, Progress, ReindexSummary, Space
from bilderatlas.storage import Store
from bilderatlas.storage.where import free_names

COMMIT_EVERY = 256  # texts written at once; as many are embedded again after a kill


def reindex(store: Store, encoder: Encoder, field: str) -> Generator[Progress | ReindexSummary]:
    """Bring an encoder's space of a field's texts up to date; last comes the summary.

    `field` is a metadata column, or "text" for the words found in pictures. May be stopped at any
    moment, and the next run goes on from there.

    Raises QueryError where there is no such column or nothing in it, EncoderMismatch where the
    space was made with other weights.
    """
    started = time.monotonic()
    n_embedded = 0
    with store.writing():
        store.repair()
        wanted = texts_of(store, field)
        if not wanted:
            raise QueryError(_no_texts(field))
        space = store.space_for(encoder, field)
        n_outdated = _drop_outdated(store, space, wanted)
        n_kept = store.count(f"embeddings/{space.space}")
        for step in _embed_new(store, encoder, space, wanted):
            n_embedded = step.n_embedded
            yield step
        store.tidy()
        n_images = store.count("images")
    seconds = time.monotonic() - started
    yield ReindexSummary(
        space=space.space,
        field=field,
        is_active=False,
        n_regions=n_kept + n_embedded,
        n_embedded=n_embedded,
        n_kept=n_kept,
        n_outdated=n_outdated,
        n_missing=0,
        n_without_text=n_images - len({region_id[:32] for region_id in wanted}),
        n_problems=0,
        seconds=round(seconds, 3),
        regions_per_s=round(n_embedded / max(seconds, 1e-9), 2),
        encoder=encoder.name,
        device=encoder.device,
    )


def complete(store: Store, encoder: Encoder, field: str) -> Iterator[Progress]:
    """The same as a part of `index`, by which the store is held already. No texts, no space."""
    wanted = texts_of(store, field)
    if wanted:
        space = store.space_for(encoder, field)
        _drop_outdated(store, space, wanted)
        yield from _embed_new(store, encoder, space, wanted)


def complete_alone(store: Store, encoder: Encoder, field: str) -> Iterator[Progress]:
    """The same by itself."""
    with store.writing():
        yield from complete(store, encoder, field)


def texts_of(store: Store, field: str) -> dict[str, str]:
    """Region id -> text, of all that have one.

    Of a column: the image's, its places' different values on a line each. Of "text": each block
    of words that was found. Raises QueryError where no table has the column.
    """
    if field == WORDS:
        rows = store.read("regions", ["region_id", "text"], "text IS NOT NULL").to_pylist()
        return {row["region_id"]: row["text"].strip() for row in rows if row["text"].strip()}
    places = store.read("places", ["image_id", "uri", "metadata"]).sort_by("uri")
    texts, names = _read_column(field, places)
    column = _column(field, names)
    return texts if column == field else _read_column(column, places)[0]


def _read_column(column: str, places: pa.Table) -> tuple[dict[str, str], list[str]]:
    """Image id -> the texts of its places, and the names of all columns."""
    values: dict[str, dict[str, None]] = {}  # of each image, in the order of its places
    names: dict[str, None] = {}
    for batch in places.to_batches(max_chunksize=10_000):
        rows = zip(batch["image_id"].to_pylist(), batch["metadata"].to_pylist(), strict=True)
        for image_id, packed in rows:
            metadata = json.loads(packed)
            names |= dict.fromkeys(metadata)
            if text := _as_text(metadata.get(column)):
                values.setdefault(image_id, {})[text] = None
    return {image_id: "\n".join(texts) for image_id, texts in values.items()}, list(names)


def coverage(store: Store, space: Space) -> Coverage:
    """How much of what a space should have it has."""
    n_regions = store.count(f"embeddings/{space.space}")
    if space.field is None:
        return Coverage(space.space, n_regions, len(store.absent(space.space)))
    try:
        wanted = texts_of(store, space.field)
    except QueryError:  # the column has left with its table
        wanted = {}
    there = _texts_in(store, space)
    n_missing = sum(there.get(region_id) != text for region_id, text in wanted.items())
    return Coverage(space.space, n_regions, n_missing)


def _texts_in(store: Store, space: Space) -> dict[str, str]:
    """Region id -> the text that its embedding was made of."""
    rows = store.read(f"embeddings/{space.space}", ["region_id", "text"])
    return dict(zip(rows["region_id"].to_pylist(), rows["text"].to_pylist(), strict=True))


def _drop_outdated(store: Store, space: Space, wanted: Mapping[str, str]) -> int:
    """Delete embeddings of texts that are others now, or gone; says how many."""
    there = _texts_in(store, space)
    outdated = [region_id for region_id, text in there.items() if wanted.get(region_id) != text]
    store.delete(f"embeddings/{space.space}", "region_id", outdated)
    return len(outdated)


def _embed_new(
    store: Store, encoder: Encoder, space: Space, wanted: Mapping[str, str]
) -> Iterator[Progress]:
    """Embed what the space has no embedding of, and write it every few texts."""
    there = _texts_in(store, space)
    new = [(region_id, text) for region_id, text in wanted.items() if region_id not in there]
    for start in range(0, len(new), COMMIT_EVERY):
        ids, texts = zip(*new[start : start + COMMIT_EVERY], strict=True)
        made = ImageEmbeddings(encoder.embed_texts(texts), None)
        store.add_embeddings(space.space, ids, made, texts)
        n_done = start + len(ids)
        yield Progress(n_done, len(new), n_done, 0, what="Embedding texts")


def _column(field: str, names: Sequence[str]) -> str:
    """The name in the tables of a column that a person names."""
    spelled = dict(zip(free_names(names, [WORDS]), names, strict=True))
    if field not in spelled:
        listed = f"They have: {', '.join(spelled)}." if spelled else "They have none."
        raise QueryError(
            f"The tables of this collection have no column {field!r}. {listed} "
            f"{WORDS!r} means the words found in pictures."
        )
    return spelled[field]


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_as_text, value)))
    if value is None or isinstance(value, str):
        return (value or "").strip()
    return json.dumps(value, ensure_ascii=False)


def _no_texts(field: str) -> str:
    if field == WORDS:
        return (
            "No words were found in pictures yet. Look for them: "
            "bilderatlas index COLLECTION SOURCE --find text"
        )
    return f"Column {field!r} is empty: no image has a text there. Name another column."
