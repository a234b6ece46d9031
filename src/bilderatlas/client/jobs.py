"""Long work that a server does as a job, waited for here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bilderatlas.client.connection import Connection, refusal
from bilderatlas.errors import ServerBusy, ServerError

FIRST_LOOK_S, LAST_LOOK_S = 0.1, 2.0  # between two looks at how far a job is: rarer and rarer
ENDED = ("done", "failed", "cancelled", "interrupted")


def finish(server: Connection, verb: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Start a job, wait for its end, and give its result; options that are None are left out.

    Raises what the job failed with, and ServerError where somebody stopped it.
    """
    asked = {name: value for name, value in options.items() if value is not None}
    job = server.post("/jobs", {"verb": verb, "options": asked})
    wait_s = FIRST_LOOK_S
    while job["state"] not in ENDED:
        time.sleep(wait_s)
        wait_s = min(wait_s * 1.5, LAST_LOOK_S)
        with suppress(ServerBusy):  # the job goes on meanwhile
            job = server.get(f"/jobs/{job['job']}")
    if job["state"] == "done":
        result: dict[str, Any] = job["result"]
        return result
    if job["error"]:
        raise refusal(job["error"]["kind"], job["error"]["message"])
    raise ServerError(
        f"The job {job['job']} ({verb}) was {job['state']} at {server.address}. Start it again."
    )
