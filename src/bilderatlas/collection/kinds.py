"""What a search is to choose from: which regions count, how much, and how many images."""

from __future__ import annotations

import math
from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import search
from bilderatlas.errors import QueryError
from bilderatlas.models import detectors
from bilderatlas.storage.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Choice:
    """The options of a search. Raises QueryError where they cannot be met."""

    k: int | None = 12  # images at most; None: all
    threshold: float | None = None  # regions of a lower score do not count
    kinds: Sequence[str] | None = None  # only these kinds of region; None: all
    without: Sequence[str] = ()  # kinds left out
    weights: Mapping[str, float] = field(default_factory=dict)  # by kind; 1 where none is given
    aggregate: str = "max"
    where: str | None = None  # a SQL condition
    among: Sequence[str] | None = None  # only these images, by their ids

    def __post_init__(self) -> None:
        if self.k is not None and self.k < 1:
            raise QueryError(f"k is {self.k}; ask for at least 1 image.")
        if self.aggregate not in search.AGGREGATES:
            raise QueryError(
                f"The parts of an image cannot be combined by {self.aggregate!r}. Use max (its "
                "best part) or mean."
            )
        _check_kinds([*(self.kinds or ()), *self.without, *self.weights])
        for kind, weight in self.weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise QueryError(
                    f"The weight of kind {kind!r} is {weight:g}; give 0 or more: 2 counts twice, "
                    "0 leaves the kind out."
                )
        if not any(self._weight_of(kind) for kind in detectors.KINDS):
            raise QueryError("Every kind of region is left out. Leave at least one to search.")

    def _weight_of(self, kind: str) -> float:
        is_in = (self.kinds is None or kind in self.kinds) and kind not in self.without
        return float(self.weights.get(kind, 1)) if is_in else 0.0

    def weigh(self, catalogue: Catalogue) -> NDArray[np.float64]:
        """How much each region counts, (N,); 0 for what is not to be found."""
        weights = catalogue.by_kind({kind: self._weight_of(kind) for kind in detectors.KINDS})
        if self.where:
            weights *= catalogue.where(self.where)
        if self.among is not None:
            weights *= catalogue.among(self.among)
        return weights


def _check_kinds(kinds: Names[str]) -> None:
    for kind in kinds:
        if kind not in detectors.KINDS:
            raise QueryError(
                f"There is no kind of region {kind!r}. The kinds are {', '.join(detectors.KINDS)}."
            )
