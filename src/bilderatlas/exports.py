"""A collection's results -> CSV and Parquet files, contact sheets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa

from bilderatlas.errors import QueryError

if TYPE_CHECKING:
    from bilderatlas.collection import Collection

FORMATS = {".csv": "csv", ".parquet": "parquet"}
SHEET_SIZE = 40  # pictures on a contact sheet


def write(
    collection: Collection,
    output: Path | BinaryIO,
    *,
    table: str,
    format: str | None,
    run: str | None,
) -> None:
    """Write a table of a collection to a file. Raises QueryError for what is not offered."""
    if table not in TABLES:
        raise QueryError(f"There is no table {table!r}; choose one of: {', '.join(TABLES)}.")
    if format is None and isinstance(output, Path):
        format = FORMATS.get(output.suffix.lower(), output.suffix)
    if format not in FORMATS.values():
        raise QueryError(f"Format {format!r} is not offered. Use --format csv or --format parquet.")
    rows = TABLES[table](collection, run)
    if isinstance(output, Path):
        output.parent.mkdir(parents=True, exist_ok=True)
    if format == "csv":
        import pyarrow.csv

        pyarrow.csv.write_csv(rows, output)
    else:
        import pyarrow.parquet

        pyarrow.parquet.write_table(rows, output)


def images_table(collection: Collection, run: str | None = None) -> pa.Table:
    """One row an image, with its metadata columns; `run` plays no part."""
    rows = []
    for facts in collection.all_images():
        row = facts.to_dict()
        metadata = row.pop("metadata")
        row["paths"] = json.dumps(row["paths"], ensure_ascii=False)
        rows.append(row | {k: _cell(v) for k, v in metadata.items() if k not in row})
    columns = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in columns})


def clusters_table(collection: Collection, run: str | None) -> pa.Table:
    """path, image_id, region_id, cluster, probability, name of every region of a clustering."""
    clustering = collection.clustering(run)
    names = {cluster.cluster: cluster.name for cluster in clustering.clusters}
    placed = _placed(collection, clustering.region_ids)
    return pa.table(
        placed
        | {
            "cluster": clustering.labels,
            "probability": clustering.probabilities,
            "name": [names.get(label, "noise") for label in clustering.labels.tolist()],
        }
    )


def coordinates_table(collection: Collection, run: str | None) -> pa.Table:
    """path, image_id, region_id, x, y, z of every region of a projection; z is 0 in 2-D."""
    projection = collection.projection(run)
    xyz = np.zeros((len(projection.region_ids), 3), np.float32)
    xyz[:, : projection.dims] = projection.coordinates
    axes = {name: xyz[:, i] for i, name in enumerate("xyz")}
    return pa.table(_placed(collection, projection.region_ids) | axes)


TABLES = {"images": images_table, "clusters": clusters_table, "coordinates": coordinates_table}


def _placed(collection: Collection, region_ids: tuple[str, ...]) -> dict[str, Any]:
    image_ids = [region_id.partition("-")[0] for region_id in region_ids]
    paths = collection.paths(image_ids)
    return {
        "path": pa.array(paths, pa.string()),
        "image_id": pa.array(image_ids, pa.string()),
        "region_id": pa.array(region_ids, pa.string()),
    }


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float)) else json.dumps(value)


def _column(values: list[Any]) -> pa.Array:
    """A column of its own type, or of text where the values are of several."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values])


def write_contact_sheets(collection: Collection, folder: Path, *, run: str | None) -> list[Path]:
    """Write one PNG a cluster, its firmest members first, and one for noise."""
    from bilderatlas import figures

    clustering = collection.clustering(run)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    names = [(c.cluster, c.name) for c in clustering.clusters]
    for label, name in [*names, (-1, "noise")]:
        members = np.flatnonzero(clustering.labels == label)
        if len(members) == 0:
            continue
        firmest = members[np.argsort(-clustering.probabilities[members], kind="stable")]
        ids = [clustering.region_ids[i].partition("-")[0] for i in firmest[:SHEET_SIZE]]
        captions = [Path(path or "").name for path in collection.paths(ids)]
        title = f"{name} · {len(members):,} images"
        sheet = figures.contact_sheet(collection.thumbnails(ids), captions, title=title)
        path = folder / f"{label:03d}-{_slug(name)}.png" if label >= 0 else folder / "noise.png"
        path.write_bytes(figures.to_png(sheet))
        written.append(path)
    return written


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower()).strip("-")[:60] or "cluster"
