"""The bodies of `cluster`, `advise` and `compare`: embeddings -> a run, or what to know of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas import advice, clustering, evaluation, runs
from bilderatlas.advice import Advice
from bilderatlas.arrays import Embeddings
from bilderatlas.collection import standing
from bilderatlas.collection.open_space import OpenSpace
from bilderatlas.errors import QueryError
from bilderatlas.results import RunComparison
from bilderatlas.store import Store


def cluster(
    store: Store,
    space: OpenSpace,
    method: str,
    options: Mapping[str, Any],
    *,
    kind: str | None,
    seed: int,
) -> str:
    """Group regions of one kind; the name of the run. `options` has what was said of them."""
    kind = kind or space.about.usual_kind
    ids, vectors = _embeddings(space, kind)
    made = clustering.cluster(vectors, method=method, seed=seed, **options)
    about = runs.describe(
        store,
        "cluster",
        method,
        made.parameters,
        seed=seed,
        space=space.about.space,
        kind=kind,
        n_regions=len(ids),
    )
    runs.keep_clustering(store, about, ids, made.labels, made.probabilities)
    return about.run


def advise(space: OpenSpace, kind: str | None, *, min_samples: int, seed: int) -> Advice:
    """Measure what k and what eps suit the regions of one kind."""
    kind = kind or space.about.usual_kind
    _, vectors = _embeddings(space, kind)
    return advice.advise(vectors, kind=kind, min_samples=min_samples, seed=seed)


def compare(store: Store, first: str, second: str) -> RunComparison:
    """Hold two runs, as people left them, beside each other, over the regions that both know."""
    one, other = standing.read(store, first), standing.read(store, second)
    place = pc.index_in(pa.array(one.region_ids), value_set=pa.array(other.region_ids))
    in_first = np.flatnonzero(pc.is_valid(place).to_numpy(zero_copy_only=False))
    if len(in_first) == 0:
        raise QueryError(
            f"{first} is over {one.about.kind} and {second} over {other.about.kind}: they share no "
            "region. Compare two runs over the same kind."
        )
    in_second = pc.drop_null(place).to_numpy()
    return RunComparison(
        first,
        second,
        evaluation.compare(one.labels[in_first], other.labels[in_second]),
        n_only_first=len(one.region_ids) - len(in_first),
        n_only_second=len(other.region_ids) - len(in_first),
    )


def _embeddings(space: OpenSpace, kind: str) -> tuple[list[str], Embeddings]:
    ids, vectors = space.catalogue.embeddings_of(kind)
    if not ids and kind != space.about.usual_kind:
        kinds = pc.unique(space.catalogue.regions["kind"]).to_pylist()
        raise QueryError(
            f"There is no region of kind {kind!r}; there are {', '.join(sorted(kinds)) or 'none'}. "
            "Take one of them, or 'all'."
        )
    return ids, vectors
