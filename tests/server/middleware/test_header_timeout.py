"""Connections on which no whole request comes, and what uvicorn is told."""

from __future__ import annotations

import socket
import time

import pytest

from bilderatlas.collection import Collection
from bilderatlas.server.middleware import header_timeout
from tests.web.visiting import served

WHOLE = b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_timeout, "HEAD_TIMEOUT_S", 0.3)


def connect(address: str) -> socket.socket:
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def is_cut_off(connection: socket.socket, at_most_s: float) -> bool:
    """Whether the other side gives a connection up from which nothing is read."""
    until = time.monotonic() + at_most_s
    while time.monotonic() < until:
        try:
            connection.send(b"G")
        except OSError:
            return True
        time.sleep(0.05)
    return False


def seconds_until_closed(connection: socket.socket, *, drip: bytes = b"") -> float:
    began = time.monotonic()
    connection.settimeout(0.05)
    while time.monotonic() - began < 4:
        try:
            if drip:
                connection.send(drip)
            if connection.recv(1000) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("begun", "drip"),
    [(b"", b""), (WHOLE[:20], b""), (WHOLE[:-2], b"X-A: b\r\n"), (WHOLE + b"G", b"E")],
)
@pytest.mark.usefixtures("impatient")
def test_a_request_that_is_never_whole_is_not_waited_for(
    collection: Collection, begun: bytes, drip: bytes
) -> None:
    with served(collection) as address, connect(address) as connection:
        connection.sendall(begun)
        assert seconds_until_closed(connection, drip=drip) < 2


@pytest.mark.usefixtures("impatient")
def test_a_body_is_not_sent_for_ever_after_the_answer(collection: Collection) -> None:
    refused = b"POST /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999\r\n\r\n"
    with served(collection) as address, connect(address) as connection:
        connection.sendall(refused)
        assert seconds_until_closed(connection, drip=b"x") < 3


def test_a_connection_that_asks_again_and_again_stays_open(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(header_timeout, "HEAD_TIMEOUT_S", 1.0)
    with served(collection) as address, connect(address) as connection:
        for _ in range(4):  # for longer than that
            connection.sendall(WHOLE)
            said = b""
            while not said.endswith(b"}"):
                part = connection.recv(4000)
                assert part, "it stays open"
                said += part
            time.sleep(0.4)


LONG = b"GET /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
N_LONG = 100  # more than the buffers of the machine take


def test_an_answer_that_is_never_read_is_not_kept_for_ever(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(header_timeout, "READ_TIMEOUT_S", 0.5)
    with served(collection) as address, connect(address) as connection:
        connection.sendall(LONG * N_LONG)
        assert is_cut_off(connection, 30)
        with connect(address) as other:
            other.sendall(WHOLE)
            assert other.recv(1000).startswith(b"HTTP/1.1 200")


def test_an_answer_that_is_read_slowly_comes_whole(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(header_timeout, "READ_TIMEOUT_S", 1.0)
    with served(collection) as address, connect(address) as connection:
        connection.sendall(LONG * N_LONG + WHOLE.replace(b"Host", b"Connection: close\r\nHost"))
        n_bytes = 0
        while part := connection.recv(1 << 18):
            n_bytes += len(part)
            time.sleep(0.05)
        assert part == b""
        assert n_bytes > N_LONG * 100_000
