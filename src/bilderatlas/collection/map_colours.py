"""What regions are coloured by: a clustering, their kind, facts and metadata of their image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas.analysis import colouring
from bilderatlas.analysis.colouring import Colouring
from bilderatlas.arrays import ClusterLabels
from bilderatlas.collection import replay
from bilderatlas.errors import QueryError, RunNotFound
from bilderatlas.results import Clustering, Run
from bilderatlas.storage import Store, labels, runs
from bilderatlas.storage.labels import LabelIndex
from bilderatlas.storage.where import free_names

OF_REGIONS = ("kind", "label")
OF_IMAGES = ("media_type", "width", "height", "taken_at")
OF_PLACES = ("folder", "source")
PEOPLES = "labels"
FACTS = ("cluster", PEOPLES, *OF_REGIONS, *OF_IMAGES, *OF_PLACES)


def colour(store: Store, shown: Run, regions: pa.Table, color_by: str | None) -> Colouring:
    """A label for every region (N rows of `Catalogue.regions`) on the map `shown`.

    `color_by` is `cluster` (the newest clustering of what the map shows), the name of any
    clustering, `labels` that people gave (a region without one has its image's), or a column; by
    default `cluster`, or the folder where there is no such clustering. Raises QueryError for a
    column that is not there, RunNotFound for `cluster` where there is none.
    """
    clusterings = runs.all_of(store, "cluster")
    own = next((run.run for run in clusterings if _is_of(run, shown)), None)
    if color_by is None:
        color_by = own or "folder"
    elif color_by == "cluster":
        color_by = own or _refuse(shown)
    if color_by in [run.run for run in clusterings]:
        chosen = replay.read(store, color_by)
        names = {cluster.cluster: cluster.name for cluster in chosen.clusters}
        return colouring.by_cluster(_labels(chosen, regions), names, chosen.run)
    if color_by == PEOPLES:
        return colouring.by_value(PEOPLES, _given(labels.read(store), regions))
    if color_by in OF_REGIONS:
        return colouring.by_value(color_by, regions[color_by].to_pylist())
    read = _of_images if color_by in OF_IMAGES else _of_places
    values = read(store, color_by)
    return colouring.by_value(color_by, [values.get(i) for i in regions["image_id"].to_pylist()])


def _is_of(clustering: Run, shown: Run) -> bool:
    """Whether a clustering is of what a map shows: the same space, and regions of its kind."""
    kinds = {clustering.kind, shown.kind}
    return clustering.space == shown.space and (len(kinds) == 1 or "all" in kinds)


def _refuse(shown: Run) -> NoReturn:
    raise RunNotFound(
        f"No clustering covers what map '{shown.run}' shows: regions of kind '{shown.kind}' in "
        f"space '{shown.space}'. Make one: bilderatlas cluster COLLECTION --space {shown.space} "
        f"--kind {shown.kind}; or name the clustering, or a column, to colour by."
    )


def _labels(clustering: Clustering, regions: pa.Table) -> ClusterLabels:
    """The cluster of every region, (N,); noise where the clustering does not know it."""
    known = pa.array(clustering.region_ids, pa.string())
    row = pc.index_in(regions["region_id"].combine_chunks(), value_set=known)
    labels = np.append(clustering.labels, -1)[pc.fill_null(row, len(known)).to_numpy()]
    return np.asarray(labels, np.int32)


def _given(given: LabelIndex, regions: pa.Table) -> list[str | None]:
    """(N,) all labels of each region, or of its image, in one text."""
    ids = zip(regions["region_id"].to_pylist(), regions["image_id"].to_pylist(), strict=True)
    its = (given.of_region.get(region) or given.of_region.get(image, ()) for region, image in ids)
    return [" + ".join(each) or None for each in its]


def _of_images(store: Store, column: str) -> dict[str, Any]:
    rows = store.read("images", ["image_id", column])
    return dict(zip(rows["image_id"].to_pylist(), rows[column].to_pylist(), strict=True))


def _of_places(store: Store, column: str) -> dict[str, Any]:
    """Of several places of an image the first counts."""
    places = store.read("places", ["uri", "source", "image_id", "metadata"]).sort_by("uri")
    ids = places["image_id"].to_pylist()
    if column == "source":
        values: Sequence[Any] = places["source"].to_pylist()
    elif column == "folder":
        values = [PurePath(uri).parent.name for uri in places["uri"].to_pylist()]
    else:
        values = _metadata([json.loads(text) for text in places["metadata"].to_pylist()], column)
    return dict(reversed([pair for pair in zip(ids, values, strict=True) if pair[1] is not None]))


def _metadata(rows: Sequence[dict[str, Any]], column: str) -> list[Any]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    own_name = dict(zip(free_names(names, FACTS), names, strict=True))
    if column not in own_name:
        listed = f"; of your tables: {', '.join(own_name)}" if own_name else ""
        raise QueryError(
            f"There is no column {column!r} to colour by. There are: {', '.join(FACTS)}{listed}."
        )
    values = (row.get(own_name[column]) for row in rows)
    return [json.dumps(v) if isinstance(v, (list, dict)) else v for v in values]
