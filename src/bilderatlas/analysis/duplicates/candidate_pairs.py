"""Hashes and embeddings -> pairs that may show the same picture."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.neighbors import in_threads
from bilderatlas.arrays import Embeddings

# How the right picture of a pair is turned, beside the left one.
TURNS = (
    "", "mirrored", "flipped", "turned by 180°",
    "flipped and turned", "turned right", "turned left", "mirrored and turned",
)  # fmt: skip
Hashes = NDArray[np.uint64]  # (N,), as `images.perceptual_hash` makes them

_N_PARTNERS = 4  # candidates of a picture among those after it
_LOST = 0.1  # of the squared length of embeddings, outside the directions that are compared
_N_SAMPLE = 20_000  # rows that the directions are learnt from
_N_PARTS, _PART_BITS = 4, 16  # of a hash
_N_HASHES, _N_SCORES = 2**21, 2**22  # compared at once by a thread
_N_CHECKED = 2**14  # pairs whose cosine is computed at once


@dataclass(frozen=True, slots=True)
class Pairs:
    """P pairs of rows."""

    left: NDArray[np.intp]  # (P,)
    right: NDArray[np.intp]  # (P,)
    bits: NDArray[np.uint8]  # (P,) of 64 that differ between their hashes, in the best turn
    turns: NDArray[np.uint8]  # (P,) that turn, a number of TURNS
    cosines: NDArray[np.float32]  # (P,) of their embeddings

    def __len__(self) -> int:
        return len(self.left)

    def where(self, kept: NDArray[Any]) -> Pairs:
        """Some of the pairs."""
        return Pairs(
            self.left[kept],
            self.right[kept],
            self.bits[kept],
            self.turns[kept],
            self.cosines[kept],
        )


def candidates(
    hashes: Hashes, embeddings: Embeddings, *, max_bits: int = 7, min_cosine: float = 0.88
) -> Pairs:
    """Find the pairs of pictures that may show the same, by hash or by embedding.

    By hash (N,): at most `max_bits` of 64 differ, upright or in one of the seven other ways to
    turn and mirror a picture. By embedding (N, D): a cosine of at least `min_cosine`; every pair is
    compared, a block at a time. Of each picture the few closest count, which keeps copies joined.
    """
    by_hash = _by_hash(hashes, max_bits)
    by_embedding = _by_embedding(embeddings, min_cosine)
    both = np.unique(np.concatenate([by_hash, by_embedding], axis=1), axis=1)  # (2, P)
    return compared(hashes, embeddings, *both)


def compared(
    hashes: Hashes, embeddings: Embeddings, left: NDArray[np.intp], right: NDArray[np.intp]
) -> Pairs:
    """What hashes (N,) and embeddings (N, D) say of P pairs of rows."""
    differing = np.bitwise_count(_turned(hashes)[:, left] ^ hashes[right])  # (8, P)
    turns = differing.argmin(axis=0).astype(np.uint8)
    bits = differing.min(axis=0, initial=64)
    return Pairs(left, right, bits, turns, _cosines(embeddings, left, right))


def _turned(hashes: Hashes) -> NDArray[np.uint64]:
    """The hash of each picture in all TURNS, (8, N), within a few bits.

    A bit says whether one of 8 x 8 DCT coefficients is above their median, which is about zero.
    Mirroring a picture changes the sign of those with an odd horizontal frequency, transposing it
    exchanges rows and columns.
    """
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8)).reshape(-1, 8, 8).astype(np.bool_)
    odd = np.arange(8) % 2 == 1
    transposed = bits.transpose(0, 2, 1)
    variants = [
        variant ^ mask
        for variant in (bits, transposed)
        for mask in (False, odd[None, :], odd[:, None], odd[None, :] ^ odd[:, None])
    ]
    packed = np.packbits(np.stack(variants).reshape(8, -1, 64), axis=2)  # (8, N, 8)
    return packed.view(">u8")[..., 0].astype(np.uint64)


def _by_hash(hashes: Hashes, max_bits: int) -> NDArray[np.intp]:
    """(2, P) pairs whose hashes differ in few bits, in some turn.

    Pictures of one hash are joined one to the next. Different hashes are found by multi-index
    hashing (Norouzi, Punjani and Fleet 2012): of four parts of 16 bits, one differs in a quarter of
    `max_bits` at most, and those that do are listed by that part.
    """
    different, first = np.unique(hashes, return_index=True)
    turned = _turned(different)  # (8, U)
    order = np.argsort(hashes, kind="stable")
    is_same = hashes[order[1:]] == hashes[order[:-1]]
    same = np.stack([order[:-1][is_same], order[1:][is_same]])
    tasks = [(different, variant, part, max_bits) for variant in turned for part in range(_N_PARTS)]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        near = first[np.concatenate(list(threads.map(_near_by_part, *zip(*tasks, strict=True))), 1)]
    return np.sort(np.concatenate([same, near], axis=1), axis=0)


def _near_by_part(hashes: Hashes, turned: Hashes, part: int, max_bits: int) -> NDArray[np.intp]:
    """(2, P) pairs of turned and plain hashes that are near each other in one of their parts."""
    shift, width = np.uint64(part * _PART_BITS), np.uint64(2**_PART_BITS - 1)
    wanted, known = ((each >> shift & width).astype(np.int64) for each in (turned, hashes))
    order = np.argsort(known, kind="stable")
    starts = np.searchsorted(known[order], np.arange(2**_PART_BITS + 1))
    found = [np.empty((2, 0), np.intp)]
    for flipped in _flips(max_bits // _N_PARTS):
        bucket = wanted ^ flipped
        for left, place in _members(starts[bucket], starts[bucket + 1]):
            right = order[place]
            is_near = (left < right) & (np.bitwise_count(turned[left] ^ hashes[right]) <= max_bits)
            bits = np.bitwise_count(turned[left[is_near]] ^ hashes[right[is_near]])
            nearness = -bits.astype(np.float32)
            found.append(np.stack(_best_of_each(left[is_near], right[is_near], nearness)))
    return np.concatenate(found, axis=1)


def _flips(n_bits: int) -> list[int]:
    """The numbers of a part's width with at most so many bits."""
    numbers = np.arange(2**_PART_BITS, dtype=np.uint64)
    return np.flatnonzero(np.bitwise_count(numbers) <= n_bits).tolist()


def _members(
    starts: NDArray[np.intp], stops: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Every row with every place in its range starts..stops, a few million at a time."""
    counts = stops - starts
    ends = np.cumsum(counts)
    row = 0
    while row < len(counts):
        before = ends[row] - counts[row]
        stop = max(row + 1, int(np.searchsorted(ends, before + _N_HASHES, side="right")))
        some = counts[row:stop]
        offsets = np.arange(some.sum()) - np.repeat(ends[row:stop] - some - before, some)
        yield np.repeat(np.arange(row, stop), some), np.repeat(starts[row:stop], some) + offsets
        row = stop


def _by_embedding(embeddings: Embeddings, min_cosine: float) -> NDArray[np.intp]:
    """(2, P) pairs with close embeddings.

    They are compared in their main directions, and the length of what is left out is one number
    more: the product of two such rows is the cosine at least (Cauchy and Schwarz), so that no
    pair is missed.
    """
    bounds = _bounding_rows(embeddings)  # (N, d + 1)

    step = max(1, _N_SCORES // max(len(bounds), 1))

    def near(start: int) -> NDArray[np.intp]:
        scores = bounds[start : start + step] @ bounds[start:].T  # (B, N - start)
        np.fill_diagonal(scores, -1)  # itself
        row, column = np.nonzero(scores >= min_cosine - 1e-6)
        is_after = column > row
        row, column = row[is_after], column[is_after]
        return np.stack(_best_of_each(row, column, scores[row, column])) + start

    blocks = in_threads(near, range(0, len(bounds), step))
    found = np.concatenate([np.empty((2, 0), np.intp), *blocks], axis=1)
    return found[:, _cosines(embeddings, *found) >= min_cosine]


def _bounding_rows(embeddings: Embeddings) -> NDArray[np.float32]:
    chosen = np.random.default_rng(0).permutation(len(embeddings))[:_N_SAMPLE]
    sample = embeddings[np.sort(chosen)]
    shares, axes = np.linalg.eigh(sample.T @ sample / max(len(sample), 1))  # rising
    n_left_out = int(np.searchsorted(np.cumsum(np.maximum(shares, 0)), _LOST))
    kept = embeddings @ axes[:, n_left_out:]  # (N, d)
    left_out = np.sqrt(np.maximum(0, 1 - (kept**2).sum(axis=1)))
    return np.column_stack([kept, left_out]).astype(np.float32)


def _best_of_each(
    row: NDArray[np.intp], column: NDArray[np.intp], scores: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """At most `_N_PARTNERS` columns of each row, the closest."""
    order = np.lexsort((-scores, row))
    row, column = row[order], column[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    return row[rank < _N_PARTNERS], column[rank < _N_PARTNERS]


def _cosines(
    embeddings: Embeddings, left: NDArray[np.intp], right: NDArray[np.intp]
) -> NDArray[np.float32]:
    found = np.empty(len(left), np.float32)
    for start in range(0, len(left), _N_CHECKED):
        some = slice(start, start + _N_CHECKED)
        found[some] = np.einsum("pd,pd->p", embeddings[left[some]], embeddings[right[some]])
    return found
