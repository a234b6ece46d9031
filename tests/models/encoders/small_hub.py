"""A hub on this machine with one repository, and hubs that are away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.models.encoders.hub_cache import COMMIT


class SmallHub(BaseHTTPRequestHandler):
    """The three answers of the hub that a download needs."""

    root: Path
    asked: list[str]

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/"):
            self.api(path)
            return
        name = path.partition(f"/resolve/{COMMIT}/")[2]
        file = self.root / name
        if not name or not file.is_file():
            self.send_error(404)
            return
        self.asked.append(name)
        self.reply(file.read_bytes(), {"X-Repo-Commit": COMMIT, "ETag": f'"{name}"'})

    def api(self, path: str) -> None:
        files = sorted(p for p in self.root.rglob("*") if p.is_file())
        names = [p.relative_to(self.root).as_posix() for p in files]
        if "/tree/" in path:
            tree = [
                {
                    "type": "file",
                    "path": name,
                    "size": (self.root / name).stat().st_size,
                    "oid": name,
                }
                for name in names
            ]
            self.reply(json.dumps(tree).encode(), {"Content-Type": "application/json"})
            return
        name = path.removeprefix("/api/models/")
        info = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}
        self.reply(json.dumps(info).encode(), {"Content-Type": "application/json"})

    def reply(self, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SmallHub]]:
    """The hub whose every repository is the folder `root`."""
    SmallHub.root, SmallHub.asked = root, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), SmallHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    yield SmallHub
    server.shutdown()
    server.server_close()
