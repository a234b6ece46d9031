"""How often a suggested label is right, after 1, 5, 10 and 50 labels a class.

    python benchmarks/labelling.py [--assets FOLDER]

Garments (`data/clothing`, ten classes) and portraits (`data/faces`, forty people), built-in
encoder; the mean of five draws of the labelled ones. Beside the votes of the nearest stand the
nearest class mean and logistic regression, and how many suggestions are sure (0.8 and more) and
right.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import machine
import numpy as np
from encoder_quality import BESIDE_REPOSITORY, embed
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from bilderatlas.analysis.classification import active_learning, neighbors_vote
from bilderatlas.arrays import Embeddings, to_unit_length
from bilderatlas.models import encoders

SETS = {"clothing": "*.jpg", "faces": "*.pgm"}
N_LABELLED = (1, 5, 10, 50)
N_DRAWS = 5
SURE = 0.8


@dataclass(frozen=True, slots=True)
class Drawn:
    """One draw of labelled pictures, the others to be guessed."""

    known: Embeddings  # (L, D)
    known_classes: NDArray[np.int64]  # (L,)
    others: Embeddings  # (N, D)
    other_classes: NDArray[np.int64]  # (N,)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=Path, default=os.environ.get("BILDERATLAS_TEST_ASSETS"))
    assets = parser.parse_args().assets or BESIDE_REPOSITORY
    print(machine.describe())
    print(f"{'set':10} labels a class  votes  class mean  logistic  sure  of these right")
    for name, pattern in SETS.items():
        embeddings, classes = _read(Path(assets) / "data" / name, pattern)
        for n_each in [n for n in N_LABELLED if n <= np.bincount(classes).max()]:
            rows = [_measure(drawn) for drawn in _draws(embeddings, classes, n_each)]
            votes, mean, logistic, sure, right = np.nanmean(rows, axis=0)
            print(
                f"{name:10} {n_each:14}  {votes:5.2f}  {mean:10.2f}  {logistic:8.2f}  {sure:4.2f}"
                f"  {right:14.2f}"
            )


def _read(folder: Path, pattern: str) -> tuple[Embeddings, NDArray[np.int64]]:
    files = sorted(folder.glob(f"*/{pattern}"))
    made = embed(encoders.load("builtin"), files)
    _, classes = np.unique([file.parent.name for file in files], return_inverse=True)
    return made.vectors, classes


def _draws(embeddings: Embeddings, classes: NDArray[np.int64], n_each: int) -> Iterator[Drawn]:
    """At least two pictures of each class are left to be guessed."""
    for seed in range(N_DRAWS):
        rng = np.random.default_rng(seed)
        own = [rng.permutation(np.flatnonzero(classes == c)) for c in range(classes.max() + 1)]
        known = np.concatenate([rows[: min(n_each, len(rows) - 2)] for rows in own])
        others = np.setdiff1d(np.arange(len(classes)), known)
        yield Drawn(embeddings[known], classes[known], embeddings[others], classes[others])


def _measure(drawn: Drawn) -> tuple[float, float, float, float, float]:
    ones = np.ones(len(drawn.known), np.float32)
    labels = sparse.csr_array((ones, (np.arange(len(drawn.known)), drawn.known_classes)))
    background = neighbors_vote.mean_cosine(np.concatenate([drawn.known, drawn.others]))
    shares = neighbors_vote.vote(drawn.others, drawn.known, labels, background=background)
    best = active_learning.best(shares)
    is_right = best.label == drawn.other_classes
    is_sure = best.probability >= SURE
    means = to_unit_length(labels.T @ drawn.known)  # (C, D)
    by_mean = (drawn.others @ means.T).argmax(axis=1)
    model = LogisticRegression(C=100, max_iter=300).fit(drawn.known, drawn.known_classes)
    return (
        float(is_right.mean()),
        float((by_mean == drawn.other_classes).mean()),
        float(model.score(drawn.others, drawn.other_classes)),
        float(is_sure.mean()),
        float(is_right[is_sure].mean()) if is_sure.any() else np.nan,
    )


if __name__ == "__main__":
    main()
