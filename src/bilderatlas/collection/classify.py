"""The body of `classify`: prompts, the built-in classes or people's labels -> a run of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import calibration, search
from bilderatlas.analysis.classification import logistic, neighbors_vote, probabilities
from bilderatlas.analysis.classification.probabilities import NONE, Likeliest
from bilderatlas.collection import suggest_labels
from bilderatlas.collection.queries import Term
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import QueryError
from bilderatlas.results import Classification
from bilderatlas.storage import Store, runs
from bilderatlas.storage.labels import LabelIndex

BUILTIN = "builtin"
BY_EXAMPLES = ("neighbors", "logistic")
MAX_PROMPTS = 1000
MAX_TOP = 10
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """What to classify by: prompts, or a model, or (neither) people's labels by a method."""

    prompts: Sequence[str] | None
    model: str | None
    method: str | None
    top: int
    kind: str | None
    sample: int | None  # regions drawn at random by `seed`; None: all
    seed: int


@dataclass(frozen=True, slots=True)
class _Said:
    """What a method says of N regions."""

    method: str
    names: Sequence[str]  # (C,)
    likely: Likeliest  # places in `names`


def classify(
    store: Store, space: OpenSpace, labels: LabelIndex, options: ClassifyOptions
) -> Classification:
    """Say what the regions of a kind are. Raises QueryError.

    It is remembered as a run, but for a sample.
    """
    _check(options)
    kind = options.kind or space.about.usual_kind
    rows = _rows(space, kind, options)
    if options.prompts is not None:
        said = _by_prompts(space, rows, _checked_prompts(options.prompts), options.top)
    elif options.model is not None:
        said = _by_builtin(space, rows, options.top)
    else:
        said = _by_examples(space, rows, labels, options.method or BY_EXAMPLES[0], options.top)
    made = _result(store, space, rows, kind, said)
    if options.sample is not None:
        return made
    about = runs.keep_classification(
        store, made.about, made.region_ids, made.labels, made.probabilities
    )
    return replace(made, about=about)


def _rows(space: OpenSpace, kind: str, options: ClassifyOptions) -> NDArray[np.int64]:
    catalogue = space.catalogue
    is_all = kind == "all"
    of_kind = np.ones(len(catalogue.regions), np.bool_) if is_all else catalogue.of_kind([kind])
    rows = np.flatnonzero(of_kind)
    if not len(rows):
        raise QueryError(f"There are no regions of kind {kind!r} to classify.")
    if options.sample is None or options.sample >= len(rows):
        return rows
    return np.sort(np.random.default_rng(options.seed).permutation(rows)[: options.sample])


# -- by prompts


def _by_prompts(
    space: OpenSpace, rows: NDArray[np.int64], prompts: Sequence[str], top: int
) -> _Said:
    odds = np.empty((len(rows), len(prompts)))
    kinds = space.catalogue.kind_numbers
    for number, prompt in enumerate(prompts):
        embedded = space.ask_terms([Term(1.0, words=prompt)], may_open_files=False)
        scores = search.cosines(embedded.vector, embedded.embeddings)
        odds[:, number] = calibration.odds(scores, kinds, embedded.background)[rows]
    likely = probabilities.likeliest(probabilities.at_most_one(odds), top)
    return _Said("prompts", prompts, likely)


def _checked_prompts(prompts: Sequence[str]) -> list[str]:
    spelled = list(dict.fromkeys(" ".join(prompt.split()) for prompt in prompts))
    said = [prompt for prompt in spelled if prompt]
    if not 1 <= len(said) <= MAX_PROMPTS:
        raise QueryError(
            f"{len(said)} prompts were given; give 1 to {MAX_PROMPTS:,}, for instance cat, dog."
        )
    return said


# -- by the classes that the built-in encoder knows


def _by_builtin(space: OpenSpace, rows: NDArray[np.int64], top: int) -> _Said:
    from bilderatlas.models.encoders import builtin_classes

    if space.about.encoder != BUILTIN:
        raise QueryError(
            "The built-in classes are read from embeddings of encoder 'builtin'; space "
            f"'{space.about.space}' holds those of '{space.about.encoder}'. Name a space of "
            f"'builtin', or add one: bilderatlas reindex {space.collection} --encoder builtin"
        )
    vectors = space.catalogue.vectors
    parts = [
        probabilities.likeliest(probabilities.softmax(builtin_classes.logits(vectors[some])), top)
        for some in np.array_split(rows, -(-len(rows) // _ROWS_AT_ONCE))
    ]
    likely = Likeliest(
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
    )
    return _Said(BUILTIN, builtin_classes.names(), likely)


# -- by what people labelled


def _by_examples(
    space: OpenSpace, rows: NDArray[np.int64], labels: LabelIndex, method: str, top: int
) -> _Said:
    catalogue = space.catalogue
    known = suggest_labels.examples(catalogue, labels, 0, n=len(catalogue.image_ids))
    if len(known.names) < 2:
        raise QueryError(
            f"Different labels so far: {len(known.names)}; telling classes apart takes two or "
            f"more: bilderatlas label COLLECTION --set LABEL IMAGE..."
        )
    vectors, examples = catalogue.vectors[rows], catalogue.vectors[known.rows]
    if method == "logistic":
        likely = logistic.fit_and_predict(vectors, examples, known.labels)
    else:
        background = suggest_labels.background(catalogue)
        likely = neighbors_vote.vote(vectors, examples, known.labels, background=background)
        likely /= np.maximum(likely.sum(axis=1, keepdims=True), 1)  # of several labels an image
    return _Said(method, known.names, probabilities.likeliest(likely, top))


# -- the run


def _result(
    store: Store, space: OpenSpace, rows: NDArray[np.int64], kind: str, said: _Said
) -> Classification:
    """Only classes that occur are kept, by new numbers."""
    labels = said.likely.labels
    used = np.unique(labels[labels != NONE])
    numbers = np.where(labels == NONE, NONE, np.searchsorted(used, labels)).astype(np.int32)
    names = [said.names[i] for i in used.tolist()]
    about = runs.describe(
        store,
        "classify",
        said.method,
        {"top": labels.shape[1], "n_classes": len(said.names), "labels": names},
        seed=0,
        space=space.about.space,
        kind=kind,
        n_regions=len(rows),
    )
    ids = tuple(space.catalogue.regions["region_id"].take(rows).to_pylist())
    return Classification(about, ids, tuple(names), numbers, said.likely.probabilities)


def _check(options: ClassifyOptions) -> None:
    ways = [options.prompts is not None, options.model is not None, options.method is not None]
    if sum(ways) > 1:
        raise QueryError(
            "Classify by prompts, by a model, or by people's labels: say one of the three."
        )
    if options.model not in (None, BUILTIN):
        raise QueryError(
            f"There is no classifier {options.model!r}. Use {BUILTIN}, prompts, or people's labels."
        )
    if options.method not in (None, *BY_EXAMPLES):
        raise QueryError(
            f"Examples cannot be compared by {options.method!r}. "
            f"Use one of: {', '.join(BY_EXAMPLES)}."
        )
    if options.sample is not None and options.sample < 1:
        raise QueryError(f"A sample of {options.sample} was asked for; draw 1 region or more.")
    if not 1 <= options.top <= MAX_TOP:
        raise QueryError(
            f"top is {options.top}; between 1 and {MAX_TOP} labels are kept for each region."
        )
