"""What one server allows: to whom, under which names, how much."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bilderatlas.errors import KeysError
from bilderatlas.hosts import is_address, is_loopback
from bilderatlas.server import fetch
from bilderatlas.server.auth.api_keys import Keys, from_environment, from_file

# Names by which a browser on this machine asks. Any other name is a page elsewhere that made its
# own name point here (DNS rebinding).
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
REQUESTS_PER_S = 100.0  # of one key or address, for longer


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask a server, and for what.

    Without `keys`, everybody who reaches it may do everything. `hosts` are the names by which it
    may be asked; with `any_address`, by every IP address too, which no foreign page can put there.
    `is_reachable` says whether other machines may reach it; `fetch` reads a URL, if it may.
    """

    keys: Keys | None = None
    is_read_only: bool = False
    hosts: tuple[str, ...] = LOOPBACK_HOSTS
    any_address: bool = False
    fetch: Callable[[str], bytes] | None = None
    requests_per_s: float = REQUESTS_PER_S
    is_reachable: bool = False

    def answers_to(self, host: str) -> bool:
        """Whether a Host header, with or without a port, names this server."""
        name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
        return name.lower() in self.hosts or (self.any_address and is_address(name))


def decide(
    host: str,
    *,
    keys: Path | None = None,
    no_auth: bool = False,
    is_read_only: bool = False,
    names: Sequence[str] = (),
    proxy: str | None = None,
    requests_per_s: float = REQUESTS_PER_S,
    fetches: bool = False,
) -> Access:
    """What a server on `host` allows. Keys are those of a file or of the environment.

    Whatever other machines may reach asks for keys, unless `no_auth` says otherwise. Raises
    KeysError.
    """
    is_reachable = not (is_loopback(host) and proxy is None and all(map(is_loopback, names)))
    known = _known_keys(keys)
    if known and no_auth:
        raise KeysError("There are API keys, and --no-auth asks for none. Leave one of them out.")
    if is_reachable and not known and not no_auth:
        raise KeysError(
            f"{host} can be reached from other machines, so it asks for API keys, and there is "
            "none. Make one: bilderatlas keys keys.txt --add NAME --role editor; then serve with "
            "--keys keys.txt. Or let everybody do everything: --no-auth"
        )
    if requests_per_s <= 0:
        raise KeysError(f"--rate is {requests_per_s:g} requests a second. Expected: more than 0.")
    own = (host, socket.gethostname()) if not is_loopback(host) else ()
    return Access(
        keys=known,
        is_read_only=is_read_only,
        hosts=(*LOOPBACK_HOSTS, *(name.lower() for name in (*own, *names))),
        any_address=not is_loopback(host),
        fetch=fetch.fetch if fetches else None,
        requests_per_s=requests_per_s,
        is_reachable=is_reachable,
    )


def _known_keys(file: Path | None) -> Keys | None:
    """The keys of a file, else of the environment, else none."""
    if file:
        return Keys(from_file(file), path=file)
    return Keys(found) if (found := from_environment()) else None
