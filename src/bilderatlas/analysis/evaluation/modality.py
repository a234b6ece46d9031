"""Embeddings of pictures and of their captions -> how far the two kinds lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.evaluation.similarity import group_sums
from bilderatlas.arrays import Embeddings

N_SHOWN = 8  # pictures in the matrix, each with its first caption


@dataclass(frozen=True, slots=True)
class ModalityGap:
    """Mean cosines between captions and pictures, and the distance between their centres."""

    n_images: int
    n_captions: int
    text_to_text: float  # captions of different pictures
    same_image_texts: float | None  # captions of one picture; None where each has one
    image_to_image: float
    text_to_image_own: float  # a caption and its own picture
    text_to_image_other: float
    gap: float  # length of the difference of the two means; 0: no gap, 2: as far as can be
    shown: NDArray[np.int64]  # (S,) pictures in the matrix
    shown_captions: NDArray[np.int64]  # (S,) their captions
    matrix: NDArray[np.float64]  # (2 S, 2 S) cosines, captions first, then pictures


def modality_gap(
    images: Embeddings, texts: Embeddings, owners: NDArray[np.integer], *, seed: int = 0
) -> ModalityGap | None:
    """Compare pictures (N, J) with captions (T, J), `owners` (T,) being the caption's picture.

    The gap is that of Liang et al. 2022 ("Mind the Gap", section 2.1): the difference of the mean
    embeddings of the two. None with captions of fewer than two pictures.
    """
    captioned = np.unique(owners)
    if len(captioned) < 2:
        return None
    own = images[owners]  # (T, J)
    place = np.searchsorted(captioned, owners)
    pictures = images[captioned]
    same_texts = _mean_of_same(texts, place)
    cross = float(texts.sum(0, dtype=np.float64) @ pictures.sum(0, dtype=np.float64))
    matched = float(np.einsum("td,td->", own, texts, dtype=np.float64))
    shown, captions = _shown(captioned, owners, seed)
    both = np.concatenate([texts[captions], images[shown]]).astype(np.float64)
    return ModalityGap(
        n_images=len(captioned),
        n_captions=len(texts),
        text_to_text=_mean_of_different(texts, place),
        same_image_texts=same_texts,
        image_to_image=_mean_of_different(pictures, np.arange(len(pictures))),
        text_to_image_own=matched / len(texts),
        text_to_image_other=(cross - matched) / (len(texts) * (len(captioned) - 1)),
        gap=float(np.linalg.norm(texts.mean(0) - pictures.mean(0))),
        shown=shown,
        shown_captions=captions,
        matrix=np.clip(both @ both.T, -1, 1),
    )


def _mean_of_different(rows: Embeddings, group: NDArray[np.integer]) -> float:
    """Mean cosine of two rows of different groups; all of them, by way of sums."""
    sizes = np.bincount(group).astype(np.float64)
    sums = group_sums(rows, group, len(sizes))
    total = sums.sum(0)
    n_pairs = len(rows) ** 2 - float(sizes @ sizes)
    return float((total @ total - np.einsum("gd,gd->", sums, sums)) / n_pairs)


def _mean_of_same(rows: Embeddings, group: NDArray[np.integer]) -> float | None:
    """Mean cosine of two different rows of one group; None where there are no two."""
    sizes = np.bincount(group).astype(np.float64)
    sums = group_sums(rows, group, len(sizes))
    n_pairs = float(sizes @ (sizes - 1))
    itself = float(np.einsum("td,td->", rows, rows, dtype=np.float64))
    return float((np.einsum("gd,gd->", sums, sums) - itself) / n_pairs) if n_pairs else None


def _shown(
    captioned: NDArray[np.integer], owners: NDArray[np.integer], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A handful of pictures, and the first caption of each."""
    chosen = np.random.default_rng(seed).permutation(captioned)[:N_SHOWN]
    return chosen, np.array([np.flatnonzero(owners == image)[0] for image in chosen])
