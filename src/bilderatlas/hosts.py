"""Hosts of addresses: which are this machine, and how such a one is asked."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_address(name: str) -> bool:
    """Whether a host is an IP address; of version 6 with or without brackets."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches an address."""
    return host == "localhost" or (
        is_address(host) and ipaddress.ip_address(host.strip("[]")).is_loopback
    )


def proxies(url: str) -> dict[str, str]:
    """What `requests` is told of proxies: this machine is asked directly, not by another one."""
    host = urlsplit(url).hostname or ""
    return {"no_proxy": host} if is_loopback(host) else {}
