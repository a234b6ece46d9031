"""What is kept, for how long, and what several threads make of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bilderatlas.collection.cache import Cache

SOON_S = 20


def test_a_thing_is_made_once_for_each_source() -> None:
    cache: Cache[str, object] = Cache(2)
    first = cache.get("a", (1, "x"), object)
    assert cache.get("a", (1, "x"), object) is first
    second = cache.get("a", (2, "x"), object)
    assert second is not first
    assert cache.get("a", (1, "x"), object) is not first  # a thing of the past is not kept


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    cache: Cache[str, str] = Cache(2)
    for name in ("a", "b", "a", "c"):
        cache.get(name, 1, lambda name=name: name)  # type: ignore[misc]
    assert list(cache) == ["a", "c"]


def test_what_cannot_be_made_is_tried_again_and_pushes_nothing_out() -> None:
    cache: Cache[str, int] = Cache(1)
    cache.get("a", 1, lambda: 7)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.get("b", 1, lambda: 1 // 0)
    assert list(cache) == ["a"]
    assert cache.get("b", 1, lambda: 8) == 8


def test_of_many_threads_one_makes_a_thing_and_none_waits_for_another_thing() -> None:
    cache: Cache[str, int] = Cache(4)
    may_end, n_made = threading.Event(), []

    def make() -> int:
        n_made.append(1)
        assert may_end.wait(SOON_S)
        return 7

    with ThreadPoolExecutor(4) as threads:
        slow = [threads.submit(cache.get, "slow", 1, make) for _ in range(3)]
        try:
            assert threads.submit(cache.get, "quick", 1, lambda: 8).result(SOON_S) == 8
        finally:
            may_end.set()
        assert [each.result(SOON_S) for each in slow] == [7] * 3
    assert len(n_made) == 1


def test_what_a_newer_source_replaced_while_it_was_made_is_not_kept() -> None:
    cache: Cache[str, str] = Cache(4)

    def overtaken() -> str:
        assert cache.get("a", 2, lambda: "new") == "new"
        return "old"

    assert cache.get("a", 1, overtaken) == "old"
    assert cache.get("a", 2, lambda: "newer") == "new"
