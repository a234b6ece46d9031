"""The bodies of `heat_map`: images, or the clusters of a run -> how alike they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bilderatlas.analysis import evaluation
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import QueryError
from bilderatlas.output.evaluation_report.heat_map import HeatMap
from bilderatlas.results import Clustering, Thumbnails

N_IMAGES, N_CLUSTERS = 100, 50  # more rows cannot be read in a picture


def images(space: OpenSpace, given: Sequence[str], thumbnails: Thumbnails) -> HeatMap:
    """The cosines between some images, in the order asked for."""
    if not 2 <= len(given) <= N_IMAGES:
        raise QueryError(
            f"A heat map is of 2 to {N_IMAGES} images; {len(given)} were named. "
            "Name some more or fewer, or none for the clusters of a run."
        )
    catalogue = space.catalogue
    numbers = [space.number_of(image, catalogue) for image in given]
    vectors = [space.embedding_of(number, catalogue) for number in numbers]
    rows = np.stack(vectors).astype(np.float64)  # (M, D)
    names = [catalogue.places(number)[0][0].rsplit("/", 1)[-1] for number in numbers]
    ids = [catalogue.image_ids[number].as_py() for number in numbers]
    return HeatMap("Images", names, np.clip(rows @ rows.T, -1, 1), thumbnails(ids))


def clusters(space: OpenSpace, made: Clustering) -> HeatMap:
    """Mean cosines within and between the largest clusters of a run, like ones side by side."""
    if not made.clusters:
        raise QueryError(
            f"Run {made.run!r} has no clusters, only noise. Name another run with --run."
        )
    shown = made.clusters[:N_CLUSTERS]
    place = {cluster.cluster: i for i, cluster in enumerate(shown)}
    group_of = {
        region_id: place[label]
        for region_id, label in zip(made.region_ids, made.labels.tolist(), strict=True)
        if label in place
    }
    ids, vectors = space.catalogue.embeddings_of(made.about.kind)
    groups = np.array([group_of.get(region_id, -1) for region_id in ids], dtype=np.int64)
    if not (groups >= 0).any():
        raise QueryError(
            f"None of the clusters of run {made.run!r} has members in space "
            f"'{space.about.space}'. Cluster again, or name another run with --run."
        )
    found, dense = np.unique(groups[groups >= 0], return_inverse=True)  # some may have left
    means = evaluation.class_means(vectors[groups >= 0], dense)
    order = evaluation.likeness_order(means)
    part = f", the {len(shown)} largest" if len(shown) < len(made.clusters) else ""
    return HeatMap(
        f"Clusters of {made.run}{part}",
        [shown[i].name for i in found[order].tolist()],
        means[np.ix_(order, order)],
    )
