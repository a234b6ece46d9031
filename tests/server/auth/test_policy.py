"""Which servers ask for keys, and by which names they may be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilderatlas.errors import KeysError
from bilderatlas.server.auth import api_keys, policy


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    api_keys.add(tmp_path / "keys.txt", api_keys.make("anna", "editor")[0])
    return tmp_path / "keys.txt"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_needs_no_key(host: str) -> None:
    access = policy.decide(host)
    assert access.keys is None
    assert not access.is_reachable


@pytest.mark.parametrize(
    "options",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "192.168.1.7"},
        {"host": "127.0.0.1", "names": ["pictures.example"]},
        {"host": "127.0.0.1", "proxy": "127.0.0.1"},
    ],
)
def test_what_other_machines_reach_needs_keys_or_a_plain_word(
    options: dict[str, object], key_file: Path
) -> None:
    with pytest.raises(KeysError, match="--no-auth"):
        policy.decide(**options)  # type: ignore[arg-type]
    assert policy.decide(**options, keys=key_file).keys is not None  # type: ignore[arg-type]
    open_to_all = policy.decide(**options, no_auth=True)  # type: ignore[arg-type]
    assert open_to_all.keys is None
    assert open_to_all.is_reachable


def test_keys_and_no_keys_contradict_each_other(key_file: Path) -> None:
    with pytest.raises(KeysError, match="Leave one of them out"):
        policy.decide("0.0.0.0", keys=key_file, no_auth=True)


def test_keys_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(api_keys.VARIABLE, "anna editor a-key-that-is-long-enough")
    access = policy.decide("0.0.0.0")
    assert access.keys is not None
    assert [key.name for key in access.keys] == ["anna"]


@pytest.mark.parametrize(
    ("host", "name", "is_answered"),
    [
        ("127.0.0.1", "localhost:8080", True),
        ("127.0.0.1", "[::1]", True),
        ("127.0.0.1", "192.168.1.7", False),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "", False),
        ("0.0.0.0", "192.168.1.7:8080", True),
        ("0.0.0.0", "[2001:db8::7]:8080", True),
        ("0.0.0.0", "evil.example", False),
        ("0.0.0.0", "192.168.1.7.evil.example", False),
        ("0.0.0.0", "Pictures.Example:443", True),
    ],
)
def test_a_server_answers_to_its_names(host: str, name: str, is_answered: bool) -> None:
    """An address is no name that a foreign page could have made to point here."""
    names = ["pictures.example"] if host == "0.0.0.0" else []
    assert policy.decide(host, no_auth=True, names=names).answers_to(name) is is_answered


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(KeysError, match="--rate is 0"):
        policy.decide("127.0.0.1", requests_per_s=0)
