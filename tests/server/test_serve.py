"""The port, and whom a server is for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import BilderatlasError, KeysError
from bilderatlas.server import serve
from tests.server.auth.keyed import EDITOR, access
from tests.web.visiting import served


def test_a_taken_port_is_named(collection: Collection) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BilderatlasError, match=f"{port}.*--port"):
            serve.serve(collection, port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "pictures.example"])
def test_other_machines_are_not_served_without_a_word_about_keys(
    collection: Collection, host: str
) -> None:
    with pytest.raises(KeysError, match=r"bilderatlas keys .*--no-auth"):
        serve.serve(collection, host=host)


def test_a_server_that_is_told_to_end_leaves_no_temporary_file(
    collection: Collection, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        "import sys\n"
        "from bilderatlas._open import open_folder\n"
        "from bilderatlas.collection import Collection\n"
        "from bilderatlas.server import serve\n"
        "from tests.toy_encoder import ToyEncoder\n"
        "atlas = Collection(open_folder(sys.argv[1])._store, encoder=ToyEncoder())\n"
        "serve.serve(atlas, port=int(sys.argv[2]))\n"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", code, str(collection.path), str(port)]
    with subprocess.Popen(command, env=environment) as server:
        address = f"http://127.0.0.1:{port}/api/v1/images?where=year>1951"
        assert asked(address).json()["n_images"] == 24
        assert list(tmp_path.glob("bilderatlas-*/facts.sqlite"))
        server.terminate()
        assert server.wait(20) == 128 + signal.SIGTERM
    assert list(tmp_path.glob("bilderatlas-*")) == []


def asked(address: str) -> httpx.Response:
    """The answer of a server that may not be up yet."""
    for _ in range(300):
        try:
            return httpx.get(address, timeout=30)
        except httpx.ConnectError:
            time.sleep(0.1)
    raise AssertionError("the server starts within 30 s")


def test_answers_do_not_wait_for_more_to_send() -> None:
    with serve._listen("127.0.0.1", 0) as listening:
        # asyncio sets TCP_NODELAY on what it accepts only if the listening socket says TCP
        assert listening.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(
    ("host", "said"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("0.0.0.0", socket.gethostname())],
)
def test_the_address_that_is_told_can_be_opened(host: str, said: str) -> None:
    assert serve._spoken(host) == said


@pytest.mark.parametrize(("proxy", "is_believed"), [("127.0.0.1", True), (None, False)])
def test_a_proxy_is_believed_where_it_was_named(
    collection: Collection, proxy: str | None, is_believed: bool
) -> None:
    """It says that it was asked by https, and by whom: each of its visitors has an allowance."""
    told = {"X-Forwarded-Proto": "https", "Host": "pictures.example"}
    allowed = access(hosts=("pictures.example",), requests_per_s=2)
    with served(collection, allowed, proxy) as address:
        signed = httpx.post(f"{address}/sign-in", data={"key": EDITOR}, headers=told)
        assert signed.headers["set-cookie"].startswith("__Host-") is is_believed
        for _ in range(3):  # each takes half of an allowance
            tried = told | {"X-Forwarded-For": "192.0.2.1", "X-API-Key": "a-guess"}
            last = httpx.get(f"{address}/api/v1/info", headers=tried)
        assert last.status_code == 429
        other = httpx.get(f"{address}/sign-in", headers=told | {"X-Forwarded-For": "::7"})
        assert other.status_code == (200 if is_believed else 429)
