"""Long work at a server that is waited for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bilderatlas.client import jobs
from bilderatlas.client.connection import Connection
from bilderatlas.errors import DiskFull

Said = tuple[int, dict[str, Any]]

BEGUN = {"job": "ab", "state": "waiting"}
BUSY = {"status": 503, "kind": "ServerBusy", "detail": "There was no turn for this."}
DONE = {"job": "ab", "state": "done", "result": {"run": "pca-1"}}


@pytest.fixture
def answers() -> list[Said]:
    """What the server will say, first to last."""
    return []


@pytest.fixture
def server(answers: list[Said]) -> Iterator[Connection]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, said = answers.pop(0)
            body = json.dumps(said).encode()
            self.send_response(status)
            kind = "application/json" if status < 400 else "application/problem+json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *said: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield Connection(f"http://127.0.0.1:{listening.server_port}")
        listening.shutdown()


def test_a_server_that_is_busy_meanwhile_does_not_end_the_waiting(
    server: Connection, answers: list[Said]
) -> None:
    answers += [(202, BEGUN), (503, BUSY), (200, BEGUN), (200, DONE)]
    assert jobs.finish(server, "project", {}) == {"run": "pca-1"}
    assert answers == []


def test_a_job_that_is_refused_says_why(server: Connection, answers: list[Said]) -> None:
    answers += [(507, {"status": 507, "kind": "DiskFull", "detail": "The disk of x is full."})]
    with pytest.raises(DiskFull, match="The disk of x is full"):
        jobs.finish(server, "project", {})


def test_a_job_that_failed_says_why(server: Connection, answers: list[Said]) -> None:
    why = {"kind": "DiskFull", "message": "The disk of x is full."}
    answers += [(202, BEGUN), (200, BEGUN | {"state": "failed", "error": why})]
    with pytest.raises(DiskFull, match="The disk of x is full"):
        jobs.finish(server, "project", {})
