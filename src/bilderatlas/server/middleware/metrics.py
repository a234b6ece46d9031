"""What the server did, counted, in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
API = "/api/v1"
PARTS = ("/_dash-update-component", "/_dash-component-suites", "/assets", "/query-pictures")
STATM = Path("/proc/self/statm")
ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """Counts of one server since it was started."""

    def __init__(self) -> None:
        self.n_requests: Counter[tuple[str, str, int]] = Counter()  # method, route, status
        self.n_by_bucket: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS_S) + 1))
        self.seconds: dict[str, float] = defaultdict(float)
        self.n_in_progress = 0
        self.started_at = time.time()

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self.n_requests[method, route, status] += 1
        self.n_by_bucket[route][bisect_left(BUCKETS_S, seconds)] += 1
        self.seconds[route] += seconds

    def text(self, gauges: Mapping[str, Mapping[Labels, float]]) -> str:
        """Everything counted, and what else is known now."""
        known = dict(gauges)
        known["requests_in_progress"] = {(): self.n_in_progress}
        known["start_time_seconds"] = {(): self.started_at}
        if (memory := resident_bytes()) is not None:
            known["resident_memory_bytes"] = {(): memory}
        lines = [*self._requests(), *self._durations()]
        for name, values in known.items():
            lines.append(f"# TYPE bilderatlas_{name} gauge")
            lines += [_line(name, labels, value) for labels, value in values.items()]
        return "\n".join(lines) + "\n"

    def _requests(self) -> Iterator[str]:
        yield "# TYPE bilderatlas_requests_total counter"
        for (method, route, status), n in sorted(self.n_requests.items()):
            labels = (("method", method), ("route", route), ("status", str(status)))
            yield _line("requests_total", labels, n)

    def _durations(self) -> Iterator[str]:
        name = "request_duration_seconds"
        yield f"# TYPE bilderatlas_{name} histogram"
        for route, counts in sorted(self.n_by_bucket.items()):
            of_route = ("route", route)
            for bound, n in zip((*BUCKETS_S, "+Inf"), accumulate(counts), strict=True):
                yield _line(f"{name}_bucket", (of_route, ("le", str(bound))), n)
            yield _line(f"{name}_sum", (of_route,), self.seconds[route])
            yield _line(f"{name}_count", (of_route,), sum(counts))


class Counting:
    """Counts every request. Plain ASGI."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.n_in_progress += 1
        try:
            await self._app(scope, receive, send_counted)
        finally:
            self._metrics.n_in_progress -= 1
            seconds = time.perf_counter() - began
            self._metrics.note(_method(scope), route_of(scope), status, seconds)


def route_of(scope: Scope) -> str:
    """The pattern of an address, so that a million images are one route."""
    path = scope["path"]
    if path.startswith(API):
        route = getattr(scope.get("route"), "path", None)
        return f"{API}{route}" if route else "unknown"
    return next((part for part in PARTS if path.startswith(part)), "pages")


def resident_bytes() -> int | None:
    """The memory that this process holds, where Linux tells."""
    if not STATM.exists():
        return None
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _method(scope: Scope) -> str:
    known = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
    return scope["method"] if scope["method"] in known else "other"


def _line(name: str, labels: Labels, value: float) -> str:
    said = ",".join(f'{label}="{text.translate(ESCAPED)}"' for label, text in labels)
    return f"bilderatlas_{name}{{{said}}} {value}" if said else f"bilderatlas_{name} {value}"
