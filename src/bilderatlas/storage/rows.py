"""What is written to the tables: rows as the rest of the program knows them, and as Arrow's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from bilderatlas.arrays import Box, Embeddings
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage import schema

WHOLE_IMAGE = [0.0, 0.0, 1.0, 1.0]


@dataclass(frozen=True, slots=True)
class ImageRow:
    """What `images` keeps of a picture."""

    image_id: str
    width: int
    height: int
    media_type: str
    taken_at: datetime | None
    perceptual_hash: int
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Where an image lies."""

    uri: str
    source: str
    image_id: str
    size: int | None
    mtime: float | None
    position: int
    metadata: str  # JSON object


@dataclass(frozen=True, slots=True)
class RegionRow:
    """A part of an image."""

    region_id: str  # IMAGE_ID-N
    image_id: str
    kind: str
    label: str | None
    box: Box
    score: float
    text: str | None


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of some images (P rows), their embeddings (P, D), and what found them."""

    rows: Sequence[RegionRow]
    embeddings: ImageEmbeddings
    finding: str


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """What could not be read, and why."""

    uri: str
    source: str
    stage: str
    reason: str
    when: datetime


def embedding_rows(
    ids: Sequence[str], embeddings: ImageEmbeddings, texts: Sequence[str] | None = None
) -> pa.Table:
    """Region ids (B,), their embeddings (B, D), and the texts that these were made of, if any."""
    columns = {"region_id": pa.array(ids), "vector": _vector_column(embeddings.vectors)}
    if embeddings.joint is not None:
        columns["joint"] = _vector_column(embeddings.joint)
    if texts is not None:
        columns["text"] = pa.array(texts, pa.string())
    return pa.table(columns)


def _vector_column(vectors: Embeddings) -> pa.Array:
    """(N, D) -> an Arrow column; refuses what is not float32 of length 1."""
    lengths = np.linalg.norm(vectors, axis=1)  # (N,)
    assert vectors.dtype == np.float32, f"encoders promise float32, not {vectors.dtype}"
    assert np.allclose(lengths, 1, atol=1e-3), f"encoders promise length 1, not {lengths}"
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])


def whole_image_rows(ids: Sequence[str]) -> pa.Table:
    n = len(ids)
    nothing = [None] * n
    columns = [ids, ids, ["image"] * n, nothing, [WHOLE_IMAGE] * n, [1.0] * n, nothing]
    return pa.table(dict(zip(schema.REGIONS.names, columns, strict=True)), schema.REGIONS)
