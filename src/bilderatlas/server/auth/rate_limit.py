"""How much may be asked in a second: a bucket of tokens for each key or address."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from bilderatlas.errors import TooManyRequests

BURST_S = 10.0  # seconds' worth that may be asked at once
MOST_BUCKETS = 4096  # the longest unused are forgotten: they are full again, or nearly


class Allowance:
    """Grants `per_s` requests a second to each name, and as much as 10 s grant at once."""

    def __init__(self, per_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._most = per_s * BURST_S
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, when

    def take(self, name: str, cost: float = 1.0) -> None:
        """Let `name` have `cost` requests. Raises TooManyRequests, which costs nothing."""
        now = self._clock()
        left, then = self._buckets.pop(name, (self._most, now))
        left = min(self._most, left + (now - then) * self._per_s)
        granted = left >= cost
        self._buckets[name] = (left - cost if granted else left, now)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        if not granted:
            wait_s = math.ceil((cost - left) / self._per_s)
            raise TooManyRequests(
                f"More than {self._per_s:g} requests a second came for a while. "
                f"Ask again in {wait_s} s; 'bilderatlas serve --rate' sets the limit.",
                wait_s,
            )


def of_peer(address: str) -> str:
    """The name under which an address has its allowance: of version 6 its network, a /64."""
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:  # a socket file, or a test client's name
        return address
    if isinstance(peer, ipaddress.IPv4Address):
        return address
    return str(peer.ipv4_mapped or ipaddress.ip_network((peer, 64), strict=False))
