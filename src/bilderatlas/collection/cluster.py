"""The bodies of `cluster`, `advise` and `compare`: embeddings -> a run, or what to know of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bilderatlas.analysis import clustering, evaluation
from bilderatlas.arrays import Embeddings
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import QueryError
from bilderatlas.results import Clustering, Exchange, RunComparison, advice
from bilderatlas.results.advice import Advice
from bilderatlas.storage import Store, runs


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
    return runs.keep_clustering(store, about, ids, made.labels, made.probabilities).run


def advise(space: OpenSpace, kind: str | None, *, min_samples: int, seed: int) -> Advice:
    """Measure what k and what eps suit the regions of one kind."""
    kind = kind or space.about.usual_kind
    _, vectors = _embeddings(space, kind)
    return advice.advise(vectors, kind=kind, min_samples=min_samples, seed=seed)


def compare(one: Clustering, other: Clustering) -> RunComparison:
    """Hold two runs beside each other, over the regions that both know."""
    in_first, in_second = _shared(one, other)
    found = evaluation.compare(one.labels[in_first], other.labels[in_second])
    return RunComparison(
        **{fact.name: getattr(found, fact.name) for fact in fields(found)},
        first=one.run,
        second=other.run,
        n_only_first=len(one.region_ids) - len(in_first),
        n_only_second=len(other.region_ids) - len(in_first),
    )


def exchanges(
    one: Clustering, other: Clustering, pairs: Sequence[tuple[int, int]], *, n: int
) -> list[Exchange]:
    """Up to n regions each that stayed, left and came, for clusters of two runs."""
    in_first, in_second = _shared(one, other)
    was, now = one.labels[in_first], other.labels[in_second]  # (S,) of the shared regions
    before, after = one.probabilities[in_first], other.probabilities[in_second]

    def firmest(chosen: NDArray[np.bool_], firmness: NDArray[np.float32]) -> tuple[str, ...]:
        places = np.flatnonzero(chosen)
        order = places[np.argsort(-firmness[places], kind="stable")][:n]
        return tuple(one.region_ids[int(place)] for place in in_first[order])

    return [
        Exchange(
            a,
            b,
            firmest((was == a) & (now == b), before),
            firmest((was == a) & (now != b), before),
            firmest((was != a) & (now == b), after),
        )
        for a, b in pairs
    ]


def _shared(one: Clustering, other: Clustering) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(S,) where the regions that both runs know stand in each."""
    place = pc.index_in(pa.array(one.region_ids), value_set=pa.array(other.region_ids))
    in_first = np.flatnonzero(pc.is_valid(place).to_numpy(zero_copy_only=False))
    if len(in_first) == 0:
        raise QueryError(
            f"{one.run} is over {one.about.kind} and {other.run} over {other.about.kind}: they "
            "share no region. Compare two runs over the same kind."
        )
    return in_first, pc.drop_null(place).to_numpy()


def _embeddings(space: OpenSpace, kind: str) -> tuple[list[str], Embeddings]:
    ids, vectors = space.catalogue.embeddings_of(kind)
    if not ids and kind != space.about.usual_kind:
        kinds = pc.unique(space.catalogue.regions["kind"]).to_pylist()
        raise QueryError(
            f"There is no region of kind {kind!r}; there are {', '.join(sorted(kinds)) or 'none'}. "
            "Take one of them, or 'all'."
        )
    return ids, vectors
