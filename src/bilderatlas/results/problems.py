"""What was skipped, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Self

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


@dataclass(frozen=True, kw_only=True, repr=False)
class Problems(Items[Problem]):
    """What was skipped, of one kind or of all."""

    LIST: ClassVar = "problems"

    n_problems: int
    kinds: Mapping[str, int]  # how many there are of each in the collection: problem, other, small
    others: Mapping[str, int]  # of these, how many files and folders of each kind
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, problems: Sequence[Problem], kinds: Mapping[str, int]) -> Self:
        """Problems, and what was passed over counted by its kind, the most frequent first."""
        others = Counter(kind_of(each.reason) for each in problems if each.stage == OTHER)
        return cls(
            n_problems=len(problems),
            kinds=kinds,
            others=dict(others.most_common()),
            problems=tuple(problems),
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class ProblemPage(Items[Problem]):
    """Some of what was skipped, and how many there are of each kind."""

    LIST: ClassVar = "problems"

    problems: tuple[Problem, ...]
    n_problems: int  # on all pages
    kinds: Mapping[str, int]  # problem, other, small: how many of each, whichever was asked for
    stages: Mapping[str, int]  # the most frequent first
    reasons: Mapping[str, int]  # the most frequent first
    sources: tuple[str, ...]  # of those on all pages
