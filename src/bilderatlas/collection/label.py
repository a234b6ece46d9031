"""The bodies of what people's labels are asked for and changed by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas.analysis import natural_order
from bilderatlas.collection import ground_truth
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import LabelsError
from bilderatlas.results import (
    ImportedLabels,
    LabelCount,
    LabelCounts,
    LabelDecision,
    Labelling,
    image_id_of,
)
from bilderatlas.storage import Store, decisions
from bilderatlas.storage import labels as labels_
from bilderatlas.storage.catalogue import Catalogue
from bilderatlas.storage.decisions import LABEL, UNLABEL
from bilderatlas.storage.labels import LabelIndex


def give(
    store: Store, space: OpenSpace, images: Sequence[str], label: str, who: str | None
) -> Labelling:
    """Keep that some images or regions have a label; those that have it already are passed over.

    Raises LabelsError, ImageNotFound.
    """
    label = labels_.checked(label)
    meant = resolved(space, images)
    with store.deciding():
        having = set(labels_.read(store).regions_of.get(label, ()))
        lacking = [region for region in meant if region not in having]
        return _keep(store, LABEL, label, lacking, who)


def take(
    store: Store, space: OpenSpace, images: Sequence[str], label: str, who: str | None
) -> Labelling:
    """Keep that some images or regions do not have a label. Raises LabelsError, ImageNotFound."""
    label = labels_.checked(label)
    with store.deciding():
        known = labels_.read(store).regions_of
        if label not in known:
            raise LabelsError(f"No image is labelled {label!r}. {_there_are(known)}")
        having = set(known[label])
        losing = [region for region in resolved(space, images) if region in having]
        return _keep(store, UNLABEL, label, losing, who)


def count(catalogue: Catalogue, labels: LabelIndex) -> LabelCounts:
    """How many images have each label, those of the most first; images that left do not count."""
    n_of, labelled = [], []
    for label in labels.regions_of:
        here = _here(catalogue, labels.images_of(label))
        labelled.append(here)
        n_of.append(LabelCount(label, len(here), labels.since[label]))
    n_labelled = len(pc.unique(pa.concat_arrays(labelled))) if labelled else 0
    listed = sorted(
        (each for each in n_of if each.n_images),
        key=lambda c: (-c.n_images, natural_order.key(c.label)),
    )
    return LabelCounts(
        n_images=len(catalogue.image_ids), n_labelled=n_labelled, labels=tuple(listed)
    )


def labelled(catalogue: Catalogue, labels: LabelIndex, label: str | None) -> pa.Array:
    """The images here that have a label, or any, by path."""
    if label is not None and label not in labels.regions_of:
        raise LabelsError(f"No image is labelled {label!r}. {_there_are(labels.regions_of)}")
    named = labels.regions_of if label is None else [label]
    ids = [image for each in named for image in labels.images_of(each)]
    having = pc.is_in(catalogue.image_ids, value_set=pa.array(ids, pa.string()))
    return catalogue.image_ids.filter(having)


def unlabelled(catalogue: Catalogue, labels: LabelIndex) -> pa.Array:
    """The images here that have no label, by path."""
    having = pc.is_in(catalogue.image_ids, value_set=labelled(catalogue, labels, None))
    return catalogue.image_ids.filter(pc.invert(having))


def by_region(catalogue: Catalogue, labels: LabelIndex) -> dict[str, tuple[str, ...]]:
    """The labels of every region that has some, of the images here, by path."""
    here = pa.array(list(labels.of_region), pa.string())
    number = pc.index_in(pc.utf8_slice_codeunits(here, 0, 32), value_set=catalogue.image_ids)
    order = pc.sort_indices(number).to_numpy()[: len(here) - number.null_count]
    return {region: labels.of_region[region] for region in here.take(order).to_pylist()}


def import_(
    store: Store,
    space: OpenSpace,
    given: str,
    *,
    label_column: str | None,
    image_column: str | None,
    who: str | None,
) -> ImportedLabels:
    """Keep the labels that a table, folders or a metadata column say: a decision for each label.

    Raises LabelsError where no image is named.
    """
    catalogue = space.catalogue
    read = ground_truth.read_all(
        given, catalogue.place_rows(), label_column=label_column, image_column=image_column
    )
    regions_of: dict[str, list[str]] = {}
    unknown = dict.fromkeys(read.unknown)
    known = _regions_here(catalogue, read.labels_of)
    for region_id, its in read.labels_of.items():
        if region_id not in known:
            unknown[region_id] = None
            continue
        for label in its:
            regions_of.setdefault(labels_.checked(label), []).append(region_id)
    kept = [give(store, space, ids, label, who) for label, ids in regions_of.items()]
    return ImportedLabels(read.source, tuple(kept), tuple(unknown))


def resolved(space: OpenSpace, images: Sequence[str]) -> list[str]:
    """The region ids of images (by id, path, id of their table) and of regions, each once.

    Raises ImageNotFound.
    """
    catalogue = space.catalogue
    given = pa.array([image.encode("utf-8", "replace").decode() for image in images], pa.string())
    by_id = catalogue.image_ids.take(pc.index_in(given, value_set=catalogue.image_ids))
    places = catalogue.all_places
    row = pc.index_in(given, value_set=places["uri"].combine_chunks())
    by_path = places["image_id"].combine_chunks().take(row)
    found = pc.coalesce(by_id, by_path).to_pylist()
    parts = _regions_here(catalogue, given.to_pylist()) if None in found else set()
    return list(
        dict.fromkeys(
            region or (image if image in parts else _image_id(space, image))
            for region, image in zip(found, images, strict=True)
        )
    )


def _image_id(space: OpenSpace, image: str) -> str:
    return str(space.catalogue.image_ids[space.number_of(image)].as_py())


def _regions_here(catalogue: Catalogue, region_ids: Iterable[str]) -> set[str]:
    """Those of some region ids that the space has."""
    given = pa.array([str(each) for each in region_ids], pa.string())
    known = catalogue.regions["region_id"].combine_chunks()
    return set(given.filter(pc.is_in(given, value_set=known)).to_pylist())


def _here(catalogue: Catalogue, image_ids: Sequence[str]) -> pa.Array:
    given = pa.array(image_ids, pa.string())
    return given.filter(pc.is_in(given, value_set=catalogue.image_ids))


def _keep(
    store: Store, verb: str, label: str, region_ids: Sequence[str], who: str | None
) -> Labelling:
    """One decision for all of them; none where nothing would change."""
    if not region_ids:
        return Labelling(verb=verb, label=label, n_regions=0, decision=None)
    image_ids = list(dict.fromkeys(map(image_id_of, region_ids)))
    are_whole = image_ids == list(region_ids)
    kept = decisions.append(
        store,
        verb,
        image_ids=image_ids,
        region_ids=() if are_whole else region_ids,  # a hundred thousand ids are kept once
        payload={"label": label},
        who=who,
    )
    decision = LabelDecision(kept.decision, verb, kept.who, kept.when)
    return Labelling(verb=verb, label=label, n_regions=len(region_ids), decision=decision)


def _there_are(regions_of: Mapping[str, object]) -> str:
    if not regions_of:
        return "There are no labels yet: bilderatlas label COLLECTION --set LABEL IMAGE..."
    return f"There are: {', '.join(sorted(regions_of, key=natural_order.key)[:20])}."
