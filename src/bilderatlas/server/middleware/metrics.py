"""What the server did, counted for Prometheus."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
API = "/api/v1"
PARTS = ("/_dash-update-component", "/_dash-component-suites", "/assets", "/query-pictures")


class Metrics:
    """Counts of one server since it was started."""

    def __init__(self) -> None:
        its = self.registry = CollectorRegistry()  # the library's own is the whole process's
        by = ("method", "route", "status")
        self.n_requests = Counter("bilderatlas_requests", "Answered requests", by, registry=its)
        self.seconds = Histogram(
            "bilderatlas_request_duration_seconds",
            "How long answers took",
            ("route",),
            buckets=BUCKETS_S,
            registry=its,
        )
        self.n_in_progress = Gauge(
            "bilderatlas_requests_in_progress", "Requests being answered", registry=its
        )
        ProcessCollector(registry=its)  # memory, CPU, files, start: where Linux tells

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self.n_requests.labels(method, route, status).inc()
        self.seconds.labels(route).observe(seconds)


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

        try:
            with self._metrics.n_in_progress.track_inprogress():
                await self._app(scope, receive, send_counted)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.note(_method(scope), route_of(scope), status, seconds)


def route_of(scope: Scope) -> str:
    """The pattern of an address, so that a million images are one route."""
    path = scope["path"]
    if path.startswith(API):
        route = getattr(scope.get("route"), "path", None)
        return f"{API}{route}" if route else "unknown"
    return next((part for part in PARTS if path.startswith(part)), "pages")


def _method(scope: Scope) -> str:
    known = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
    return scope["method"] if scope["method"] in known else "other"
