"""The body of `project`: a space's embeddings -> a map that is remembered, or more of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas.analysis import projection
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import QueryError
from bilderatlas.results import Projection
from bilderatlas.storage import Store, runs

OPTIONS: Mapping[str, Mapping[str, float]] = {
    "tsne": {"perplexity": 30},
    "umap": {"n_neighbors": 15, "min_dist": 0.1},
    "pca": {},
}


def project(store: Store, space: OpenSpace, asked: Mapping[str, Any]) -> str:
    """Lay regions of one kind out on a map; the name of the run.

    `asked` has what was said of method, dims, kind, seed and the method's options.
    """
    method, kind, seed = asked.get("method", "tsne"), asked.get("kind"), asked.get("seed")
    kind = kind or space.about.usual_kind
    own = {name: value for name, value in asked.items() if name not in ("method", "kind", "seed")}
    _check_options(method, own)
    ids, vectors = space.catalogue.embeddings_of(kind)
    options = {"dims": 2} | dict(OPTIONS.get(method, {})) | own
    made = projection.project(vectors, method=method, seed=seed or 0, **options)
    if "perplexity" in options:
        perplexity = projection.usable_perplexity(options["perplexity"], made.n_laid_out)
        options |= {"perplexity": perplexity}
    if made.n_laid_out < len(ids):
        options |= {"laid_out": made.n_laid_out}
    about = runs.describe(
        store,
        "project",
        method,
        options | {"unit": made.unit},
        seed=seed or 0,
        space=space.about.space,
        kind=kind,
        n_regions=len(ids),
    )
    return runs.keep_projection(store, about, ids, made.coordinates).run


def project_into(store: Store, space: OpenSpace, into: str, asked: Mapping[str, Any]) -> str:
    """Place what is new among the points of a map; the name of the run that has both.

    The old points keep their coordinates to the last bit; those whose images have left are dropped.
    """
    if asked:
        raise QueryError(
            f"{', '.join(asked)}: a map that is added to keeps its own. Leave out what goes with "
            f"into={into!r}, or make a new map."
        )
    old = runs.read_projection(store, into, None)
    _check_space(old, space)
    ids, vectors = space.catalogue.embeddings_of(old.about.kind)
    rows = pc.index_in(pa.array(old.region_ids, pa.string()), value_set=pa.array(ids, pa.string()))
    is_here = pc.is_valid(rows).to_numpy(zero_copy_only=False)  # (N,)
    rows_of_old = rows.drop_null().to_numpy()
    is_new = np.ones(len(ids), np.bool_)
    is_new[rows_of_old] = False
    kept = old.coordinates[is_here]
    placed = projection.place(
        vectors[is_new],
        vectors[rows_of_old],
        kept,
        method=old.about.method,
        unit=old.about.parameters["unit"],
        seed=old.about.seed,
        **{name: old.about.parameters[name] for name in ("n_neighbors", "min_dist")}
        if old.about.method == "umap"
        else {},
    )
    region_ids = [ids[row] for row in (*rows_of_old, *np.flatnonzero(is_new))]
    about = runs.describe(
        store,
        "project",
        old.about.method,
        dict(old.about.parameters) | {"into": into},
        seed=old.about.seed,
        space=old.about.space,
        kind=old.about.kind,
        n_regions=len(region_ids),
    )
    return runs.keep_projection(store, about, region_ids, np.concatenate([kept, placed])).run


def _check_options(method: str, asked: Mapping[str, Any]) -> None:
    for name in asked:
        owners = [one for one, options in OPTIONS.items() if name in options]
        if owners and method in OPTIONS and method not in owners:
            raise QueryError(f"{name} is for {owners[0]}, not for {method}. Leave it out.")


def _check_space(old: Projection, space: OpenSpace) -> None:
    if old.about.space != space.about.space:
        raise QueryError(
            f"Map '{old.run}' is one of space '{old.about.space}', not of '{space.about.space}'. "
            "Only embeddings of one space lie on one map: leave out the space, or make a new map."
        )
    if "unit" not in old.about.parameters:
        raise QueryError(
            f"Map '{old.run}' was made by an older Bilderatlas, which did not keep its scale. "
            "Make a new one: bilderatlas project COLLECTION"
        )
