"""One piece of long work, and how far it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # `error` says why
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # the server ended meanwhile


ENDED = frozenset((State.DONE, State.FAILED, State.CANCELLED, State.INTERRUPTED))


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work. `n_total` is None where nobody can tell beforehand."""

    job: str  # its id
    verb: str
    options: dict[str, Any]
    who: str | None
    state: State = State.WAITING
    what: str = ""  # what is being done now
    n_done: int = 0
    n_total: int | None = None
    n_problems: int = 0
    asked_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None  # `kind` and `message`, as with `--json`

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def can_resume(self) -> bool:
        """Whether the same job again would do what this one left undone."""
        return self.has_ended and self.state != State.DONE

    def to_dict(self) -> dict[str, Any]:
        """The job as JSON knows it."""
        facts = asdict(self)
        for name in ("asked_at", "started_at", "ended_at"):
            facts[name] = facts[name] and facts[name].isoformat()
        return facts | {"state": self.state.value, "can_resume": self.can_resume}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Job:
        """A job that `to_dict` wrote down."""
        known = {name: facts[name] for name in cls.__slots__}
        for name in ("asked_at", "started_at", "ended_at"):
            known[name] = known[name] and datetime.fromisoformat(known[name])
        return cls(**known | {"state": State(known["state"])})
