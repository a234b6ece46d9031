"""Pictures by URL: from public addresses, and from the one that was checked."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from bilderatlas.collection import Collection
from bilderatlas.errors import ImageProblem, NotAllowed
from bilderatlas.server import app
from bilderatlas.server.auth import Access
from bilderatlas.server.fetch import FetchLimits, fetch, is_public

PUBLIC = "93.184.215.14"
SHORT = FetchLimits(n_bytes=1000, connect_s=1, whole_s=0.3)


@dataclass
class Web:
    """A web of one machine: what its paths answer, who was asked, and which names it has."""

    answers: dict[str, tuple[int, dict[str, str], bytes]]
    names: dict[str, list[str]] = field(default_factory=lambda: {"pictures.example": [PUBLIC]})
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)  # Host header, path
    connected: list[tuple[str, int]] = field(default_factory=list)
    drip_s: float = 0

    def resolve(self, name: str, port: int) -> Sequence[str]:
        if name not in self.names:
            raise OSError("no such name")
        return self.names[name]

    def connect(self, address: tuple[str, int], timeout_s: float) -> socket.socket:
        """Stands for the public address: the connection goes to the machine of the test."""
        self.connected.append(address)
        return socket.create_connection(("127.0.0.1", self.port), timeout_s)

    def fetch(self, url: str, limits: FetchLimits = SHORT) -> bytes:
        return fetch(url, resolve=self.resolve, connect=self.connect, limits=limits)


@contextmanager
def web(**answers: Any) -> Iterator[Web]:
    """Serve `path=(status, headers, body)`."""
    it = Web({f"/{name}": answer for name, answer in answers.items()})

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            it.asked.append((self.headers["Host"], self.path))
            status, headers, body = it.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            for byte in range(len(body)) if it.drip_s else []:
                time.sleep(it.drip_s)
                self.wfile.write(body[byte : byte + 1])
            if not it.drip_s:
                self.wfile.write(body)

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # whoever asked went away, as they should
                return

        def log_message(self, *said: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    it.port = server.server_address[1]
    yield it
    server.shutdown()
    server.server_close()


def sent_on(location: str) -> tuple[int, dict[str, str], bytes]:
    return 302, {"Location": location}, b""


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::"),
        *("10.1.2.3", "172.16.0.1", "192.168.1.7", "100.64.0.1", "fc00::1", "fd00:ec2::254"),
        *("169.254.169.254", "fe80::1", "fe80::1%eth0", "168.63.129.16", "192.0.0.192"),
        *("224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255"),
        *("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "198.18.0.1"),
        *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::"),
    ],
)
def test_an_address_that_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820::1"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


def test_a_picture_is_read_from_the_address_that_was_checked_under_its_own_name() -> None:
    with web(cat=(200, {"Content-Type": "image/png"}, b"bytes of a cat")) as it:
        assert it.fetch("http://pictures.example/cat") == b"bytes of a cat"
        assert it.connected == [(PUBLIC, 80)]
        assert it.asked == [("pictures.example", "/cat")]


def test_a_name_is_resolved_once_so_that_it_cannot_mean_another_address_later() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    with web(cat=(200, {}, b"cat")) as it:
        fetch("http://rebinding.example/cat", resolve=lambda *_: next(answers), connect=it.connect)
        assert it.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254"], []],
)
def test_a_name_of_which_one_address_is_not_public_is_not_asked(addresses: list[str]) -> None:
    with web() as it:
        it.names["trap.example"] = addresses
        with pytest.raises(NotAllowed, match=r"'trap\.example'.*not a public address"):
            it.fetch("http://trap.example/")
        assert it.connected == []


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "ftp://pictures.example/",
            "gopher://x/",
            "data:image/png,x",
            "cat",
        ),
        *("http://", "http:///etc/passwd", "http://pictures.example:22/", "http://[::1", "//x/cat"),
        *("http://pictures.example:8080/", "http://me:secret@pictures.example/", "http://x:y/"),
    ],
)
def test_what_is_no_plain_url_of_the_web_is_refused(url: str) -> None:
    with web() as it, pytest.raises(NotAllowed):
        it.fetch(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://[::1]/",
    ],
)
def test_this_machine_is_not_asked_however_it_is_written(url: str) -> None:
    """With the resolver of the machine: it reads addresses without asking anybody."""
    with pytest.raises(NotAllowed, match="not a public address"):
        fetch(url)


def test_each_redirect_is_checked_like_the_url_itself() -> None:
    with web(a=sent_on("/b"), b=sent_on("http://inner.example/c"), c=(200, {}, b"secret")) as it:
        it.names["inner.example"] = ["10.0.0.1"]
        with pytest.raises(NotAllowed, match=r"inner\.example"):
            it.fetch("http://pictures.example/a")
        it.names["inner.example"] = [PUBLIC]
        assert it.fetch("http://pictures.example/a") == b"secret"
        it.answers["/a"] = sent_on("file:///etc/passwd")
        with pytest.raises(NotAllowed, match="file"):
            it.fetch("http://pictures.example/a")


def test_nobody_is_sent_on_for_ever() -> None:
    with web(a=sent_on("/a")) as it:
        with pytest.raises(ImageProblem, match="more than 3 times"):
            it.fetch("http://pictures.example/a")
        assert len(it.asked) == 4


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, {}, b""), "answered 404"),
        ((200, {}, bytes(1001)), "more than 1,000 bytes"),
        ((200, {"Content-Encoding": "gzip"}, b"x"), "compressed"),
        ((200, {"Content-Length": "900"}, b"x"), "cannot be fetched|broke off"),
    ],
)
def test_what_is_no_whole_answer_of_a_bounded_size_is_refused(
    answer: tuple[int, dict[str, str], bytes], said: str
) -> None:
    with web(cat=answer) as it, pytest.raises(ImageProblem, match=said):
        it.fetch("http://pictures.example/cat")


def test_an_answer_that_drips_is_cut_off() -> None:
    with web(cat=(200, {}, bytes(900))) as it:
        it.drip_s = 0.05
        began = time.monotonic()
        with pytest.raises(ImageProblem, match=r"within 0\.3 s"):
            it.fetch("http://pictures.example/cat")
        assert time.monotonic() - began < 2


def test_a_name_that_nobody_has_is_said() -> None:
    with web() as it, pytest.raises(ImageProblem, match="no machine called 'nobody'"):
        it.fetch("http://nobody/")


def test_a_server_fetches_nothing_unless_it_was_started_so(client: TestClient) -> None:
    answer = client.post("/api/v1/search/url", json={"url": "http://127.0.0.1/"})
    assert (answer.status_code, answer.json()["kind"]) == (403, "NotAllowed")
    assert "--allow-fetch" in answer.json()["detail"]


def test_a_picture_is_searched_for_by_its_url(collection: Collection) -> None:
    from tests.server.test_routes import png_of

    with web(red=(200, {}, png_of("red", seed=50)), page=(200, {}, b"<html>hello, reader")) as it:
        fetching_app = app.create(collection, Access(fetch=partial(it.fetch, limits=FetchLimits())))
        client = TestClient(fetching_app, base_url="http://127.0.0.1")

        def ask(url: str) -> Response:
            return client.post("/api/v1/search/url", json={"url": url, "k": 3})

        found = ask("http://pictures.example/red").json()["results"]
        assert ["red" in hit["path"] for hit in found] == [True] * 3
        assert ask("http://pictures.example/page").json()["kind"] == "ImageProblem"
        assert ask("http://pictures.example:22/").json()["kind"] == "NotAllowed"
