"""The body of `browse` and `listed`: images in an order, a stretch of them at a time.

An order is a number for every image, ties by the name of its first path. A cursor holds these of
the last image given out, so that the list goes on behind it whatever was added or removed since.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bilderatlas.collection.cache import Cache
from bilderatlas.errors import QueryError
from bilderatlas.results import Month
from bilderatlas.storage import cursors
from bilderatlas.storage.catalogue import UNKNOWN_TIME, Catalogue, as_bytes
from bilderatlas.storage.cursors import Key

ORDERS = ("name", "date", "newest", "random")
MAX_SEED = 2**63 - 1
MAX_KEPT = 8  # lists; of a million images each takes 16 MB at most
GOLDEN = 0x9E3779B97F4A7C15  # 2**64 / the golden ratio: the step between two seeds


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some images of a list, by their numbers in the catalogue."""

    numbers: NDArray[np.int64]
    n_all: int  # in the list
    next: str | None  # the cursor behind them; None at the end


@dataclass(frozen=True, slots=True)
class Listed:
    """The images of one list in their order, by their numbers in the catalogue."""

    of: str  # the order, and its seed
    catalogue: Catalogue
    values: NDArray[np.int64]  # (M,) what all images are sorted by
    numbers: NDArray[np.int64]  # (L,) those in the list

    def stretch(self, n: int, after: str | None) -> Stretch:
        """The next n images after a cursor. Raises QueryError."""
        if n < 1:
            raise QueryError(f"{n} images were asked for; ask for 1 or more.")
        start = 0 if after is None else self._place_behind(after)
        stop = start + n
        cursor = cursors.write(self.of, self._key(stop - 1)) if stop < len(self.numbers) else None
        return Stretch(self.numbers[start:stop], len(self.numbers), cursor)

    def place_of(self, number: int) -> int | None:
        """Where an image stands in the list; None where it does not."""

        def key(image: int) -> tuple[int, int]:
            return int(self.values[image]), image  # numbers rise with the paths

        place = bisect.bisect_left(self.numbers, key(number), key=lambda image: key(int(image)))
        is_there = place < len(self.numbers) and int(self.numbers[place]) == number
        return place if is_there else None

    def months(self) -> list[Month]:
        """The months of a list by date, in its order; the undated images are one of their own."""
        taken = self.catalogue.taken_s[self.numbers]  # (L,)
        undated = np.int64(-1) - (1 << 40)  # a month that no calendar has
        month = taken.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
        month = np.where(taken == UNKNOWN_TIME, undated, month)
        starts = np.flatnonzero(np.diff(month, prepend=undated - 1))
        ends = np.append(starts, len(month))[1:]
        return [
            Month(None if month[start] == undated else _calendar(month[start]), start, end - start)
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]

    def among(self, images: pa.Array) -> Listed:
        """Those of the list that are among some images."""
        chosen = pc.is_in(self.catalogue.image_ids, value_set=images)
        mask = chosen.to_numpy(zero_copy_only=False)  # (M,)
        return replace(self, numbers=self.numbers[mask[self.numbers]])

    def _key(self, place: int) -> Key:
        number = int(self.numbers[place])
        return int(self.values[number]), *self.catalogue.first_place(number)

    def _place_behind(self, cursor: str) -> int:
        last = cursors.read(cursor, self.of, int, str, str)
        return bisect.bisect_right(range(len(self.numbers)), last, key=self._key)


class Listing:
    """The lists of one version of a space, in any order; the last ones asked for are kept."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.kept: Cache[tuple[str, str | None, tuple[str, ...]], Listed] = Cache(MAX_KEPT)

    def listed(self, order: str, *, seed: int, where: str | None, kinds: Sequence[str]) -> Listed:
        """The images that fulfil a condition and have a region of each kind. Raises QueryError."""
        _check(order, seed)
        of = f"random {seed}" if order == "random" else order
        name = of, where, tuple(kinds)
        if where is None and not kinds:
            return self.kept.get(name, None, lambda: self._sorted(of, order, seed))
        every = self.listed(order, seed=seed, where=None, kinds=())
        return self.kept.get(name, None, lambda: _narrowed(every, where, kinds))

    def get_ready(self, like: Listing) -> None:
        """Make the lists that were asked for there, but for those of a condition."""
        for of, where, kinds in like.kept:
            if where is None:
                order, _, seed = of.partition(" ")
                self.listed(order, seed=int(seed or 0), where=None, kinds=kinds)

    def _sorted(self, of: str, order: str, seed: int) -> Listed:
        values = _values(self.catalogue, order, seed)
        return Listed(of, self.catalogue, values, np.argsort(values, kind="stable"))


def _check(order: str, seed: int) -> None:
    if order not in ORDERS:
        raise QueryError(f"There is no order {order!r}; choose one of: {', '.join(ORDERS)}.")
    if not 0 <= seed <= MAX_SEED:
        raise QueryError(f"The seed is {seed}; expected 0 to {MAX_SEED}.")


def _values(catalogue: Catalogue, order: str, seed: int) -> NDArray[np.int64]:
    """(M,) what images are sorted by; where these are alike, the path decides."""
    if order == "date":
        return catalogue.taken_s
    if order == "newest":
        taken = catalogue.taken_s
        return np.where(taken == UNKNOWN_TIME, taken, -taken)
    if order == "random":
        return _shuffled(catalogue.image_ids, seed)
    return np.zeros(len(catalogue.image_ids), np.int64)


def _shuffled(image_ids: pa.Array, seed: int) -> NDArray[np.int64]:
    """(M,) a number for every image that only its id and the seed decide (SplitMix64)."""
    ids = as_bytes(image_ids)
    signs = ids.view(np.uint8).reshape(len(ids), ids.itemsize)[:, :16]
    digits = np.where(signs > ord("9"), signs - ord("a") + 10, signs - ord("0"))
    content = digits[:, ::2] << 4 | digits[:, 1::2]  # (M, 8) bytes
    mixed = np.ascontiguousarray(content).view(">u8")[:, 0].astype(np.uint64)
    mixed = mixed + np.uint64((seed + 1) * GOLDEN & (1 << 64) - 1)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)


def _narrowed(every: Listed, where: str | None, kinds: Sequence[str]) -> Listed:
    """Those that fulfil a condition and have a region of each kind."""
    catalogue = every.catalogue
    rows = [catalogue.of_kind([kind]) for kind in kinds]
    rows += [] if where is None else [catalogue.where(where)]
    chosen = np.ones(len(every.values), np.bool_)  # (M,)
    for mask in rows:  # (N,)
        chosen &= np.bincount(catalogue.image_of[mask], minlength=len(chosen)) > 0
    return replace(every, numbers=every.numbers[chosen[every.numbers]])


def _calendar(month: np.int64) -> tuple[int, int]:
    """Year and month of a count of months since January 1970."""
    years, months = divmod(int(month), 12)
    return 1970 + years, months + 1
