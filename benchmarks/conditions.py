"""What conditions (`--where`) and facets take: of many places, and the worst that people may send.

    python benchmarks/conditions.py [--n 100000 1000000]

Each place has five columns of metadata. Memory is that of this process, sampled every 20 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import machine
import numpy as np
import pyarrow as pa
from serving import resident_mib

from bilderatlas.errors import QueryError
from bilderatlas.storage import where as conditions
from bilderatlas.storage.where import FactsTable

Made = TypeVar("Made")
SHORT = f"'{'a' * 180}'"
MIDDLE = f"replace({SHORT}, 'a', {SHORT})"
LONG = f"replace({MIDDLE}, 'a', {SHORT})"
PART = f"substr({LONG}, 1, 3000000) || 'b'"
WORST = {
    "nested replace and instr": f"instr({LONG}, {PART}) > 0",
    "nested replace": f"length(replace({LONG}, {PART}, 'x')) > 0",
    "more nested replace": f"length(replace({LONG}, 'a', {SHORT})) > 0",
    "replace in every row": f"instr({MIDDLE}, replace(path || {SHORT}, 'a', {SHORT})) > 0",
    "trim of many characters": f"length(trim({LONG}, replace({LONG}, 'a', 'b') || 'a')) = 0",
    "a pattern of 600 parts": f"{LONG} LIKE '{'%a' * 600}b'",
    "a pattern put together": f"{LONG} LIKE substr(replace({SHORT}, 'a', '%a_'), 1, 49000) || 'b'",
    "300 sets of characters": f"{LONG} GLOB '{'*[^b]' * 300}b'",
    "zeroblob": "length(hex(zeroblob(1000000000))) > 0",
    "printf": "length(printf('%1000000000d', 1)) > 0",
    "group_concat": "(SELECT length(group_concat(path)) FROM places) > 0",
    "recursion": "1 IN (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    "SELECT x FROM n)",
    "places by places by places": "(SELECT count(*) FROM places a, places b, places c) > 0",
    "63 times places": f"(SELECT count(*) FROM {', '.join(f'places p{n}' for n in range(63))}) > 0",
    "40 natural joins": "(SELECT count(*) FROM places p "
    f"{' '.join(f'NATURAL JOIN places p{n}' for n in range(40))}) > 0",
    "different pairs": "(SELECT count(DISTINCT a.path || b.path) FROM places a, places b) > 0",
    "sorted pairs": "(SELECT max(x) FROM (SELECT a.path || b.path AS x FROM places a, places b "
    "ORDER BY 1 LIMIT 5 OFFSET 1000000000)) > 0",
    "long different values": f"(SELECT count(DISTINCT path || {MIDDLE}) FROM places) > 0",
    "endless answers": "1) UNION ALL SELECT a.number FROM places a, places b, places c WHERE (1",
    "a window a row": "(SELECT max(s) FROM (SELECT sum(width) OVER (ORDER BY path ROWS BETWEEN "
    "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) AS s FROM places)) > 0",
    "each place by all": "(SELECT count(*) FROM places p WHERE p.path > places.path) > 3",
    "deep JSON": f"json_extract(replace({SHORT}, 'a', replace({SHORT}, 'a', '[')), '$[0]')",
    "long JSON": f"json_array_length('[' || replace({LONG}, 'a', '[],') || '1]') > 0",
    "strftime": f"length(strftime(replace({LONG}, 'a', '%J%f'), 'now')) > 0",
    "100 modifiers of a date": "date('now'" + ", '+1 month'" * 100 + ") > '2'",
    "900 parentheses": "(" * 900 + "1" + ")" * 900,
}  # fmt: skip


def places(n: int) -> pa.Table:
    numbers = range(n)
    rows = [
        {"id": i, "town": f"town {i % 50}", "year": 1900 + i % 120, "price": i % 977 / 10,
         "title": f"a title of picture {i}"} for i in numbers
    ]  # fmt: skip
    return pa.table(
        {
            "image_id": [f"{i:032x}" for i in numbers],
            "path": [f"/photos/{i // 1000:04}/img_{i:07}.jpg" for i in numbers],
            "source": ["/photos"] * n,
            "width": np.arange(n) % 4000,
            "height": np.arange(n) % 3000,
            "media_type": ["image/jpeg"] * n,
            "taken_at": ["2019-05-06 07:08:09"] * n,
            "metadata": [json.dumps(row) for row in rows],
        }
    )


def row(n: int, what: str, act: Callable[[], Made]) -> Made:
    """Do something, and print how long it takes and how far memory rises."""
    before, done = resident_mib(os.getpid()), threading.Event()
    highest = [before]

    def watch() -> None:
        while not done.wait(0.02):
            highest.append(resident_mib(os.getpid()))

    watching = threading.Thread(target=watch)
    watching.start()
    began = time.perf_counter()
    made = act()
    seconds = time.perf_counter() - began
    done.set()
    watching.join()
    print(f"| {n:,} | {what} | {seconds:.2f} | {max(highest) - before:,.0f} |", flush=True)
    return made


def measure(n: int) -> FactsTable:
    made = places(n)
    kinds = row(n, "kinds of columns", lambda: conditions.kinds_of(made["metadata"]))
    table = row(n, "filling", lambda: FactsTable(made, kinds))
    for where in ("width > 1000 AND path LIKE '%7.jpg'", "year > 1950 AND town = 'town 7'", "1"):
        row(n, f"`{where}`", lambda where=where: table.matching(where))  # type: ignore[misc]
    row(n, "facets", table.facets)
    return table


def asked(table: FactsTable, where: str) -> str:
    """What comes of a condition."""
    try:
        return f"{np.count_nonzero(table.matching(where)):,} found"
    except QueryError as refusal:
        reason = str(refusal).partition("cannot be used: ")[2]
        return reason.partition(" Write it like")[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[100_000, 1_000_000])
    ns: list[int] = parser.parse_args().n
    print(machine.describe())
    print("| places | what | s | memory, MiB more |\n|---|---|---|---|")
    for n in ns:
        table = measure(n)
    print(f"\nOf {ns[-1]:,} places:\n\n| condition | s | answer |\n|---|---|---|")
    for what, where in WORST.items():
        began = time.perf_counter()
        answer = asked(table, where)
        print(f"| {what} | {time.perf_counter() - began:.1f} | {answer} |", flush=True)


if __name__ == "__main__":
    main()
