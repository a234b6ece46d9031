"""What people decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bilderatlas.results.items import Items
from bilderatlas.results.runs import Clustering


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: one row of a log that only grows (docs/decisions.md)."""

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
        decision = asdict(self.decision)
        decision["when"] = self.decision.when.isoformat()
        return {"decision": decision} | (self.clustering.to_dict() if self.clustering else {})


class Decisions(Items[Decision]):
    """What people decided, oldest first."""

    def to_dict(self) -> dict[str, Any]:
        rows = [row | {"when": row["when"].isoformat()} for row in self.rows()]
        return {"n_decisions": len(self), "decisions": rows}
