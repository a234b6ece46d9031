"""What was skipped, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bilderatlas.results.items import Items

OTHER, SMALL = "other", "small"  # stages of what is no problem: no picture, or not asked for


ProblemKind = Literal["problem", "other", "small", "all"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not become an image, or be searched for regions, and why."""

    uri: str
    # read, decode, embed; incomplete, find, reindex: the image is there, but not all; other, small
    stage: str
    reason: str
    when: datetime


def kind_of(reason: str) -> str:
    """The kind of a file that was passed over, in the plural, by the reason that is given."""
    return reason.partition(" are ")[0]


class Problems(Items[Problem]):
    """What was skipped, of one kind or of all."""

    def __init__(self, problems: Sequence[Problem], kinds: Mapping[str, int]) -> None:
        super().__init__(problems)
        self.kinds = kinds  # how many there are of each in the collection: problem, other, small

    def of_others(self) -> dict[str, int]:
        """How many of these are files and folders of each kind that were passed over."""
        others = Counter(kind_of(each.reason) for each in self if each.stage == OTHER)
        return dict(others.most_common())

    def to_dict(self) -> dict[str, Any]:
        rows = [row | {"when": row["when"].isoformat()} for row in self.rows()]
        kinds = {"kinds": dict(self.kinds), "others": self.of_others()}
        return {"n_problems": len(self), **kinds, "problems": rows}


class ProblemPage(Items[Problem]):
    """Some of what was skipped, and how many there are of each kind."""

    def __init__(
        self,
        problems: Sequence[Problem],
        n_problems: int,
        kinds: Mapping[str, int],
        stages: Mapping[str, int],
        reasons: Mapping[str, int],
        sources: tuple[str, ...],
    ) -> None:
        super().__init__(problems)
        self.n_problems = n_problems  # on all pages
        self.kinds = kinds  # problem, other, small: how many of each, whichever was asked for
        self.stages, self.reasons = stages, reasons  # the most frequent first
        self.sources = sources  # of those on all pages
