"""API keys: a name, a role, and the hash of a secret that only its owner has."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bilderatlas.errors import KeysError
from bilderatlas.storage.disk import write_whole
from bilderatlas.web.request_context import EDITOR

logger = logging.getLogger(__name__)

VIEWER = "viewer"
ROLES = (VIEWER, EDITOR)
VARIABLE = "BILDERATLAS_API_KEYS"
PREFIX = "ba_"  # of the keys made here: scanners for leaked keys find them by it
SECRET_BYTES = 32
LEAST_CHARACTERS = 20  # of a key that somebody else made
LOOK_EVERY_S = 1.0
HASHED = "sha256:"
SECRET = re.compile(r"[\w!#$%&'()*+./:<=>?@^`{|}~\[\]-]{1,500}", re.ASCII)  # as cookies carry it
NAME = re.compile(r"[\w.@+-]{1,64}")
DIGEST = re.compile(r"[0-9a-f]{64}")
EXPECTED = "Expected: NAME viewer|editor KEY, where KEY is the key or sha256: and its hash"


@dataclass(frozen=True, slots=True)
class Key:
    """Whose a key is and what it allows. The key itself is not kept."""

    name: str
    role: str
    digest: bytes  # SHA-256; the keys are random, so no slow hash is needed

    def line(self) -> str:
        """The key's line in a file."""
        return f"{self.name} {self.role} {HASHED}{self.digest.hex()}"


class Keys:
    """Every key that a server knows; those of a file are read again when it changed."""

    def __init__(self, keys: Iterable[Key], *, path: Path | None = None) -> None:
        """Raises KeysError where two have one name, or there is none."""
        self._keys = _named_apart(keys)
        if not self._keys:
            raise KeysError(
                "There is no API key. Make one: bilderatlas keys FILE --add NAME --role editor"
            )
        self._path = path
        self._stamp = _stamp(path)
        self._looked_at = time.monotonic()

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def find(self, secret: str) -> Key | None:
        """Whose key this is. Takes as long whichever it is, or none."""
        self._keep_up()
        if not SECRET.fullmatch(secret):
            return None
        digest, found = _digest(secret), None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def _keep_up(self) -> None:
        """A key that was taken away is one no longer, a second later."""
        now = time.monotonic()
        if self._path is None or now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        if (stamp := _stamp(self._path)) == self._stamp:
            return
        self._stamp = stamp
        try:
            self._keys = _named_apart(from_file(self._path))
        except KeysError as fault:
            logger.warning("The keys that were known stay in force: %s", fault)
        else:
            logger.warning("Read %d keys again from %s", len(self._keys), self._path)


def _named_apart(keys: Iterable[Key]) -> tuple[Key, ...]:
    known = tuple(keys)
    names = [key.name for key in known]
    for name in names:
        if names.count(name) > 1:
            raise KeysError(f"There are two keys called {name!r}. Give each its own name.")
    return known


def _stamp(path: Path | None) -> tuple[int, int] | None:
    """What changes with a file; None where there is none."""
    try:
        facts = path.stat() if path else None
    except OSError:
        return None  # whoever reads it says what is wrong
    return facts and (facts.st_ino, facts.st_mtime_ns)


def make(name: str, role: str) -> tuple[Key, str]:
    """A new key, and its secret. Raises KeysError for a name or role that cannot be."""
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    return _key(name, role, secret, where="The new key"), secret


def from_file(path: Path) -> list[Key]:
    """The keys in a file, one a line. Raises KeysError, also where others may read the file."""
    try:
        with path.open(encoding="utf-8") as file:
            _check_mode(path, os.fstat(file.fileno()).st_mode)
            lines = file.read().splitlines()
    except OSError as error:
        raise KeysError(f"The keys in {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise KeysError(
            f"{path} is not a file of keys: it is not UTF-8 text. {EXPECTED}."
        ) from error
    return _parse_all(lines, str(path))


def from_environment() -> list[Key]:
    """The keys in BILDERATLAS_API_KEYS, parted by semicolons or line ends."""
    return _parse_all(re.split(r"[;\n]", os.environ.get(VARIABLE, "")), VARIABLE)


def add(path: Path, key: Key) -> None:
    """Write a key into a file, which is made where there is none. Raises KeysError."""
    known = from_file(path) if path.exists() else []
    _named_apart([*known, key])  # it refuses a name that is there
    _write(path, [each.line() for each in (*known, key)])


def remove(path: Path, name: str) -> None:
    """Take the key of this name out of a file. Raises KeysError where there is none."""
    known = from_file(path)
    if name not in {key.name for key in known}:
        names = ", ".join(key.name for key in known)
        raise KeysError(f"{path} has no key called {name!r}; it has: {names}.")
    _write(path, [key.line() for key in known if key.name != name])


def _write(path: Path, lines: list[str]) -> None:
    """Replace the file by a whole one that nobody else may read."""
    try:
        write_whole(path, "".join(f"{line}\n" for line in lines).encode(), mode=0o600)
    except OSError as error:
        raise KeysError(f"The keys cannot be written to {path}: {error.strerror}.") from error


def _parse_all(lines: Iterable[str], where: str) -> list[Key]:
    said = ((n, line.partition("#")[0].strip()) for n, line in enumerate(lines, start=1))
    return [_parse(line, f"line {n} of {where}") for n, line in said if line]


def _parse(line: str, where: str) -> Key:
    """One line. What is refused is not repeated: it may be a key."""
    words = line.split()
    if len(words) != 3:
        raise KeysError(f"{where} has {len(words)} words. {EXPECTED}.")
    return _key(*words, where=where)


def _key(name: str, role: str, secret: str, *, where: str) -> Key:
    if not NAME.fullmatch(name):
        raise KeysError(
            f"{where}: a name has 1 to 64 letters, digits and . _ @ + -, and no others."
        )
    if role not in ROLES:
        raise KeysError(f"{where}: {name} has no valid role. Use viewer or editor.")
    return Key(name, role, _digest_in(secret, f"{where}: {name}"))


def _digest_in(secret: str, where: str) -> bytes:
    if secret.startswith(HASHED):
        digest = secret.removeprefix(HASHED)
        if not DIGEST.fullmatch(digest):
            raise KeysError(f"{where}: a hash has 64 hexadecimal digits after {HASHED}.")
        return bytes.fromhex(digest)
    if not SECRET.fullmatch(secret):
        raise KeysError(
            f'{where}: a key is of ASCII letters, digits and signs, but \\ " ; and comma.'
        )
    if len(secret) < LEAST_CHARACTERS:
        raise KeysError(
            f"{where}: the key has {len(secret)} characters and can be guessed. A key has at least "
            f"{LEAST_CHARACTERS}; 'bilderatlas keys FILE --add NAME' makes one."
        )
    return _digest(secret)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _check_mode(path: Path, mode: int) -> None:
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeysError(f"Others may read {path}, which holds keys. Change that: chmod 600 {path}")
