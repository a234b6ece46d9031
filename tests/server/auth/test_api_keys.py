"""API keys: how they are made, kept, read and found."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bilderatlas.errors import KeysError
from bilderatlas.server.auth import api_keys
from bilderatlas.server.auth.api_keys import Keys
from tests.disks import full_disk

LONG = "a-key-of-somebody-else-made-by-hand"


def file_of(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "keys.txt"
    path.touch(0o600)
    path.write_text("\n".join(lines))
    return path


def test_a_new_key_is_found_again_and_its_file_does_not_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    key, secret = api_keys.make("anna", "editor")
    api_keys.add(path, key)
    api_keys.add(path, api_keys.make("ben", "viewer")[0])
    assert secret not in path.read_text()
    assert hashlib.sha256(secret.encode()).hexdigest() in path.read_text()
    known = Keys(api_keys.from_file(path))
    assert [(each.name, each.role) for each in known] == [("anna", "editor"), ("ben", "viewer")]
    assert known.find(secret) == key
    assert known.find(secret[:-1]) is None
    assert known.find("") is None


def test_two_keys_are_not_alike() -> None:
    assert api_keys.make("anna", "viewer")[1] != api_keys.make("anna", "viewer")[1]


def test_nobody_else_may_read_a_file_that_was_made_here(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    api_keys.add(path, api_keys.make("anna", "viewer")[0])
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys.txt"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = file_of(tmp_path, f"anna viewer {LONG}")
    path.chmod(mode)
    with pytest.raises(KeysError, match=f"chmod 600 {path}"):
        api_keys.from_file(path)


def test_a_key_is_given_whole_or_as_its_hash_and_what_follows_a_hash_sign_is_said_to_people(
    tmp_path: Path,
) -> None:
    digest = hashlib.sha256(LONG.encode()).hexdigest()
    path = file_of(tmp_path, "# ours", "", f"anna editor {LONG}", f"ben viewer sha256:{digest} # b")
    one, other = api_keys.from_file(path)
    assert one.digest == other.digest == bytes.fromhex(digest)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("anna top-secret-top-secret", "line 1 of .* has 2 words"),
        ("anna editor one two-words-too-many", "has 4 words"),
        ("anna owner " + LONG, "Use viewer or editor"),
        ("an/na editor " + LONG, "a name has 1 to 64"),
        ("anna editor short", "5 characters and can be guessed"),
        ("anna editor schlüssel-mit-langem-namen", "ASCII letters"),
        ("anna editor one,two;three-and-four-more", "ASCII letters"),
        ("anna editor sha256:abc", "64 hexadecimal digits"),
    ],
)
def test_a_line_that_is_no_key_is_refused_without_being_repeated(
    tmp_path: Path, line: str, said: str
) -> None:
    with pytest.raises(KeysError, match=said) as refusal:
        api_keys.from_file(file_of(tmp_path, line))
    assert line.split()[-1] not in str(refusal.value)


def test_a_name_has_one_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    api_keys.add(path, api_keys.make("anna", "viewer")[0])
    with pytest.raises(KeysError, match="two keys called 'anna'"):
        api_keys.add(path, api_keys.make("anna", "editor")[0])


def test_a_key_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    for name in ("anna", "ben"):
        api_keys.add(path, api_keys.make(name, "viewer")[0])
    api_keys.remove(path, "anna")
    assert [key.name for key in api_keys.from_file(path)] == ["ben"]
    with pytest.raises(KeysError, match="it has: ben"):
        api_keys.remove(path, "anna")


def test_keys_of_the_environment_are_parted_by_semicolons(monkeypatch: pytest.MonkeyPatch) -> None:
    assert api_keys.from_environment() == []
    monkeypatch.setenv(api_keys.VARIABLE, f"anna editor {LONG}; ben viewer {LONG}2\n")
    assert [key.name for key in api_keys.from_environment()] == ["anna", "ben"]


def test_no_file_and_no_key_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="cannot be read: No such file"):
        api_keys.from_file(tmp_path / "nothing")
    with pytest.raises(KeysError, match="There is no API key"):
        Keys(api_keys.from_file(file_of(tmp_path, "# none yet")))


def test_a_key_that_is_taken_away_opens_nothing_on_a_server_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(api_keys, "LOOK_EVERY_S", 0)
    path = tmp_path / "keys.txt"
    secrets = {}
    for name in ("anna", "ben"):
        key, secrets[name] = api_keys.make(name, "viewer")
        api_keys.add(path, key)
    known = Keys(api_keys.from_file(path), path=path)
    api_keys.remove(path, "anna")
    assert known.find(secrets["anna"]) is None
    assert known.find(secrets["ben"]) is not None
    path.write_text("ben owner what\n")
    assert known.find(secrets["ben"]) is not None
    assert "stay in force" in caplog.text
    path.write_text("# nobody\n")
    assert known.find(secrets["ben"]) is None


@pytest.mark.parametrize("secret", ["", "ä" * 30, "a\nb", 'a"b', "\udcff", "x" * 100_000])
def test_what_no_cookie_carries_is_no_key(secret: str) -> None:
    digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
    assert Keys([api_keys.Key("anna", "editor", digest)]).find(secret) is None


def test_a_full_disk_is_told_and_leaves_the_keys_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    api_keys.add(path, api_keys.make("anna", "editor")[0])
    before = path.read_bytes()
    with full_disk(), pytest.raises(KeysError, match=r"cannot be written to .*keys\.txt: File too"):
        api_keys.add(path, api_keys.make("ben", "viewer")[0])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_keys_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    api_keys.add(path, api_keys.make("anna", "editor")[0])
    assert path.stat().st_mode & 0o777 == 0o600
