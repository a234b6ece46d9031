"""A picture by a URL that somebody gave the server, from public addresses only.

A server stands where those who ask it do not: beside databases, routers and a cloud's metadata. So
every address that a name has is checked, the connection is made to the one that was checked (a name
may mean another address a moment later), and each redirect is a new URL.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from bilderatlas.errors import ImageProblem, NotAllowed

MAX_BYTES = 30_000_000
MAX_REDIRECTS = 3
CONNECT_S, WHOLE_S = 5.0, 20.0
CHUNK_BYTES = 1 << 16
PORTS = {"http": 80, "https": 443}
REDIRECTS = (301, 302, 303, 307, 308)
HEADERS = {
    "User-Agent": "bilderatlas",
    "Accept": "image/*",
    "Accept-Encoding": "identity",  # what is compressed may unpack to anything
    "Connection": "close",
}
# What `ipaddress` calls global, in some of its versions, and is not, or leads to other addresses.
NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # what Azure's machines ask for their metadata
            "192.0.0.0/24",  # of protocols; Oracle's machines ask there
            "192.88.99.0/24",  # 6to4 relays
            *("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"),  # version 4 within version 6
            *("2001::/23", "3fff::/20", "5f00::/16"),  # tunnels, documentation, segment routing
        ),
    )
)

Resolve = Callable[[str, int], Sequence[str]]
Connect = Callable[[tuple[str, int], float], socket.socket]


def addresses_of(name: str, port: int) -> Sequence[str]:
    """Every address that a name has. Raises OSError."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one picture may take: bytes, and seconds for each redirect."""

    n_bytes: int = MAX_BYTES
    connect_s: float = CONNECT_S
    whole_s: float = WHOLE_S


def fetch(
    url: str,
    *,
    resolve: Resolve = addresses_of,
    connect: Connect = socket.create_connection,
    limits: FetchLimits | None = None,
) -> bytes:
    """Read a picture's bytes; what they are is for decoding to say.

    `resolve` gives the addresses of a name and a port, `connect` a socket for one of them. Raises
    NotAllowed for a URL that is not fetched, and ImageProblem for one that gives nothing.
    """
    bounds = limits or FetchLimits()
    for _ in range(MAX_REDIRECTS + 1):
        target = _checked(url)
        address = _public_address(target, resolve)
        content, further = _get(target, address, connect, bounds)
        if further is None:
            return content
        url = urljoin(url, further)
    raise ImageProblem(f"was redirected more than {MAX_REDIRECTS} times")


def is_public(address: str) -> bool:
    """Whether an address is one of the Internet, and leads nowhere else."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        return False
    if any(ip in network for network in NOT_PUBLIC if network.version == ip.version):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_link_local)


def _checked(url: str) -> SplitResult:
    try:
        target = urlsplit(url)
        port = target.port
    except ValueError as error:
        raise NotAllowed(f"{url!r} is not a URL: {error}.") from None
    if target.scheme not in PORTS or not target.hostname:
        raise NotAllowed(f"{url!r} is not fetched. Give a whole URL of http or https.")
    if port not in (None, *PORTS.values()) or target.username is not None:
        raise NotAllowed(f"{url!r} is not fetched: it names a port or a user. Give one without.")
    return target


def _public_address(target: SplitResult, resolve: Resolve) -> str:
    """One of a name's addresses, if all of them are public."""
    name, port = str(target.hostname), _port(target)
    try:
        addresses = resolve(name, port)
    except (OSError, UnicodeError):
        raise ImageProblem(f"there is no machine called {name!r}") from None
    if not addresses or not all(map(is_public, addresses)):
        raise NotAllowed(f"{name!r} is not fetched from: it is not a public address.")
    return addresses[0]


def _port(target: SplitResult) -> int:
    return target.port or PORTS[target.scheme]


class _Connection(http.client.HTTPConnection):
    """HTTP by a socket that is connected already; the name is only what is asked for."""

    def __init__(self, target: SplitResult, connected: socket.socket) -> None:
        super().__init__(str(target.hostname), _port(target))
        self.default_port = PORTS[target.scheme]  # which the Host header leaves out
        self.sock = connected


def _get(
    target: SplitResult, address: str, connect: Connect, limits: FetchLimits
) -> tuple[bytes, str | None]:
    """What a URL gives, or where it sends on to."""
    deadline = time.monotonic() + limits.whole_s
    try:
        with (
            connect((address, _port(target)), limits.connect_s) as plain,
            _shut_after(limits.whole_s, plain),
            _secured(plain, target) as connected,
        ):
            answer = _answer(target, connected, limits)
    except (OSError, http.client.HTTPException) as error:
        answer, fault = None, error
    if time.monotonic() >= deadline:
        raise ImageProblem(f"it did not come within {limits.whole_s:g} s")
    if answer is None:
        raise ImageProblem(f"cannot be fetched: {fault or type(fault).__name__}") from fault
    return answer


def _answer(
    target: SplitResult, connected: socket.socket, limits: FetchLimits
) -> tuple[bytes, str | None]:
    asked = _Connection(target, connected)
    asked.request("GET", _path(target), headers=HEADERS)
    reply = asked.getresponse()
    further = reply.getheader("Location")
    if reply.status in REDIRECTS and further:
        return b"", further
    return _content(reply, limits), None


@contextmanager
def _shut_after(seconds: float, connected: socket.socket) -> Iterator[None]:
    """Shut a connection when the time is up, whatever is being read from it."""
    handle = connected.dup()  # it stays this connection when TLS takes the socket over
    alarm = threading.Timer(seconds, _shut, (handle,))
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
        handle.close()


def _shut(connected: socket.socket) -> None:
    with suppress(OSError):  # it is shut already
        connected.shutdown(socket.SHUT_RDWR)


@contextmanager
def _secured(plain: socket.socket, target: SplitResult) -> Iterator[socket.socket]:
    """The socket itself, or TLS over it: certified for the name, not the address."""
    if target.scheme == "http":
        yield plain
        return
    context = ssl.create_default_context()
    with context.wrap_socket(plain, server_hostname=target.hostname) as connected:
        yield connected


def _path(target: SplitResult) -> str:
    path = quote(target.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return f"{path}?{quote(target.query, safe='/%:@!$&()*+,;=~-._?')}" if target.query else path


def _content(reply: http.client.HTTPResponse, limits: FetchLimits) -> bytes:
    if reply.status != 200:
        raise ImageProblem(f"the server answered {reply.status} {reply.reason}")
    if reply.getheader("Content-Encoding", "identity") != "identity":
        raise ImageProblem("the server sent it compressed, though it was not asked to")
    content = bytearray()
    while chunk := reply.read1(CHUNK_BYTES):
        content += chunk
        if len(content) > limits.n_bytes:
            raise ImageProblem(f"it has more than {limits.n_bytes:,} bytes")
    length = reply.getheader("Content-Length", "")
    if length.isdecimal() and len(content) < int(length):
        raise ImageProblem(f"it broke off after {len(content):,} of {int(length):,} bytes")
    return bytes(content)
