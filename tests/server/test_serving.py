"""The port, and whom a server is for."""

from __future__ import annotations

import socket

import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import BilderatlasError, KeysError
from bilderatlas.server import serving


def test_a_taken_port_is_named(collection: Collection) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BilderatlasError, match=f"{port}.*--port"):
            serving.serve(collection, port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "pictures.example"])
def test_other_machines_are_not_served_without_a_word_about_keys(
    collection: Collection, host: str
) -> None:
    with pytest.raises(KeysError, match=r"bilderatlas keys .*--no-auth"):
        serving.serve(collection, host=host)


def test_answers_do_not_wait_for_more_to_send() -> None:
    with serving._listen("127.0.0.1", 0) as listening:
        # asyncio sets TCP_NODELAY on what it accepts only if the listening socket says TCP
        assert listening.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(
    ("host", "said"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("0.0.0.0", socket.gethostname())],
)
def test_the_address_that_is_told_can_be_opened(host: str, said: str) -> None:
    assert serving._spoken(host) == said
