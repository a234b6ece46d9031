"""The body of `cluster`: a space's embeddings -> a run that is remembered."""

from __future__ import annotations

from bilderatlas import clustering, runs
from bilderatlas.collection.open_space import OpenSpace
from bilderatlas.errors import QueryError
from bilderatlas.store import Store


def cluster(  # noqa: PLR0913  an option is an argument
    store: Store,
    space: OpenSpace,
    method: str,
    *,
    k: int | str,
    eps: float,
    min_samples: int,
    min_cluster_size: int,
    kind: str | None,
    seed: int,
) -> str:
    """Group regions of one kind; the name of the run."""
    if k != "auto" and method != "kmeans":
        raise QueryError(f"k is for kmeans, not for {method}. Use method kmeans, or no k.")
    kind = kind or space.about.usual_kind
    ids, vectors = space.catalogue.embeddings_of(kind)
    made = clustering.cluster(
        vectors,
        method=method,
        k=k,
        eps=eps,
        min_samples=min_samples,
        min_cluster_size=min_cluster_size,
        seed=seed,
    )
    parameters: dict[str, dict[str, float]] = {
        "kmeans": {"k": int(made.labels.max()) + 1},
        "dbscan": {"eps": eps, "min_samples": min_samples},
        "hdbscan": {"min_cluster_size": min_cluster_size, "min_samples": min_samples},
    }
    about = runs.describe(
        store,
        "cluster",
        method,
        parameters[method],
        seed=seed,
        space=space.about.space,
        kind=kind,
        n_regions=len(ids),
    )
    runs.keep_clustering(store, about, ids, made.labels, made.probabilities)
    return about.run
