"""The body of `select`: a query, a cluster, labels, a condition -> the images that are meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas.collection import label as labelling
from bilderatlas.collection import replay, search
from bilderatlas.collection.space import OpenSpace
from bilderatlas.collection.text_evidence import Readings
from bilderatlas.errors import LabelsError, QueryError
from bilderatlas.results import image_id_of
from bilderatlas.storage import Store
from bilderatlas.storage.catalogue import Catalogue
from bilderatlas.storage.labels import LabelIndex


def all_of(
    space: OpenSpace,
    store: Store,
    readings: Callable[[], Readings],
    query: str | None,
    cluster: int | None,
    run: str | None,
) -> pa.Array:
    """The images that answer a query, the closest first, or are in a cluster, or both."""
    if run is not None and cluster is None:
        raise QueryError(
            f"Run {run!r} alone does not say which images. Name one of its clusters too."
        )
    meant = space.catalogue.image_ids
    if cluster is not None:
        meant = _among(_members(store, run, cluster), meant)
    if query is not None:
        meant = _among(search.answering(space, readings(), query), meant)
    return meant


def narrowed(
    catalogue: Catalogue,
    labels: LabelIndex,
    images: pa.Array,
    *,
    label: str | None,
    unlabelled: bool,
    where: str | None,
    selected: Sequence[str] | None,
) -> pa.Array:
    """Those of some images that have a label, or none, fulfil a condition, and are selected.

    In their order.
    """
    if selected is not None:
        images = _among(images, pa.array(selected, pa.string()))
    labelled = by_label(catalogue, labels, label, unlabelled)
    if labelled is not None:
        images = _among(images, labelled)
    if where is not None:
        rows = np.flatnonzero(catalogue.where(where))
        images = _among(images, catalogue.regions["image_id"].take(rows).combine_chunks())
    return images


def by_label(
    catalogue: Catalogue, labels: LabelIndex, label: str | None, unlabelled: bool
) -> pa.Array | None:
    """The images that people gave a label, or none; None where all are meant."""
    if label is not None and unlabelled:
        raise LabelsError(
            f"No image both has the label {label!r} and has none. Ask for one of the two."
        )
    if label is not None:
        return labelling.labelled(catalogue, labels, label)
    return labelling.unlabelled(catalogue, labels) if unlabelled else None


def _among(images: pa.Array, others: pa.Array) -> pa.Array:
    """Those of some images that are among others; in their order."""
    return images.filter(pc.is_in(images, value_set=others))


def _members(store: Store, run: str | None, cluster: int) -> pa.Array:
    clustering = replay.read(store, run)
    members = clustering.members(cluster)
    ids = dict.fromkeys(image_id_of(clustering.region_ids[place]) for place in members)
    return pa.array(list(ids), pa.string())
