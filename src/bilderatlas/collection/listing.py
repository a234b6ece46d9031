"""The body of `browse`: images in an order, a stretch of them at a time.

An order is a number for every image, ties by the name of its first path. A cursor holds these of
the last image given out, so that the list goes on behind it whatever was added or removed since.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bilderatlas import cursors
from bilderatlas.catalogue import UNKNOWN_TIME, Catalogue
from bilderatlas.cursors import Key
from bilderatlas.errors import QueryError

ORDERS = ("name", "date", "newest", "random")
MAX_SEED = 2**63 - 1
MAX_KEPT = 8  # sorted lists; of a million images each takes 16 MB
GOLDEN = 0x9E3779B97F4A7C15  # 2**64 / the golden ratio: the step between two seeds
_Order = tuple[NDArray[np.int64], NDArray[np.int64]]  # (M,) values, (M,) numbers sorted by them


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some images of a list, by their numbers in the catalogue."""

    numbers: NDArray[np.int64]
    n_all: int  # in the list
    next: str | None  # the cursor behind them; None at the end


class Listing:
    """The images of one version of a space, in any order."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._lock = threading.Lock()
        self._sorted: dict[str, _Order] = {}  # by order and seed, the last ones asked for

    def stretch(
        self,
        order: str,
        *,
        n: int,
        seed: int,
        where: str | None,
        kinds: Sequence[str],
        among: pa.Array | None,
        after: str | None,
    ) -> Stretch:
        """The next n images of the list (of those `among`) after a cursor. Raises QueryError."""
        _check(order, n, seed)
        of = f"random {seed}" if order == "random" else order
        values, numbers = self._in_order(of, order, seed)
        chosen = _chosen(self.catalogue, where, kinds, among)
        if chosen is not None:
            numbers = numbers[chosen[numbers]]

        def key(place: int) -> Key:
            number = int(numbers[place])
            return int(values[number]), *self.catalogue.first_place(number)

        start = 0
        if after is not None:
            last = cursors.read(after, of, int, str, str)
            start = bisect.bisect_right(range(len(numbers)), last, key=key)
        stop = start + n
        cursor = cursors.write(of, key(stop - 1)) if stop < len(numbers) else None
        return Stretch(numbers[start:stop], len(numbers), cursor)

    def _in_order(self, of: str, order: str, seed: int) -> _Order:
        with self._lock:
            if of not in self._sorted:
                values = _values(self.catalogue, order, seed)
                while len(self._sorted) >= MAX_KEPT:
                    del self._sorted[next(iter(self._sorted))]
                self._sorted[of] = values, np.argsort(values, kind="stable")
            return self._sorted[of]


def _check(order: str, n: int, seed: int) -> None:
    if order not in ORDERS:
        raise QueryError(f"There is no order {order!r}; choose one of: {', '.join(ORDERS)}.")
    if n < 1:
        raise QueryError(f"{n} images were asked for; ask for 1 or more.")
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
        return _shuffled(catalogue.image_ids.to_pylist(), seed)
    return np.zeros(len(catalogue.image_ids), np.int64)


def _shuffled(image_ids: Sequence[str], seed: int) -> NDArray[np.int64]:
    """(M,) a number for every image that only its id and the seed decide (SplitMix64)."""
    content = bytes.fromhex("".join(image_id[:16] for image_id in image_ids))
    mixed = np.frombuffer(content, dtype=">u8").astype(np.uint64)
    mixed = mixed + np.uint64((seed + 1) * GOLDEN & (1 << 64) - 1)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)


def _chosen(
    catalogue: Catalogue, where: str | None, kinds: Sequence[str], among: pa.Array | None
) -> NDArray[np.bool_] | None:
    """(M,) the images that fulfil a condition and have a region of each kind; None: all."""
    if where is None and not kinds and among is None:
        return None
    n_images = len(catalogue.image_ids)
    rows = [catalogue.of_kind([kind]) for kind in kinds]
    rows += [] if where is None else [catalogue.where(where)]
    chosen = np.ones(n_images, np.bool_)
    if among is not None:
        chosen &= pc.is_in(catalogue.image_ids, value_set=among).to_numpy(zero_copy_only=False)
    for mask in rows:  # (N,)
        chosen &= np.bincount(catalogue.image_of[mask], minlength=n_images) > 0
    return chosen
