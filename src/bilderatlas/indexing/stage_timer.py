"""What a run of `index` costs: the work of each stage, and memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bilderatlas.results import StageSpeed

# Stages that run in the reading threads, and those of the main thread, as a picture meets them.
IN_THREADS = ("read", "decode", "find", "prepare")
STAGES = (*IN_THREADS, "embed", "write")


@dataclass(slots=True)
class _Work:
    seconds: float = 0.0
    n_images: int = 0


class StageClock:
    """The work of each stage, added up over all threads of a run."""

    def __init__(self, n_threads: int) -> None:
        """`n_threads`: how many read, decode, find and prepare."""
        self._n_threads = n_threads
        self._work = {stage: _Work() for stage in STAGES}
        self._lock = threading.Lock()

    @contextmanager
    def timing(self, stage: str, n_images: int = 1) -> Iterator[None]:
        """Count what happens inside as a stage's work; what fails there does not count."""
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        with self._lock:
            self._work[stage].seconds += seconds
            self._work[stage].n_images += n_images

    def speeds(self) -> tuple[StageSpeed, ...]:
        """The stages that had images to work on, in their order."""
        return tuple(self._speed(stage) for stage in STAGES if self._work[stage].n_images)

    def _speed(self, stage: str) -> StageSpeed:
        work = self._work[stage]
        seconds = work.seconds / (self._n_threads if stage in IN_THREADS else 1)
        rate = work.n_images / max(seconds, 1e-9)
        return StageSpeed(stage, work.n_images, round(seconds, 3), round(rate, 2))


def peak_memory_mib() -> float:
    """The most memory that this process has held since it began, MiB."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage on Linux would count what the parent held before exec
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS
