"""How much may be asked in a second."""

from __future__ import annotations

import pytest

from bilderatlas.errors import TooManyRequests
from bilderatlas.server.auth import rate_limit
from bilderatlas.server.auth.rate_limit import Allowance, of_peer


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def n_granted(granting: Allowance, name: str, n: int) -> int:
    for granted in range(n):
        try:
            granting.take(name)
        except TooManyRequests:
            return granted
    return n


def test_ten_seconds_worth_may_be_asked_at_once_and_comes_back_with_time() -> None:
    clock = Clock()
    granting = Allowance(3, clock=clock)
    assert n_granted(granting, "anna", 99) == 30
    assert n_granted(granting, "ben", 99) == 30
    clock.now = 2
    assert n_granted(granting, "anna", 99) == 6
    clock.now = 999
    assert n_granted(granting, "anna", 99) == 30


def test_a_refusal_says_how_long_to_wait_and_costs_nothing() -> None:
    clock = Clock()
    granting = Allowance(0.5, clock=clock)
    assert n_granted(granting, "anna", 9) == 5
    for _ in range(3):
        with pytest.raises(TooManyRequests) as refusal:
            granting.take("anna")
        assert refusal.value.retry_after_s == 2
    clock.now = 2
    granting.take("anna")


def test_memory_does_not_grow_with_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MOST_BUCKETS", 3)
    granting = Allowance(1)
    for n in range(10):
        granting.take(f"peer {n}")
    assert list(granting._buckets) == ["peer 7", "peer 8", "peer 9"]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_a_network_of_version_6_is_one_peer(address: str, name: str) -> None:
    assert of_peer(address) == name
