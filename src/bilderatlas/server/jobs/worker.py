"""The process of one job: it is told the job on its standard input, and says on its standard
output, a line of JSON each, how far it is and how it ended.

It ends when its input ends, so that nothing goes on behind a server that was killed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import warnings
from typing import Any, TextIO

from bilderatlas._open import open_folder
from bilderatlas.errors import BilderatlasError
from bilderatlas.results import Progress
from bilderatlas.server.jobs.tasks import VERBS
from bilderatlas.storage.disk import full_elsewhere

NICENESS = 10  # people who look at pages go first
PAUSE_S = 0.2  # between two lines about how far it is


def main() -> None:
    """Do one job."""
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL")  # as in `cli.main`
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints, in C even, is no line of ours
    os.nice(NICENESS) if hasattr(os, "nice") else None
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_server, daemon=True).start()
    try:
        opened = open_folder(job["path"])
        result = VERBS[job["verb"]](opened, job["options"], Teller(lines))
    except BilderatlasError as known:
        _refuse(lines, known)
    except OSError as error:
        if (refusal := full_elsewhere(error)) is None:
            raise
        _refuse(lines, refusal)
    else:
        _say(lines, {"result": result})


class Teller:
    """Tells how far a job is, now and then."""

    def __init__(self, lines: TextIO) -> None:
        self._lines = lines
        self._told_at = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told_at < PAUSE_S and progress.n_done != progress.n_total:
            return
        self._told_at = now
        _say(
            self._lines,
            {
                "what": progress.what,
                "n_done": progress.n_done,
                "n_total": progress.n_total,
                "n_problems": progress.n_problems,
            },
        )


def _refuse(lines: TextIO, refusal: BilderatlasError) -> None:
    _say(lines, {"error": {"kind": type(refusal).__name__, "message": str(refusal)}})


def _say(lines: TextIO, said: dict[str, Any]) -> None:
    print(json.dumps(said, default=str), file=lines, flush=True)


def _end_with_server() -> None:
    sys.stdin.read()
    os._exit(1)  # a collection opens whenever its writer was killed


if __name__ == "__main__":
    main()
