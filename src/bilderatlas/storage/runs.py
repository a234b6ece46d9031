"""Clusterings and projections that a collection remembers <-> rows of its `runs` table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.naming import Name, numbered
from bilderatlas.arrays import ClusterLabels, Coordinates
from bilderatlas.errors import RunNotFound
from bilderatlas.results import Classification, Cluster, Clustering, Projection, Run
from bilderatlas.storage import Store
from bilderatlas.storage.tables import quoted

ABOUT = ("run", "verb", "method", "parameters", "seed", "space", "kind", "created_at", "n_regions")
VERB_MAKES = {"cluster": "clustering", "project": "projection", "classify": "classification"}


def all_of(store: Store, verb: str | None = None) -> list[Run]:
    """The runs of a verb (cluster, project, classify), newest first."""
    rows = store.read("runs", list(ABOUT)).sort_by([("created_at", "descending")]).to_pylist()
    return [_about(row) for row in rows if verb in (None, row["verb"])]


def describe(
    store: Store,
    verb: str,
    method: str,
    parameters: Mapping[str, Any],
    *,
    seed: int,
    space: str,
    kind: str,
    n_regions: int,
) -> Run:
    """A new run with the next free name of its method: "tsne-1", "tsne-2"."""
    return Run(
        _free_name(store, method),
        verb,
        method,
        parameters,
        seed,
        space,
        kind,
        datetime.now(UTC),
        n_regions,
    )


def _free_name(store: Store, method: str) -> str:
    taken = {run.run for run in all_of(store)}
    number = next(n for n in range(1, len(taken) + 2) if f"{method}-{n}" not in taken)
    return f"{method}-{number}"


def keep_clustering(
    store: Store,
    about: Run,
    region_ids: Sequence[str],
    labels: ClusterLabels,
    probabilities: NDArray[np.float32],
) -> Run:
    """Write a clustering: labels and probabilities (N,) of regions (N,). The run as it is kept."""
    both = {"labels": labels, "probabilities": probabilities}
    return _keep(store, about, {"region_ids": region_ids} | both)


def keep_classification(
    store: Store,
    about: Run,
    region_ids: Sequence[str],
    labels: NDArray[np.int32],
    probabilities: NDArray[np.float32],
) -> Run:
    """Write a classification: the T likeliest labels (N, T) of regions (N,), how likely (N, T)."""
    both = {"labels": labels.ravel(), "probabilities": probabilities.ravel()}
    return _keep(store, about, {"region_ids": region_ids} | both)


def keep_projection(
    store: Store, about: Run, region_ids: Sequence[str], coordinates: Coordinates
) -> Run:
    """Write a projection: coordinates (N, 2) or (N, 3) of regions (N,). The run as it is kept."""
    return _keep(store, about, {"region_ids": region_ids, "coordinates": coordinates.ravel()})


def _keep(store: Store, about: Run, columns: Mapping[str, Any]) -> Run:
    """Write a run under a name that nobody else gave meanwhile."""
    with store.deciding():
        kept = replace(about, run=_free_name(store, about.method))
        store.add_run(_row(kept) | dict(columns))
    return kept


def read_clustering(store: Store, run: str | None) -> Clustering:
    """A clustering by its name, or the newest. Raises RunNotFound."""
    about = _choose(all_of(store, "cluster"), "cluster", run)
    row = _read(store, about, ["region_ids", "labels", "probabilities"])
    labels = np.asarray(row["labels"], dtype=np.int32)
    return Clustering(
        about,
        tuple(row["region_ids"]),
        labels,
        np.asarray(row["probabilities"], dtype=np.float32),
        clusters_of(labels),
    )


def read_projection(store: Store, run: str | None, dims: int | None) -> Projection:
    """A projection by its name, or the newest (of these dimensions). Raises RunNotFound."""
    candidates = all_of(store, "project")
    if dims is not None:
        candidates = [c for c in candidates if c.parameters["dims"] == dims]
    about = _choose(candidates, "project", run)
    row = _read(store, about, ["region_ids", "coordinates"])
    coordinates = np.asarray(row["coordinates"], dtype=np.float32)
    return Projection(
        about, tuple(row["region_ids"]), coordinates.reshape(-1, about.parameters["dims"])
    )


def read_classification(store: Store, run: str | None) -> Classification:
    """A classification by its name, or the newest. Raises RunNotFound."""
    about = _choose(all_of(store, "classify"), "classify", run)
    row = _read(store, about, ["region_ids", "labels", "probabilities"])
    shape = len(row["region_ids"]), about.parameters["top"]
    return Classification(
        about,
        tuple(row["region_ids"]),
        tuple(about.parameters["labels"]),
        np.asarray(row["labels"], dtype=np.int32).reshape(shape),
        np.asarray(row["probabilities"], dtype=np.float32).reshape(shape),
    )


def keep_names(store: Store, run: str, names: Mapping[int, Name]) -> None:
    """Write what clusters of a run are called; the newest name of a cluster counts."""
    now = datetime.now(UTC)
    rows = [
        {"run": run, "cluster": cluster, "made_at": now} | asdict(name)
        for cluster, name in names.items()
    ]
    if rows:
        store.add_later("names", rows)


def read_names(store: Store, run: str) -> dict[int, Name]:
    """What clusters of a run are called, as far as they were named by a program."""
    rows = store.read_later("names", f"run = {quoted(run)}").sort_by("made_at").to_pylist()
    return {
        row["cluster"]: Name(row["name"], row["confidence"], row["source"], tuple(row["words"]))
        for row in rows
    }


def clusters_of(labels: ClusterLabels) -> tuple[Cluster, ...]:
    """The clusters in labels (N,), largest first; noise (-1) is none."""
    numbers, sizes = np.unique(labels[labels >= 0], return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    facts = ((int(numbers[i]), int(sizes[i])) for i in order)
    return tuple(
        Cluster(number, numbered(number), size, 0.0, "number", ()) for number, size in facts
    )


def _choose(candidates: Sequence[Run], verb: str, run: str | None) -> Run:
    for candidate in candidates:
        if run in (None, candidate.run):
            return candidate
    made = ", ".join(c.run for c in candidates)
    raise RunNotFound(
        f"There is no {VERB_MAKES[verb]} {run!r}; there are: {made}."
        if made
        else f"No {VERB_MAKES[verb]} was made yet. Make one with: bilderatlas {verb} COLLECTION"
    )


def _read(store: Store, about: Run, columns: list[str]) -> dict[str, Any]:
    rows = store.read_ids("runs", "run", [about.run], columns).to_pylist()
    return dict(rows[0])


def _row(about: Run) -> dict[str, Any]:
    return asdict(about) | {"parameters": json.dumps(dict(about.parameters))}


def _about(row: Mapping[str, Any]) -> Run:
    values = {name: row[name] for name in ABOUT}
    return Run(**values | {"parameters": json.loads(row["parameters"])})
