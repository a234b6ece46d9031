"""The body of `name`: a clustering's members -> what its clusters are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bilderatlas.analysis import naming
from bilderatlas.analysis.naming import Name, Suggestion, vocabulary, words
from bilderatlas.analysis.naming.llm import LanguageModel
from bilderatlas.arrays import Embeddings
from bilderatlas.collection import images as image_views
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import (
    EncoderMismatch,
    EncoderNotFound,
    LanguageModelError,
)
from bilderatlas.indexing import images
from bilderatlas.results import Clustering, image_id_of
from bilderatlas.storage import Store, runs
from bilderatlas.storage.damage import reading

N_MEMBERS = 64  # of each cluster that are looked at
N_SHOWN = 16  # pictures or texts of each that a language model is sent
N_FAILURES = 3  # after so many in a row it is asked no more

Offers = Mapping[int, Sequence[Suggestion]]


def name(
    store: Store,
    space: OpenSpace,
    standing: Clustering,
    *,
    clusters: Sequence[int] | None = None,
    model: LanguageModel | None = None,
) -> list[str]:
    """Name the clusters of a run (or some of them) and keep the names; what there is to say.

    Those that a person named keep their names: decisions are not touched.
    """
    if model and space.about.reads_text:
        space.encoder()  # it will say how well the model's names fit: be sure of it beforehand
    sample = _Sample(space, standing)
    embedded, notes = _vocabulary(store, space)
    offers = [_by_vocabulary(space, sample, embedded), *_by_texts(space, sample)]
    chosen = [c.cluster for c in standing.clusters if clusters is None or c.cluster in clusters]
    taken = [c.name for c in standing.clusters if c.cluster not in chosen or c.source == "person"]
    named = naming.choose(offers, chosen, taken=taken)
    if model:
        told, failures = _by_language_model(space, sample, model, named)
        named |= _checked(space, sample, embedded, told, named)
        notes += failures
    runs.keep_names(store, standing.run, named)
    return notes


class _Sample:
    """Members of each cluster that are still here: up to 64, from the firmest to the loosest."""

    def __init__(self, space: OpenSpace, standing: Clustering) -> None:
        catalogue = space.catalogue
        ids = pa.array(standing.region_ids, pa.string())
        rows = pc.index_in(ids, value_set=catalogue.regions["region_id"].combine_chunks())
        rows = pc.fill_null(rows, -1).to_numpy().astype(np.int64)
        labels = np.where(rows >= 0, standing.labels, -1)
        chosen = _spread(labels, standing.probabilities)
        self.clusters: NDArray[np.int32] = standing.labels[chosen]  # (M,), ascending
        self.rows: NDArray[np.int64] = rows[chosen]  # (M,) of the catalogue
        self.region_ids = [standing.region_ids[i] for i in chosen]
        self.image_ids = [image_id_of(region_id) for region_id in self.region_ids]

    def of(self, cluster: int) -> list[int]:
        """The first few of a cluster."""
        return [int(i) for i in np.flatnonzero(self.clusters == cluster)[:N_SHOWN]]


def _spread(labels: NDArray[np.int32], firmness: NDArray[np.float32]) -> NDArray[np.intp]:
    """Where up to 64 members of each cluster stand, evenly spread over their firmness."""
    order = np.lexsort((-firmness, labels))
    order = order[labels[order] >= 0]
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    parts = [
        order[start + np.arange(min(size, N_MEMBERS)) * size // min(size, N_MEMBERS)]
        for start, size in zip(starts, sizes, strict=True)
    ]
    return np.concatenate([np.empty(0, np.intp), *parts])


def _vocabulary(store: Store, space: OpenSpace) -> tuple[Embeddings | None, list[str]]:
    """(V, J) embeddings of the vocabulary, or why there are none."""
    if not space.about.reads_text:
        return None, [
            f"Encoder '{space.about.encoder}' does not read words, so names come only from words "
            "in pictures and in columns of their table."
        ]
    try:
        return _embedded_words(store, space), []
    except (EncoderNotFound, EncoderMismatch) as error:
        return None, [f"No vocabulary was matched: {error}"]


def _by_vocabulary(space: OpenSpace, sample: _Sample, embedded: Embeddings | None) -> Offers:
    """Everyday words that the embeddings of members lie near to."""
    if embedded is None:
        return {}
    embeddings = _embeddings(space, sample)
    return vocabulary.suggest(embeddings, sample.clusters, vocabulary.words(), embedded)


def _embeddings(space: OpenSpace, sample: _Sample) -> Embeddings:
    """(M, J) to compare with words."""
    in_joint = space.about.joint_dim is not None
    return space.catalogue.embeddings(in_joint=in_joint)[sample.rows]


def _embedded_words(store: Store, space: OpenSpace) -> Embeddings:
    """(V, J): shipped, kept beside the tables, or made now and kept."""
    shipped = vocabulary.shipped_embeddings(space.about.weights_hash)
    if shipped is not None:
        return shipped
    kept = store.path / f"words-{space.about.weights_hash[:8]}-{vocabulary.stamp()}.npy"
    if kept.exists():
        with reading(store.path, kept.name):
            embeddings: Embeddings = np.load(kept)
        return embeddings
    embeddings = space.encoder().embed_texts(vocabulary.words())
    _keep(kept, embeddings)
    return embeddings


def _keep(path: Path, embeddings: Embeddings) -> None:
    from bilderatlas.storage.disk import disk_errors

    draft = path.with_suffix(".new")
    with disk_errors(path.parent), draft.open("wb") as file:
        np.save(file, embeddings)
        draft.replace(path)


def _by_texts(space: OpenSpace, sample: _Sample) -> list[Offers]:
    """Words read in pictures, words of each column of their table, labels of parts."""
    columns = _columns(space, sample)
    texts = {"words": _read_texts(space, sample), "label": _labels(space, sample)}
    texts |= {f"column {name}": values for name, values in columns.items()}
    return [
        words.suggest(borne, sample.clusters, source)
        for source, borne in texts.items()
        if any(borne)
    ]


def _read_texts(space: OpenSpace, sample: _Sample) -> list[str]:
    """What was read in each member: in the region itself, or anywhere in a whole picture."""
    regions = space.catalogue.regions
    bear = regions.filter(pc.is_valid(regions["text"]))
    of_image: dict[str, list[str]] = {}
    of_region: dict[str, str] = {}
    for region, image, text in zip(
        *(bear[column].to_pylist() for column in ("region_id", "image_id", "text")), strict=True
    ):
        of_image.setdefault(image, []).append(text)
        of_region[region] = text
    return [
        " ".join(of_image.get(member, ())) if member == image else of_region.get(member, "")
        for member, image in zip(sample.region_ids, sample.image_ids, strict=True)
    ]


def _labels(space: OpenSpace, sample: _Sample) -> list[str]:
    """What a detector calls each part; whole pictures have none."""
    labels = space.catalogue.regions["label"].take(sample.rows).to_pylist()
    return [(label or "").removeprefix("activation:").strip() for label in labels]


def _columns(space: OpenSpace, sample: _Sample) -> dict[str, list[str]]:
    """The texts of each column of the members' tables."""
    rows = space.catalogue.metadata(sample.image_ids)
    names = dict.fromkeys(n for row in rows for n, value in row.items() if isinstance(value, str))
    return {name: [str(row.get(name) or "") for row in rows] for name in names}


def _by_language_model(
    space: OpenSpace,
    sample: _Sample,
    model: LanguageModel,
    local: Mapping[int, Name],
) -> tuple[dict[int, str], list[str]]:
    """What a language model calls each cluster, and where it failed and the local name stays."""
    told: dict[int, str] = {}
    failures: list[str] = []
    in_a_row = 0
    for cluster, name in local.items():
        if in_a_row == N_FAILURES:
            failures.append(
                f"After {N_FAILURES} failures in a row {model.model} was not asked again."
            )
            break
        try:
            told[cluster] = _ask(space, sample, model, cluster)
            in_a_row = 0
        except LanguageModelError as error:
            in_a_row += 1
            failures.append(
                f"Cluster {cluster} keeps the name {name.name!r}; {model.model}: {error}."
            )
    return told, failures


def _ask(space: OpenSpace, sample: _Sample, model: LanguageModel, cluster: int) -> str:
    from bilderatlas import figures

    members = sample.of(cluster)
    if model.sends == "pictures":
        jpegs = _pictures(space, sample, members)
        sheet = figures.contact_sheet(jpegs, [""] * len(jpegs))
        return model.name_pictures(figures.to_png(sheet))
    written = _texts_of(space, sample)
    texts = [written[i] for i in members if written[i]]
    if not texts:
        raise LanguageModelError("nothing is written of its pictures that could be sent")
    return model.name_texts(texts)


def _pictures(space: OpenSpace, sample: _Sample, members: Sequence[int]) -> list[bytes]:
    """What some members look like: thumbnails, of parts the part alone."""
    jpegs = image_views.thumbnails(space, [sample.image_ids[i] for i in members])
    boxes = space.catalogue.regions["box"].take(sample.rows[members]).to_pylist()
    return [
        jpeg
        if sample.region_ids[i] == sample.image_ids[i]
        else images.to_jpeg(images.crop(images.decode(jpeg).image, box))
        for i, jpeg, box in zip(members, jpegs, boxes, strict=True)
    ]


def _texts_of(space: OpenSpace, sample: _Sample) -> list[str]:
    """All that is written of each member: its columns, and the words read in it."""
    columns = [*_columns(space, sample).values(), _read_texts(space, sample)]
    return ["; ".join(filter(None, texts)) for texts in zip(*columns, strict=True)]


def _checked(
    space: OpenSpace,
    sample: _Sample,
    embedded: Embeddings | None,
    told: Mapping[int, str],
    local: Mapping[int, Name],
) -> dict[int, Name]:
    """Names of a language model, told apart by local words, and how well they fit the members."""
    others = [name.name for cluster, name in local.items() if cluster not in told]
    names = naming.apart(told, {c: local[c].words for c in told}, taken=others)
    sure: Mapping[int, float] = {}
    if embedded is not None:
        phrases = {c: space.encoder().embed_texts([name]) for c, name in told.items()}
        sure = vocabulary.confidence(_embeddings(space, sample), sample.clusters, embedded, phrases)
    return {c: Name(names[c], sure.get(c, 0.0), "llm", local[c].words) for c in told}
