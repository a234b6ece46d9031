"""The jobs of a collection, kept in `jobs.json` in its folder, so that a server remembers them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bilderatlas.results.jobs import Job, State
from bilderatlas.storage.damage import damaged, told
from bilderatlas.storage.disk import disk_errors, write_whole

FILE = "jobs.json"


def read(folder: Path) -> list[Job]:
    """The jobs that were kept, oldest first; what had not ended is interrupted."""
    try:
        rows = json.loads((folder / FILE).read_text("utf-8"))
        return [_as_left(Job.from_dict(row)) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise damaged(folder, FILE, told(error)) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise damaged(folder, FILE, f"{type(error).__name__}: {error}") from error


def _as_left(job: Job) -> Job:
    if job.has_ended:
        return job
    return replace(job, state=State.INTERRUPTED, ended_at=datetime.now(UTC))


def write(folder: Path, jobs: Iterable[Job]) -> None:
    """Keep these jobs: all of them, or the list is as it was.

    Raises CollectionNotFound, StoreError.
    """
    rows = [job.to_dict() for job in jobs]
    with disk_errors(folder):
        write_whole(folder / FILE, json.dumps(rows, indent=1).encode())
