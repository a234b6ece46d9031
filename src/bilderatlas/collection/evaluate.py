"""The body of `evaluate`: a space, its clusterings and the ground truth -> an Evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bilderatlas.analysis import evaluation, natural_order
from bilderatlas.analysis.evaluation import Classes
from bilderatlas.arrays import ClusterLabels, Embeddings
from bilderatlas.collection import ground_truth
from bilderatlas.collection.ground_truth import GroundTruth
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import LabelsError, QueryError
from bilderatlas.output.evaluation_report import (
    NOISE,
    Captions,
    ClassSimilarity,
    Evaluation,
    JudgedCluster,
    JudgedRun,
    LabelsUsed,
    SideBySide,
)
from bilderatlas.results import Clustering, Thumbnails, image_id_of
from bilderatlas.storage import place_rows

N_CLASSES = 50  # the largest, in the matrix of likeness
N_CAPTIONS = 2000  # that are searched with; a text takes some milliseconds


@dataclass(frozen=True, slots=True)
class Labelled:
    """What is judged: regions of one kind, each once for every place and class of its image."""

    region_ids: tuple[str, ...]  # (L,)
    classes: Classes  # (L,)
    names: tuple[str, ...]  # (C,) of the classes
    places: pa.Table  # (L,) where each is
    embeddings: Embeddings  # (M, D), once for each region
    row_of: NDArray[np.int64]  # (L,) the row of each in `embeddings`
    n_unlabelled: int


def evaluate(
    space: OpenSpace,
    truth: GroundTruth,
    clusterings: Sequence[Clustering],
    *,
    eps: Sequence[float],
    min_samples: Sequence[int],
    seed: int,
    thumbnails: Thumbnails,
) -> Evaluation:
    """Judge clusterings, and the space itself."""
    _check_comparable(clusterings)
    kind = clusterings[0].about.kind if clusterings else space.about.usual_kind
    labelled = _labelled(space, kind, truth)
    judged = [(made, _labels_of(made, labelled)) for made in clusterings]
    return Evaluation(
        collection=space.collection,
        encoder=space.about.encoder,
        kind=kind,
        labels=_labels_used(truth, labelled),
        runs=tuple(_judge(made, labels, labelled) for made, labels in judged),
        similarity=_similarity(labelled, seed),
        dbscan=evaluation.dbscan_grid(
            labelled.embeddings,
            labelled.classes,
            row_of=labelled.row_of,
            eps=eps,
            min_samples=min_samples,
            seed=seed,
        ),
        captions=_captions(space, truth, seed) if truth.captions_of else None,
        side_by_side=_side_by_side(judged, labelled),
        thumbnails=thumbnails,
    )


def read_truth(
    space: OpenSpace,
    labels: str,
    *,
    label_column: str | None,
    image_column: str | None,
    captions: str | None,
    decided: Mapping[str, Sequence[str]],
) -> GroundTruth:
    """The ground truth, and whether captions can be searched with at all."""
    if captions and not space.about.reads_text:
        raise QueryError(
            f"Encoder '{space.about.encoder}' does not read words, so captions find nothing. "
            "Leave --captions out."
        )
    if captions and space.about.usual_kind != "image":
        raise QueryError(
            f"Space '{space.about.space}' holds words found in pictures, and no pictures that "
            "captions could find. Leave --captions out, or name another --space."
        )
    return ground_truth.read(
        labels,
        space.catalogue.place_rows(),
        label_column=label_column,
        image_column=image_column,
        captions=captions,
        decided=decided,
    )


def _check_comparable(clusterings: Sequence[Clustering]) -> None:
    """Refuse clusterings over different regions."""
    kinds = {made.run: made.about.kind for made in clusterings}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{run} of {kind}" for run, kind in kinds.items())
        raise QueryError(f"Runs over different regions have nothing to compare: {told}.")


def _labelled(space: OpenSpace, kind: str, truth: GroundTruth) -> Labelled:
    ids, embeddings = space.catalogue.embeddings_of(kind)
    image_ids = pa.array([image_id_of(region_id) for region_id in ids], pa.string())
    lies_at = space.catalogue.place_rows()
    owner, place = place_rows.spread(image_ids, lies_at)  # (R,), (R,)
    said = [truth.labels_at.get(each, ()) for each in lies_at["place_id"].take(place).to_pylist()]
    given = [label for its in said for label in its]  # (L,)
    n_of = [len(its) for its in said]
    names = sorted(set(given), key=natural_order.key)
    if len(names) < 2:
        raise LabelsError(
            f"Of the {len(said):,} regions of kind {kind!r}, {len(given):,} have a label, "
            f"of {len(names)} classes. To tell classes apart, label regions of two or more."
        )
    number = {name: i for i, name in enumerate(names)}
    rows, row_of = np.unique(np.repeat(owner, n_of), return_inverse=True)
    return Labelled(
        region_ids=tuple(ids[row] for row in rows[row_of]),
        classes=np.array([number[label] for label in given]),
        names=tuple(names),
        places=lies_at.take(place.take(np.repeat(np.arange(len(said)), n_of))),
        embeddings=embeddings if len(rows) == len(ids) else embeddings[rows],
        row_of=row_of,
        n_unlabelled=n_of.count(0),
    )


def _labels_used(truth: GroundTruth, labelled: Labelled) -> LabelsUsed:
    sizes = Counter(sorted(labelled.classes.tolist()))
    return LabelsUsed(
        source=truth.source,
        n_labelled=len(labelled.region_ids),
        n_images=len(set(map(image_id_of, labelled.region_ids))),
        n_unlabelled=labelled.n_unlabelled,
        classes={labelled.names[number]: n for number, n in sizes.most_common()},
        n_unknown=len(truth.unknown),
        n_torn=len(truth.torn),
        warnings=tuple(truth.warnings()),
    )


# -- clusterings

MISSING = -2  # a region that the run has not seen


def _labels_of(made: Clustering, labelled: Labelled) -> ClusterLabels:
    """(L,) the cluster of every labelled region; -2 where the run has not seen it."""
    label_of = dict(zip(made.region_ids, made.labels.tolist(), strict=True))
    return np.array([label_of.get(i, MISSING) for i in labelled.region_ids], dtype=np.int32)


def _judge(made: Clustering, labels: ClusterLabels, labelled: Labelled) -> JudgedRun:
    seen = labels > MISSING
    classes, labels = labelled.classes[seen], labels[seen]
    if not len(labels):
        raise QueryError(
            f"Run {made.run!r} holds none of the {len(labelled.region_ids):,} labelled regions. "
            "Cluster again, or name another run with --run."
        )
    return JudgedRun(
        made.about,
        evaluation.agreement(classes, labels),
        evaluation.without_noise(classes, labels),
        _judge_clusters(made, labels, classes, labelled.names),
    )


def _judge_clusters(
    made: Clustering, labels: ClusterLabels, classes: Classes, names: Sequence[str]
) -> tuple[JudgedCluster, ...]:
    matched = evaluation.matching(classes, labels)
    judged = []
    for cluster in made.clusters:
        own = classes[labels == cluster.cluster]
        number = matched.get(cluster.cluster)
        label = None if number is None else names[number]
        n_right = 0 if number is None else int((own == number).sum())
        if len(own):
            judged.append(JudgedCluster(cluster.cluster, cluster.name, len(own), label, n_right))
    return tuple(judged)


def _side_by_side(
    judged: Sequence[tuple[Clustering, ClusterLabels]], labelled: Labelled
) -> SideBySide:
    """By class, and by path within one."""
    classes, paths = labelled.classes.tolist(), labelled.places["path"].to_pylist()
    order = sorted(range(len(classes)), key=lambda i: (classes[i], natural_order.key(paths[i])))
    called = {made.run: _called(labels, labelled) for made, labels in judged}
    return SideBySide(
        region_ids=tuple(labelled.region_ids[i] for i in order),
        places=labelled.places.take(order),
        real=tuple(labelled.names[classes[i]] for i in order),
        predicted={run: tuple(names[i] for i in order) for run, names in called.items()},
    )


def _called(labels: ClusterLabels, labelled: Labelled) -> tuple[str | None, ...]:
    """(L,) each region's group by the name of its class; surplus ones are numbered extras."""
    seen = labels > MISSING
    numbers = np.full(len(labels), MISSING)
    numbers[seen] = evaluation.renumbered(labelled.classes[seen], labels[seen])
    first_extra = int(labelled.classes[seen].max()) + 1

    def call(number: int) -> str | None:
        if number < 0:
            return NOISE if number == -1 else None
        is_class = number < first_extra
        return labelled.names[number] if is_class else f"extra {number - first_extra + 1}"

    return tuple(call(number) for number in numbers.tolist())


# -- the space


def _similarity(labelled: Labelled, seed: int) -> ClassSimilarity:
    """Of different pictures: one that lies at several places is in its class once."""
    sizes = np.bincount(labelled.classes)
    largest = np.argsort(-sizes, kind="stable")[:N_CLASSES]
    pairs = np.unique(np.stack([labelled.row_of, labelled.classes]), axis=1)
    embeddings, classes = labelled.embeddings[pairs[0]], pairs[1]
    place = np.full(len(sizes), -1)
    place[largest] = np.arange(len(largest))
    own = place[classes]
    means = evaluation.class_means(embeddings[own >= 0], own[own >= 0])
    order = evaluation.likeness_order(means)
    return ClassSimilarity(
        classes=tuple(labelled.names[number] for number in largest[order].tolist()),
        n_classes=len(sizes),
        matrix=means[np.ix_(order, order)],
        separation=evaluation.separation(embeddings, classes, seed=seed),
    )


def _captions(space: OpenSpace, truth: GroundTruth, seed: int) -> Captions:
    """Search all images with captions of theirs, of more than 2,000 with as many."""
    catalogue = space.catalogue
    ids, _ = catalogue.embeddings_of("image")
    row_of = {image_id: row for row, image_id in enumerate(ids)}
    captioned: dict[str, list[int]] = {}
    for image_id, texts in truth.captions_of.items():
        for text in texts if image_id in row_of else ():
            captioned.setdefault(text, []).append(row_of[image_id])
    chosen = _draw(list(captioned), seed)
    relevant = [np.array(captioned[text]) for text in chosen]
    texts_ = space.encoder().embed_texts(chosen)  # (Q, J)
    in_joint = space.about.joint_dim is not None
    images = catalogue.embeddings(in_joint=in_joint)[catalogue.of_kind(["image"])]  # (N, J)
    of_text = np.repeat(np.arange(len(chosen)), [len(rows) for rows in relevant])
    gap = evaluation.modality_gap(images, texts_[of_text], np.concatenate(relevant), seed=seed)
    return Captions(
        n_captions=len(captioned),
        gap=gap,
        retrieval=evaluation.retrieval(images, texts_, relevant),
        shown_texts=tuple(chosen[of_text[i]] for i in gap.shown_captions) if gap else (),
        shown_images=tuple(ids[i] for i in gap.shown) if gap else (),
    )


def _draw(texts: list[str], seed: int) -> list[str]:
    rows: NDArray[np.int64] = np.random.default_rng(seed).permutation(len(texts))[:N_CAPTIONS]
    return [texts[i] for i in np.sort(rows).tolist()]
