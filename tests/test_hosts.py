"""Servers on this machine are asked directly, whatever proxies the environment names."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bilderatlas import hosts
from bilderatlas.analysis.naming.llm import LanguageModel
from bilderatlas.client.connection import Connection
from tests.language_model import answering, completion


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_the_loopback_is_this_machine(host: str) -> None:
    assert hosts.is_loopback(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "0.0.0.0", "::", "localhost.example", "", "2001:db8::1"]
)
def test_anything_else_is_not(host: str) -> None:
    assert not hosts.is_loopback(host)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A proxy that the environment names; whoever asks it is left waiting in its queue."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{listening.getsockname()[1]}")
            monkeypatch.delenv(name.upper(), raising=False)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield listening


def is_asked(proxy: socket.socket) -> bool:
    try:
        proxy.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def test_a_language_model_on_this_machine_is_not_asked_through_a_proxy(
    proxy: socket.socket,
) -> None:
    with answering(completion("Dogs")) as server:
        assert LanguageModel(server.url, "small", timeout_s=5).name_texts(["a dog"]) == "Dogs"
    assert not is_asked(proxy)


def test_a_server_on_this_machine_is_not_asked_through_a_proxy(proxy: socket.socket) -> None:
    with answering(b'{"results": []}') as server:
        found = Connection(server.url.removesuffix("/v1")).post("/search", {"query": "a cat"})
    assert found == {"results": []}
    assert server.paths == ["/api/v1/search"]
    assert not is_asked(proxy)


def test_a_server_elsewhere_is_asked_through_the_proxy_that_the_environment_names() -> None:
    assert hosts.proxies("https://atlas.example:8080/") == {}
    assert hosts.proxies("http://127.0.0.1:8080") == {"no_proxy": "127.0.0.1"}
