"""Jobs that wait, the one that runs, and those that have ended."""

from __future__ import annotations

import json
import logging
import secrets
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bilderatlas.errors import BilderatlasError, JobError, JobNotFound, ServerBusy
from bilderatlas.results.jobs import Job, State
from bilderatlas.server.jobs.tasks import VERBS
from bilderatlas.storage import job_history

logger = logging.getLogger(__name__)

MAX_WAITING = 20
N_KEPT = 100  # jobs that are remembered
N_ID_BYTES = 16  # nobody guesses whose job is whose, and no two are alike
KEEP_AGAIN_S = 5.0  # where the disk did not take the list
N_LAST_LINES = 20  # of what a process said before it broke
KILLED = 9  # the signal that no process can hear
TERM_S = 10.0  # for a process to end when it is asked to


class Jobs:
    """Does one job after the other for one collection, each in a process of its own.

    A job that is cancelled is killed: a collection opens whenever its writer was killed, and the
    next `index` ends in the same state. Safe from several threads.

    A job that cannot be written to the list on disk is refused. What becomes of one that was taken
    happens whether or not the disk can be written; the list catches up once it can.
    """

    def __init__(self, folder: Path) -> None:
        """Raises StoreError where the list of past jobs cannot be read."""
        self._folder = folder
        self._jobs = {job.job: job for job in job_history.read(folder)}
        self._waiting: deque[str] = deque()
        self._change = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._is_kept = True  # whether the list on disk is the one here

    def all(self) -> list[Job]:
        """Every job that is remembered, newest first."""
        with self._change:
            return list(self._jobs.values())[::-1]

    def get(self, job: str) -> Job:
        """One job. Raises JobNotFound."""
        with self._change:
            if job not in self._jobs:
                raise JobNotFound(f"There is no job {job!r}. GET /api/v1/jobs lists them.")
            return self._jobs[job]

    def reading(self, upload: str) -> Job | None:
        """The newest job that reads an upload, or has read it."""
        return next((job for job in self.all() if job.options.get("upload") == upload), None)

    def start(self, verb: str, options: Mapping[str, Any], *, who: str | None = None) -> Job:
        """Let a job wait for its turn, which may come at once.

        Raises JobError, ServerBusy, CollectionNotFound, StoreError.
        """
        if verb not in VERBS:
            raise JobError(f"{verb!r} is not a job. Jobs are: {', '.join(VERBS)}.")
        job = Job(secrets.token_hex(N_ID_BYTES), verb, dict(options), who)
        with self._change:
            self._check_room()
            self._begin()
            remembered = self._latest(job)
            job_history.write(self._folder, remembered.values())
            self._jobs, self._is_kept = remembered, True
            self._waiting.append(job.job)
            self._change.notify_all()
        return job

    def _check_room(self) -> None:
        if self._is_closed:
            raise ServerBusy("The server is shutting down. Start the job when it is back.")
        if len(self._waiting) >= MAX_WAITING:
            raise ServerBusy(
                f"{MAX_WAITING} jobs are waiting already. Wait for one to end, or cancel one."
            )

    def _begin(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="jobs", daemon=True)
            thread.start()
            self._thread = thread

    def _latest(self, job: Job) -> dict[str, Job]:
        """The list with one more, without those that ended longest ago; the lock is held."""
        ended = [job.job for job in self._jobs.values() if job.has_ended]
        old = ended[: max(0, len(self._jobs) + 1 - N_KEPT)]
        return {key: kept for key, kept in self._jobs.items() if key not in old} | {job.job: job}

    def resume(self, job: str, *, who: str | None = None) -> Job:
        """Do again what a job left undone, as a new job. Raises JobNotFound, JobError."""
        left = self.get(job)
        if not left.can_resume:
            raise JobError(f"Job {job} is {left.state}; only what ended early can be resumed.")
        return self.start(left.verb, left.options, who=who)

    def cancel(self, job: str) -> Job:
        """Stop a job, or take it out of those that wait. Raises JobNotFound, JobError."""
        found = self.get(job)
        with self._change:
            found = self._jobs[job]
            if found.has_ended:
                raise JobError(f"Job {job} has ended already: it is {found.state}.")
            if found.state == State.WAITING:
                self._waiting.remove(job)
            self._set(job, state=State.CANCELLED, ended_at=datetime.now(UTC))
            if found.state == State.RUNNING and self._process:
                self._process.terminate()
            return self._jobs[job]

    def close(self) -> None:
        """End what runs; it is `interrupted`. The server calls this when it ends."""
        with self._change:
            self._is_closed = True
            self._waiting.clear()
            for job in [job for job in self._jobs.values() if not job.has_ended]:
                self._set(job.job, state=State.INTERRUPTED, ended_at=datetime.now(UTC))
            if self._process:
                self._process.terminate()
            self._change.notify_all()
            thread = self._thread
        if thread:
            thread.join(TERM_S)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                ended = self._run(job)
            except (OSError, RuntimeError) as error:  # there is no process or thread to be had
                ended = _failed("JobError", f"The job could not be started: {error}.")
            with self._change:
                if not self._jobs[job.job].has_ended:  # by `cancel` or `close`
                    self._set(job.job, **ended, ended_at=datetime.now(UTC))

    def _next(self) -> Job | None:
        """The next job, which runs from now on; None when the queue is closed."""
        with self._change:
            while not self._change.wait_for(
                lambda: self._waiting or self._is_closed, None if self._is_kept else KEEP_AGAIN_S
            ):
                self._keep()
            if self._is_closed:
                return None
            return self._set(
                self._waiting.popleft(), state=State.RUNNING, started_at=datetime.now(UTC)
            )

    def _run(self, job: Job) -> dict[str, Any]:
        """Run a job's process to its end; what becomes of the job."""
        last_lines: deque[str] = deque(maxlen=N_LAST_LINES)
        with subprocess.Popen(
            [sys.executable, "-m", "bilderatlas.server.jobs.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            with self._change:
                self._process = process
                if self._jobs[job.job].has_ended:
                    process.terminate()
            listening = threading.Thread(target=last_lines.extend, args=(process.stderr,))
            listening.start()
            told = {"path": str(self._folder), "verb": job.verb, "options": job.options}
            ended = self._follow(process, job.job, json.dumps(told))
            listening.join()
        with self._change:
            self._process = None
        return ended or _broken_off(process.returncode, "".join(last_lines).strip())

    def _follow(self, process: subprocess.Popen[str], job: str, told: str) -> dict[str, Any] | None:
        """Note how far a process is; how it ended, None where it broke off."""
        assert process.stdin is not None
        assert process.stdout is not None
        ended = None
        try:
            process.stdin.write(f"{told}\n")
            process.stdin.flush()
            for line in process.stdout:
                said = json.loads(line)
                if "result" in said:
                    ended = {"state": State.DONE, "result": said["result"]}
                elif "error" in said:
                    ended = {"state": State.FAILED, "error": said["error"]}
                else:
                    self._note(job, said)
        except (BrokenPipeError, json.JSONDecodeError):
            return None  # it was killed
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
        return ended

    def _note(self, job: str, progress: dict[str, Any]) -> None:
        with self._change:
            if not self._jobs[job].has_ended:
                self._jobs[job] = replace(self._jobs[job], **progress)

    def _set(self, job: str, **facts: Any) -> Job:
        """Change a job and write the list down; the lock is held."""
        self._jobs[job] = replace(self._jobs[job], **facts)
        self._keep()
        return self._jobs[job]

    def _keep(self) -> None:
        """Write the list down, or leave it for later; the lock is held."""
        try:
            job_history.write(self._folder, self._jobs.values())
        except BilderatlasError as refusal:
            if self._is_kept:
                logger.warning("The list of jobs will be written later: %s", refusal)
            self._is_kept = False
        else:
            self._is_kept = True


def _broken_off(status: int, said: str) -> dict[str, Any]:
    """What became of a job whose process did not say how it ended."""
    if status == -KILLED:
        return _failed(
            "JobError",
            "The job's process was killed, probably because memory ran out. What it wrote is kept: "
            "free some memory and start the job again.",
        )
    return _failed("InternalError", f"The job ended with {status}: {said or 'it said nothing'}")


def _failed(kind: str, message: str) -> dict[str, Any]:
    return {"state": State.FAILED, "error": {"kind": kind, "message": message}}
