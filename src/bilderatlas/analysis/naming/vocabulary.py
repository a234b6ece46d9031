"""A vocabulary of everyday words, and which of them fits a cluster and not the others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.naming import N_WORDS, Suggestion
from bilderatlas.arrays import Embeddings

FOLDER = Path(__file__).parent
SHIPPED = FOLDER / "builtin_words.npz"  # made by tools/embed_vocabulary.py

_COMMON = 0.5  # how much of what all clusters have in common with a word is taken off
_SOFTNESS = 0.15  # of a choice among words, in standard deviations of their scores
_SOFTER = 0.3  # of the further words: "meal, dinner" rather than "meal, jellyfish"
_RARITY = 0.3  # how much a word loses that many clusters choose
_ROWS_AT_ONCE = 4096
_NO_SPREAD = 1e-6  # scores that differ by rounding only


@cache
def words() -> tuple[str, ...]:
    """Some eight hundred nouns for what pictures show."""
    return tuple((FOLDER / "vocabulary.txt").read_text("utf-8").split("\n")[:-1])


def stamp() -> str:
    """A short hash of the words in their order: it changes when they do."""
    return hashlib.blake2b("\n".join(words()).encode(), digest_size=4).hexdigest()


def shipped_embeddings(weights_hash: str) -> Embeddings | None:
    """The words' embeddings (V, J) where they are those of the encoder with these weights."""
    with np.load(SHIPPED) as made:
        if (str(made["weights_hash"]), str(made["stamp"])) != (weights_hash, stamp()):
            return None
        embeddings: Embeddings = made["embeddings"].astype(np.float32)
        return embeddings


def suggest(
    embeddings: Embeddings,
    clusters: NDArray[np.integer],
    vocabulary: tuple[str, ...],
    word_embeddings: Embeddings,
) -> dict[int, list[Suggestion]]:
    """The words that fit each cluster best, against the others.

    `embeddings` (M, J) of members, whose clusters are `clusters` (M,), no noise among them;
    `word_embeddings` (V, J). Every member shares one vote among the words: a softmax over its
    scores, less half of what the clusters have in common. A cluster's confidence in a word is the
    mean of its members' shares, in 0..1; the words are ordered by it, over that of all clusters to
    the power 0.3. On labelled pictures a confidence comes near the frequency of being right.
    """
    numbers, of = np.unique(clusters, return_inverse=True)  # (C,), (M,)
    if not len(numbers):
        return {}
    common = _COMMON * (_centroids(embeddings, of) @ word_embeddings.T).mean(axis=0)  # (V,)
    shares, softer = _votes(embeddings, of, word_embeddings, common, (_SOFTNESS, _SOFTER))
    rows = np.arange(len(numbers))
    first = _rank(shares).argmax(axis=1)  # (C,)
    further = _rank(softer)
    further[rows, first] = np.inf
    best = np.argsort(-further, axis=1, kind="stable")[:, :N_WORDS]  # (C, 5)
    return {
        int(numbers[row]): [
            Suggestion(vocabulary[word], float(shares[row, word]), "vocabulary")
            for word in best[row]
        ]
        for row in rows
    }


def confidence(
    embeddings: Embeddings,
    clusters: NDArray[np.integer],
    word_embeddings: Embeddings,
    phrases: dict[int, Embeddings],
) -> dict[int, float]:
    """How sure clusters are of phrases (1, J) that came from elsewhere, beside a vocabulary."""
    numbers, of = np.unique(clusters, return_inverse=True)
    centroids = _centroids(embeddings, of)
    sure = {}
    for row in (row for row, number in enumerate(numbers) if int(number) in phrases):
        beside = np.concatenate([phrases[int(numbers[row])], word_embeddings])  # (1 + V, J)
        common = _COMMON * (centroids @ beside.T).mean(axis=0)
        own = embeddings[of == row]
        (shares,) = _votes(own, np.zeros(len(own), np.intp), beside, common, (_SOFTNESS,))
        sure[int(numbers[row])] = float(shares[0, 0])
    return sure


def _centroids(embeddings: Embeddings, of: NDArray[np.integer]) -> NDArray[np.float32]:
    """(M, J) -> (C, J), rows of length 1."""
    sums = np.zeros((int(of.max()) + 1, embeddings.shape[1]), np.float32)
    np.add.at(sums, of, embeddings)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    centroids: NDArray[np.float32] = sums / np.maximum(lengths, np.finfo(np.float32).tiny)
    return centroids


def _rank(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C, V) shares -> what words are ordered by."""
    ranked: NDArray[np.float64] = np.log(shares) - _RARITY * np.log(shares.mean(axis=0))
    return ranked


def _votes(
    embeddings: Embeddings,
    of: NDArray[np.integer],
    word_embeddings: Embeddings,
    common: NDArray[np.floating],
    softness: Sequence[float],
) -> list[NDArray[np.float64]]:
    """For each softness (C, V), rows that sum to 1: how each cluster's members share their votes.

    A member that has no likes, all words being equal to it, has a vote of 1 / V for each.
    """
    from scipy.sparse import csr_array

    n_clusters = int(of.max()) + 1
    votes = [np.zeros((n_clusters, len(word_embeddings))) for _ in softness]
    for start in range(0, len(of), _ROWS_AT_ONCE):
        rows = of[start : start + _ROWS_AT_ONCE]
        gather = csr_array(
            (np.ones(len(rows), np.float32), (rows, np.arange(len(rows)))),
            shape=(n_clusters, len(rows)),
        )
        scores = embeddings[start : start + _ROWS_AT_ONCE] @ word_embeddings.T - common  # (B, V)
        scores -= scores.max(axis=1, keepdims=True)
        spread = np.maximum(scores.std(axis=1, keepdims=True), _NO_SPREAD)
        for sums, soft in zip(votes, softness, strict=True):
            shares = np.exp(scores / (soft * spread))
            sums += gather @ (shares / shares.sum(axis=1, keepdims=True))
    sizes = np.bincount(of)[:, np.newaxis]
    return [np.maximum(sums / sizes, np.finfo(np.float32).tiny) for sums in votes]
