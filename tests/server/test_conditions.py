"""Conditions that take for ever, on a real server: whoever sends them, the others are answered."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from bilderatlas.collection import Collection
from tests.server.auth.keyed import EDITOR, VIEWER, access, bearer
from tests.web.visiting import served

API = "/api/v1"
LETTERS = f"'{'a' * 180}'"
LONG = f"replace(replace({LETTERS}, 'a', {LETTERS}), 'a', {LETTERS})"
ENDLESS = (
    f"instr({LONG}, substr({LONG}, 1, 3000000) || 'b') > 0",
    f"length(replace({LONG}, substr({LONG}, 1, 3000000) || 'b', 'x')) > 0",
    f"length(trim({LONG}, replace({LONG}, 'a', 'b') || 'a')) = 0",
    f"(SELECT count(*) FROM {', '.join(f'places p{n}' for n in range(40))}) > 0",
)


@pytest.mark.slow
@pytest.mark.parametrize("is_same", [True, False])
def test_whoever_sends_the_worst_conditions_keeps_nobody_waiting(
    collection: Collection, is_same: bool
) -> None:
    """Neither themselves, where they ask something else, nor somebody else with a condition."""
    asked = [*ENDLESS, *ENDLESS]
    with served(collection, access()) as address, ThreadPoolExecutor(len(asked)) as threads:
        bad = httpx.Client(base_url=address, headers=bearer(VIEWER), timeout=60)
        good = httpx.Client(base_url=address, headers=bearer(EDITOR), timeout=60)

        def ask(where: str) -> int:
            body = {"query": "red", "where": where}
            return bad.post(f"{API}/search", json=body).status_code

        paths = [f"{API}/info", f"{API}/images", "/"]
        paths += [] if is_same else [f"{API}/images?where=year>1951"]
        with bad, good:
            answers = [threads.submit(ask, where) for where in asked]
            time.sleep(1)
            other, waited = bad if is_same else good, dict.fromkeys(paths, 0.0)
            while not all(each.done() for each in answers):
                for path in paths:
                    began = time.monotonic()
                    assert other.get(path).status_code == 200
                    waited[path] = max(waited[path], time.monotonic() - began)
                time.sleep(0.2)
            assert max(waited.values()) < 5, waited
            # given up by the process of the condition, or no turn came
            assert {each.result() for each in answers} == {400, 503}
            after = bad.get(f"{API}/images?where=year>1951").json()
            assert after["n_images"] == 24
