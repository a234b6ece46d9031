"""Connections on which no whole request comes, and what uvicorn is told."""

from __future__ import annotations

import socket
import time

import pytest

from bilderatlas.collection import Collection
from bilderatlas.server import patience
from tests.web.visiting import served

WHOLE = b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_TIMEOUT_S", 0.3)


def connect(address: str) -> socket.socket:
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=5)


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
    monkeypatch.setattr(patience, "HEAD_TIMEOUT_S", 1.0)
    with served(collection) as address, connect(address) as connection:
        for _ in range(4):  # for longer than that
            connection.sendall(WHOLE)
            said = b""
            while not said.endswith(b"}"):
                part = connection.recv(4000)
                assert part, "it stays open"
                said += part
            time.sleep(0.4)
