"""What people decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from bilderatlas.results.items import Items, as_json
from bilderatlas.results.runs import Clustering


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the log of decisions."""

    decision: str  # its id
    verb: str
    image_ids: tuple[str, ...]  # what it is about
    region_ids: tuple[str, ...]
    payload: Mapping[str, Any]
    who: str
    when: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was kept, and the clustering as it stands with it."""

    decision: Decision
    clustering: Clustering | None  # None where there is none

    def to_dict(self) -> dict[str, Any]:
        decision = {"decision": as_json(self.decision)}
        return decision | (self.clustering.to_dict() if self.clustering else {})


@dataclass(frozen=True, kw_only=True, repr=False)
class Decisions(Items[Decision]):
    """What people decided, oldest first."""

    LIST: ClassVar = "decisions"

    n_decisions: int
    decisions: tuple[Decision, ...]

    @classmethod
    def of(cls, decisions: Sequence[Decision]) -> Self:
        """Decisions, counted."""
        return cls(n_decisions=len(decisions), decisions=tuple(decisions))
