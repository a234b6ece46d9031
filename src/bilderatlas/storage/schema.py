"""The tables of a collection, column by column, and the version of their shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 3
STAMP = "space"  # in the metadata of the tables of spaces

IMAGES = pa.schema(
    [
        ("image_id", pa.string()),  # BLAKE2b-128 of the content, hex
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("media_type", pa.string()),
        ("taken_at", pa.timestamp("s")),
        ("perceptual_hash", pa.uint64()),
        ("thumbnail", pa.binary()),  # JPEG, 320 px
        ("finding", pa.string()),  # the stamp of the detectors of its regions; null: none looked
    ]
)
PLACES = pa.schema(
    [
        ("uri", pa.string()),
        ("source", pa.string()),
        ("image_id", pa.string()),
        ("size", pa.int64()),
        ("mtime", pa.float64()),
        ("position", pa.int64()),
        ("metadata", pa.string()),  # JSON object
    ]
)
REGIONS = pa.schema(
    [
        ("region_id", pa.string()),  # the image_id for the whole image, IMAGE_ID-N for a part
        ("image_id", pa.string()),
        ("kind", pa.string()),
        ("label", pa.string()),
        ("box", pa.list_(pa.float32(), 4)),  # x0, y0, x1, y1 in 0..1
        ("score", pa.float32()),
        ("text", pa.string()),
    ]
)
PROBLEMS = pa.schema(
    [
        ("uri", pa.string()),
        ("source", pa.string()),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("when", pa.timestamp("us", tz="UTC")),
    ]
)
RUNS = pa.schema(
    [
        ("run", pa.string()),
        ("verb", pa.string()),
        ("method", pa.string()),
        ("parameters", pa.string()),  # JSON object
        ("seed", pa.int64()),
        ("space", pa.string()),
        ("kind", pa.string()),
        ("created_at", pa.timestamp("us", tz="UTC")),
        ("n_regions", pa.int64()),
        ("region_ids", pa.large_list(pa.string())),  # (N,)
        ("labels", pa.large_list(pa.int32())),  # (N,) of a clustering
        ("probabilities", pa.large_list(pa.float32())),  # (N,) of a clustering
        ("coordinates", pa.large_list(pa.float32())),  # (N * dims,) of a projection
    ]
)
DECISIONS = pa.schema(  # rows are only ever added
    [
        ("decision", pa.string()),  # its id, 24 hex digits; 8 until 2026-11
        ("verb", pa.string()),
        ("image_ids", pa.list_(pa.string())),
        ("region_ids", pa.list_(pa.string())),
        ("payload", pa.string()),  # JSON object
        ("who", pa.string()),
        ("when", pa.timestamp("us", tz="UTC")),
    ]
)
TABLES = {
    "images": IMAGES,
    "places": PLACES,
    "regions": REGIONS,
    "problems": PROBLEMS,
    "runs": RUNS,
}
NAMES = pa.schema(  # that programs gave; those of people are decisions
    [
        ("run", pa.string()),
        ("cluster", pa.int32()),
        ("name", pa.string()),
        ("confidence", pa.float64()),
        ("source", pa.string()),
        ("words", pa.list_(pa.string())),  # the best first
        ("made_at", pa.timestamp("us", tz="UTC")),
    ]
)
LATER_TABLES = {"decisions": DECISIONS, "names": NAMES}  # made when first written to


def embeddings(dim: int, joint_dim: int | None, *, has_texts: bool = False) -> pa.Schema:
    """The table of one space; one of texts keeps them, to tell when they change."""
    fields = [("region_id", pa.string()), ("vector", pa.list_(pa.float32(), dim))]
    if joint_dim:
        fields.append(("joint", pa.list_(pa.float32(), joint_dim)))
    if has_texts:
        fields.append(("text", pa.string()))
    return pa.schema(fields)


def stamped(columns: pa.Schema, space: Mapping[str, Any]) -> pa.Schema:
    """The table of a space with the space's own facts, should `atlas.json` get lost."""
    return columns.with_metadata({STAMP: json.dumps(dict(space))})


def stamp_of(columns: pa.Schema) -> dict[str, Any] | None:
    """The facts of the space that a table is of; None in tables from before 2026-11-28."""
    stamp = (columns.metadata or {}).get(STAMP.encode())
    return None if stamp is None else dict(json.loads(stamp))
