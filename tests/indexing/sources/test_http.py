"""Pictures by URL, from a server on this machine that behaves as the web does."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from bilderatlas.errors import ImageProblem
from bilderatlas.indexing import sources
from bilderatlas.indexing.sources import http, records_of
from tests.pictures import collect, plain, put

RED = plain("red")


class Web(BaseHTTPRequestHandler):
    """Each path is a way in which the web answers."""

    protocol_version = "HTTP/1.1"
    n_busy = n_waiting = 0
    headers_seen: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        getattr(self, self.path.strip("/").partition(".")[0].partition("?")[0])()

    def reply(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        if "Transfer_Encoding" not in headers:
            headers = {"Content_Length": str(len(content))} | headers
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def red(self) -> None:
        self.reply(200, RED)

    def packed(self) -> None:
        self.reply(200, gzip.compress(RED), Content_Encoding="gzip")

    def bomb(self) -> None:
        self.reply(200, gzip.compress(bytes(50 << 20)), Content_Encoding="gzip")

    def chunked(self) -> None:
        self.reply(200, b"%x\r\n%s\r\n0\r\n\r\n" % (len(RED), RED), Transfer_Encoding="chunked")

    def moved(self) -> None:
        self.reply(301, Location="/red.png")

    def circle(self) -> None:
        self.reply(301, Location="/circle")

    def outside(self) -> None:
        self.reply(301, Location="file:///etc/passwd")

    def elsewhere(self) -> None:
        self.reply(301, Location=f"http://localhost:{self.server.server_address[1]}/told.png")

    def told(self) -> None:
        type(self).headers_seen = dict(self.headers)
        self.reply(200, RED)

    def waiting(self) -> None:
        type(self).n_waiting += 1
        if self.n_waiting % 2:
            self.reply(429, Retry_After="1")
        else:
            self.reply(200, RED)

    def resting(self) -> None:
        self.reply(503, Retry_After="3600")

    def slow_head(self) -> None:
        for sign in b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 1000:
            self.wfile.write(bytes([sign]))
            self.wfile.flush()
            time.sleep(0.02)

    def on_and_on(self) -> None:
        time.sleep(0.05)
        self.reply(301, Location=f"/on_and_on?{time.monotonic()}")

    def gone(self) -> None:
        self.reply(404, b"<html>Not here</html>")

    def busy(self) -> None:
        type(self).n_busy += 1
        self.reply(*((503, b"") if self.n_busy % 2 else (200, RED)))

    def page(self) -> None:
        self.reply(200, b"<html><body>Sign in to see this picture</body></html>")

    def short(self) -> None:
        self.reply(200, RED[:40], Content_Length=str(len(RED)), Connection="close")
        self.close_connection = True

    def huge(self) -> None:
        self.reply(200, RED, Content_Length=str(5 << 30))

    def endless(self) -> None:
        self.reply(200, Transfer_Encoding="chunked")
        block = b"%x\r\n%s\r\n" % (1 << 16, bytes(1 << 16))
        while True:
            self.wfile.write(block)

    def silent(self) -> None:
        time.sleep(1)

    def dripping(self) -> None:
        self.reply(200, Content_Length="1000")
        for _ in range(100):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.02)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def problem(url: str, **limits: float) -> str:
    with pytest.raises(ImageProblem) as refused:
        http.fetch(url, **limits)
    return str(refused.value)


@pytest.mark.parametrize("path", ["red.png", "packed", "chunked", "moved", "red?size=large"])
def test_a_picture_is_fetched(web: str, path: str) -> None:
    assert http.fetch(f"{web}/{path}") == RED


def test_a_busy_server_is_asked_again(web: str) -> None:
    assert http.fetch(f"{web}/busy") == RED
    assert Web.n_busy == 2


def test_the_answer_of_the_server_is_the_problem(web: str) -> None:
    assert problem(f"{web}/gone") == "the server answered 404 Not Found"


@pytest.mark.parametrize("path", ["circle", "outside", "short"])
def test_what_goes_wrong_on_the_way_is_a_problem(web: str, path: str) -> None:
    assert "cannot be fetched" in problem(f"{web}/{path}")


@pytest.mark.parametrize("url", ["http://", "http://[oops", "http://..a../x.png", "http://a b/x"])
def test_a_url_that_is_none_is_a_problem(url: str) -> None:
    assert "cannot be fetched" in problem(url)


def test_nobody_there_is_a_problem() -> None:
    assert "cannot be fetched" in problem("http://127.0.0.1:9/x.png")


def test_what_says_that_it_is_huge_is_not_fetched(web: str) -> None:
    assert "5.0 GiB" in problem(f"{web}/huge")


@pytest.mark.parametrize("path", ["endless", "bomb"])
def test_what_does_not_say_so_is_broken_off(
    web: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 1 << 20)
    assert "are not read" in problem(f"{web}/{path}")


def test_a_silent_server_is_given_up(web: str) -> None:
    assert "timed out" in problem(f"{web}/silent", read_timeout_s=0.05)


@pytest.mark.parametrize("path", ["dripping", "slow_head", "on_and_on", "resting?0"])
def test_one_deadline_is_for_the_whole_of_an_answer(
    web: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(http, "MAX_RETRY_AFTER_S", 1e6)
    started = time.monotonic()
    assert problem(f"{web}/{path}", whole_timeout_s=0.2) == "did not come within 0.2 s"
    assert time.monotonic() - started < 1


def test_a_deadline_covers_a_handshake_that_drips() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_drip_handshake, args=(server,), daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}/x.png"
        started = time.monotonic()
        assert problem(url, whole_timeout_s=0.3) == "did not come within 0.3 s"
        assert time.monotonic() - started < 1
        thread.join()


def _drip_handshake(server: socket.socket) -> None:
    """A record of TLS that is said to have 16,000 bytes."""
    connected, _ = server.accept()
    with connected, suppress(OSError):
        for sign in b"\x16\x03\x03\x3e\x80\x02\x00\x3e\x7c" + b"x" * 16_000:
            connected.send(bytes([sign]))
            time.sleep(0.02)


def test_a_connection_is_used_again_until_a_deadline_shuts_it(web: str) -> None:
    assert http.fetch(f"{web}/red.png") == RED
    assert problem(f"{web}/dripping", whole_timeout_s=0.1) == "did not come within 0.1 s"
    assert http.fetch(f"{web}/red.png") == RED


def test_a_server_is_asked_again_after_the_time_it_names(web: str) -> None:
    started = time.monotonic()
    assert http.fetch(f"{web}/waiting") == RED
    assert 1 <= time.monotonic() - started < 3


def test_a_server_that_asks_to_wait_for_long_is_a_problem_at_once(web: str) -> None:
    started = time.monotonic()
    told = problem(f"{web}/resting")
    assert told.startswith("the server answered 503 Service Unavailable and asks to wait 3,600 s")
    assert time.monotonic() - started < 1


def test_servers_are_told_who_asks(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    http.fetch(f"{web}/told.png")
    assert Web.headers_seen["User-Agent"] == "bilderatlas"
    monkeypatch.setenv("BILDERATLAS_USER_AGENT", "archive (me@example.org)")
    http.fetch(f"{web}/told.png")
    assert Web.headers_seen["User-Agent"] == "archive (me@example.org)"
    http.fetch(f"{web}/told.png", headers={"user-agent": "other", "X-Key": "secret"})
    assert (Web.headers_seen["user-agent"], Web.headers_seen["X-Key"]) == ("other", "secret")
    http.fetch(f"{web}/told.png")
    assert "X-Key" not in Web.headers_seen


def test_a_header_is_not_for_another_server_that_is_redirected_to(web: str) -> None:
    http.fetch(f"{web}/elsewhere", headers={"X-Key": "secret", "User-Agent": "me"})
    assert Web.headers_seen["User-Agent"] == "me"
    assert "X-Key" not in Web.headers_seen


def test_index_and_reindex_send_what_they_are_given(web: str, tmp_path: Path) -> None:
    atlas = collect(
        tmp_path, put(tmp_path / "t.csv", f"url\n{web}/told.png\n".encode()),
        headers={"X-Key": "secret"},
    )  # fmt: skip
    assert Web.headers_seen["X-Key"] == "secret"
    Web.headers_seen = {}
    atlas.picture(atlas.search("red", k=1)[0].image_id)
    assert "X-Key" not in Web.headers_seen
    records = records_of([f"{web}/told.png"], {"X-Key": "again"})
    assert [record.read() for record in records] == [RED]
    assert Web.headers_seen["X-Key"] == "again"


def test_a_table_of_urls_is_indexed_and_its_failures_are_listed(web: str, tmp_path: Path) -> None:
    urls = [f"{web}/{path}" for path in ("red.png", "gone", "page")]
    atlas = collect(tmp_path, put(tmp_path / "t.csv", "\n".join(["url", *urls]).encode()))
    assert [hit.path for hit in atlas.search("red")] == [urls[0]]
    assert [problem.uri for problem in atlas.problems()] == [urls[1], urls[2]]
    assert "not a picture" in atlas.problems()[1].reason
    assert atlas.picture(atlas.search("red")[0].image_id).getpixel((0, 0)) == (255, 0, 0)
    assert atlas.index(tmp_path / "t.csv").n_unchanged == 1
