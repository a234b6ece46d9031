"""The jobs of a collection, kept in `jobs.json` in its folder, so that a server remembers them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bilderatlas.errors import StoreError
from bilderatlas.jobs.job import Job, State

FILE = "jobs.json"
N_KEPT = 100


def read(folder: Path) -> list[Job]:
    """The jobs that were kept, oldest first; what had not ended is interrupted."""
    try:
        rows = json.loads((folder / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{folder / FILE} cannot be read: {error}. Remove it: it only lists past jobs."
        ) from error
    return [_as_left(Job.from_dict(row)) for row in rows]


def _as_left(job: Job) -> Job:
    if job.has_ended:
        return job
    return replace(job, state=State.INTERRUPTED, ended_at=datetime.now(UTC))


def write(folder: Path, jobs: Iterable[Job]) -> None:
    """Keep the latest jobs: the whole file is there, or the one before."""
    rows = [job.to_dict() for job in jobs][-N_KEPT:]
    draft = folder / f"{FILE}.new"
    draft.write_text(json.dumps(rows, indent=1), "utf-8")
    draft.replace(folder / FILE)
