"""A real HTTP server on loopback that answers as a language model does, well or badly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class LanguageModelServer:
    """Where it listens, and what it was asked."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)


def completion(said: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": said}}]}).encode()


@contextmanager
def answering(
    body: bytes,
    *,
    status: int = 200,
    after_s: float = 0,
    byte_by_byte_s: float = 0,
    header_by_header_s: float = 0,
    location: str | None = None,
) -> Iterator[LanguageModelServer]:
    """A server that gives one answer to everything."""
    told = LanguageModelServer()
    ended = threading.Event()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            told.paths.append(self.path)
            told.keys.append(self.headers.get("Authorization"))
            ended.wait(after_s)
            self.send_response(status)
            while header_by_header_s and not ended.wait(header_by_header_s):
                self.send_header("X-Wait", "a little longer")
                self.flush_headers()
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # who asked may have left
                self._write()

        def _write(self) -> None:
            if not byte_by_byte_s:
                self.wfile.write(body)
            for byte in body if byte_by_byte_s else b"":
                if ended.is_set():
                    return
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(byte_by_byte_s)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield told
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
