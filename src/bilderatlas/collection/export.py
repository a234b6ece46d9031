"""A collection's results -> CSV and Parquet files, contact sheets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas.errors import QueryError
from bilderatlas.output import files
from bilderatlas.results import image_id_of
from bilderatlas.storage import place_rows

if TYPE_CHECKING:
    from bilderatlas.collection import Collection
    from bilderatlas.results import Clustering, Hit

SHEET_SIZE = 40  # pictures on a contact sheet


def write(
    collection: Collection,
    output: Path | IO[bytes],
    *,
    table: str,
    format: str | None,
    run: str | None,
    selection: str | None,
) -> None:
    """Write a table of a collection, or the rows of some selected images, to a file.

    Raises QueryError for what is not offered, SelectionNotFound, StoreError where the file cannot
    be written.
    """
    if table not in TABLES:
        raise QueryError(f"There is no table {table!r}; choose one of: {', '.join(TABLES)}.")
    format = files.format_of(output, format)
    chosen = None if selection is None else pa.array(collection.selection(selection), pa.string())
    rows = TABLES[table](collection, run)
    if chosen is not None:
        rows = rows.filter(pc.is_in(rows["image_id"], value_set=chosen))
    files.write_rows(rows, output, format)


def images_table(collection: Collection, run: str | None = None) -> pa.Table:
    """A row for every place of an image, with the metadata of that place; `run` plays no part."""
    rows = collection.places()
    paths: dict[str, dict[str, None]] = {}
    for image_id, path in zip(rows["image_id"].to_pylist(), rows["path"].to_pylist(), strict=True):
        paths.setdefault(image_id, {})[path] = None
    listed = {image: json.dumps(list(its), ensure_ascii=False) for image, its in paths.items()}
    facts = rows.select(["image_id", "path", "width", "height", "media_type"]).append_column(
        "taken_at", pc.strftime(rows["taken_at"], "%Y-%m-%dT%H:%M:%S")
    )
    all_paths = pa.array([listed[i] for i in rows["image_id"].to_pylist()], pa.string())
    return _with_places(facts.append_column("paths", all_paths), rows)


def clusters_table(collection: Collection, run: str | None) -> pa.Table:
    """path, image_id, region_id, cluster, probability, name, of every region of a clustering."""
    clustering = collection.clustering(run)
    names = {cluster.cluster: cluster.name for cluster in clustering.clusters}
    return _placed(
        collection,
        clustering.region_ids,
        {
            "cluster": clustering.labels,
            "probability": clustering.probabilities,
            "name": [names.get(label, "noise") for label in clustering.labels.tolist()],
        },
    )


def coordinates_table(collection: Collection, run: str | None) -> pa.Table:
    """path, image_id, region_id, x, y, z of every region of a projection; z is 0 in 2-D."""
    projection = collection.projection(run)
    xyz = np.zeros((len(projection.region_ids), 3), np.float32)
    xyz[:, : projection.dims] = projection.coordinates
    axes = {name: xyz[:, i] for i, name in enumerate("xyz")}
    return _placed(collection, projection.region_ids, axes)


def labels_table(collection: Collection, run: str | None = None) -> pa.Table:
    """path, image_id, region_id, label, for every label of an image; `run` plays no part."""
    rows = [(region, label) for region, its in collection.region_labels().items() for label in its]
    labels = pa.array([label for _, label in rows], pa.string())
    return _placed(collection, [region for region, _ in rows], {"label": labels})


def classes_table(collection: Collection, run: str | None) -> pa.Table:
    """path, image_id, region_id, rank, label, probability: the likeliest labels of each region.

    The label is empty where none of the classification's fits.
    """
    made = collection.classification(run)
    n_top = made.labels.shape[1]
    names = [*made.names, None]  # -1 is the last one
    return _placed(
        collection,
        [region for region in made.region_ids for _ in range(n_top)],
        {
            "rank": np.tile(np.arange(1, n_top + 1), len(made.region_ids)),
            "label": pa.array([names[i] for i in made.labels.ravel()], pa.string()),
            "probability": made.probabilities.ravel(),
        },
    )


def hits_table(hits: Sequence[Hit], rows: pa.Table) -> pa.Table:
    """A row for every place of every hit, the closest first, with the region that says most for it.

    `rows` are those of `Collection.places`.
    """
    best = [
        {
            "image_id": hit.image_id,
            "score": hit.score,
            "relevance": hit.relevance,
            "region_id": hit.regions[0].region_id,
            "kind": hit.regions[0].kind,
            "label": hit.regions[0].label,
            "text": hit.regions[0].text,
        }
        for hit in hits
    ]
    return _at_places(pa.Table.from_pylist(best, HITS), rows)


HITS = pa.schema(
    [
        ("image_id", pa.string()),
        ("score", pa.float64()),  # cosine of the best region to the query
        ("relevance", pa.float64()),
        ("region_id", pa.string()),
        ("kind", pa.string()),
        ("label", pa.string()),
        ("text", pa.string()),
    ]
)
TABLES = {
    "images": images_table,
    "clusters": clusters_table,
    "coordinates": coordinates_table,
    "labels": labels_table,
    "classes": classes_table,
}


def _placed(
    collection: Collection, region_ids: Sequence[str], columns: Mapping[str, Any]
) -> pa.Table:
    """What is said of regions (N,) -> a row for every place of each: path, image_id, region_id."""
    ids = {
        "image_id": pa.array([image_id_of(region_id) for region_id in region_ids], pa.string()),
        "region_id": pa.array(region_ids, pa.string()),
    }
    return _at_places(pa.table(ids | dict(columns)), collection.places())


def _at_places(found: pa.Table, rows: pa.Table) -> pa.Table:
    """Rows with an `image_id` -> each once for every place of its image, its path in front."""
    owner, place = place_rows.spread(found["image_id"].combine_chunks(), rows)
    at = rows.take(place)
    return _with_places(found.take(owner).add_column(0, "path", at["path"]), at)


def _with_places(found: pa.Table, at: pa.Table) -> pa.Table:
    """A table with the id and the metadata of each row's place behind its own columns."""
    found = found.append_column("place_id", at["place_id"])
    metadata = place_rows.metadata_columns(at["metadata"].to_pylist(), found.column_names)
    for name, values in metadata.items():
        found = found.append_column(name, values)
    return found


def write_contact_sheets(collection: Collection, folder: Path, *, run: str | None) -> list[Path]:
    """Write one PNG a cluster, its firmest members first, and one for noise."""
    clustering = collection.clustering(run)
    names = [(cluster.cluster, cluster.name) for cluster in clustering.clusters]
    written = []
    with files.told_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for label, name in [*names, (-1, "noise")]:
            path = folder / (f"{label:03d}-{_slug(name)}.png" if label >= 0 else "noise.png")
            if sheet := _contact_sheet(collection, clustering, label, name):
                path.write_bytes(sheet)
                written.append(path)
    return written


def _contact_sheet(
    collection: Collection, clustering: Clustering, label: int, name: str
) -> bytes | None:
    """A PNG of a cluster's firmest members; None where none of them is left."""
    from bilderatlas import figures

    members = clustering.members(label)
    ids = [image_id_of(clustering.region_ids[i]) for i in members[:SHEET_SIZE]]
    placed = [(i, path) for i, path in zip(ids, collection.paths(ids), strict=True) if path]
    if not placed:
        return None
    jpegs = collection.thumbnails([image_id for image_id, _ in placed])
    captions = [Path(path).name for _, path in placed]
    title = f"{name} · {len(members):,} images"
    return figures.to_png(figures.contact_sheet(jpegs, captions, title=title))


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower()).strip("-")[:60] or "cluster"
