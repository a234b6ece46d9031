"""What searches of a well-behaved person take while somebody else misbehaves.

    python benchmarks/abuse.py [--n 20000] [--seconds 10]

The collection, the server and the searches are those of serving.py, with keys: one for whoever
searches 10 times a second, one for whoever misbehaves.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import machine
import uvicorn
from queries import RandomEncoder
from serving import PORT, Load, fill, image_id, process, resident_mib, until_up

from bilderatlas.collection import Collection
from bilderatlas.server import app
from bilderatlas.server import serve as server
from bilderatlas.server.auth import Access
from bilderatlas.server.auth.api_keys import Key, Keys
from bilderatlas.storage import Store

GOOD, BAD = "ba_of-whoever-behaves-well", "ba_of-whoever-misbehaves"
RATE = 10.0
Mischief = Callable[[Counter[str]], Awaitable[None]]


def serve(path: Path, dim: int) -> None:
    """The server's process."""
    collection = Collection(Store.open(path), encoder=RandomEncoder(dim))
    collection.warm_up()
    known = [Key(key, "viewer", hashlib.sha256(key.encode()).digest()) for key in (GOOD, BAD)]
    made = app.create(collection, Access(keys=Keys(known)))
    uvicorn.Server(server.configured(made, port=PORT)).run()


async def ask(key: str, path: str, body: bytes | None = None) -> int:
    """One question on a connection of its own; its status, 0 where it was cut off."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        method = "GET" if body is None else "POST"
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nX-API-Key: {key}\r\n"
        head += "Connection: close\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body or b'')}\r\n\r\n".encode() + (body or b""))
        answer = await reader.read()
        writer.close()
        return int(answer.split()[1]) if answer else 0
    except OSError:
        return 0


async def searches(seconds: float) -> Load:
    """Searches at a steady rate, of whoever behaves well."""
    load, started = Load(), time.perf_counter()

    async def one(number: int) -> None:
        began = time.perf_counter()
        body = json.dumps({"query": f"words {number}"}).encode()
        load.n_errors += await ask(GOOD, "/api/v1/search", body) != 200
        load.times_ms.append((time.perf_counter() - began) * 1e3)

    asked = []
    for number in range(int(seconds * RATE)):
        await asyncio.sleep(max(0.0, started + number / RATE - time.perf_counter()))
        asked.append(asyncio.create_task(one(number)))
    await asyncio.gather(*asked)
    load.seconds = time.perf_counter() - started
    return load


async def nothing(seen: Counter[str]) -> None:
    """Peace."""


def half(n: int, begun: bytes, drip: bytes) -> Mischief:
    """Connections on which a request begins, and goes on a byte a second."""

    async def one(seen: Counter[str]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(begun)
        while not reader.at_eof() and not writer.is_closing():
            try:
                said = await asyncio.wait_for(reader.read(1000), 1)
                if said and not said.startswith(b"HTTP/1.1"):
                    continue  # the rest of an answer
                seen[said.split()[1].decode() if said else "closed"] += 1
            except TimeoutError:
                writer.write(drip)
            except OSError:
                seen["closed"] += 1
                break

    async def all_of(seen: Counter[str]) -> None:
        await asyncio.gather(*(one(seen) for _ in range(n)))

    return all_of


def flood(path: str, body: bytes | None = None, key: str = BAD, n: int = 60) -> Mischief:
    """The same question, n at a time, again and again."""

    async def one(seen: Counter[str]) -> None:
        while True:
            seen[str(await ask(key, path, body))] += 1

    async def all_of(seen: Counter[str]) -> None:
        await asyncio.gather(*(one(seen) for _ in range(n)))

    return all_of


HEAD = f"POST /api/v1/search HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n".encode()
BODY = HEAD + f"X-API-Key: {BAD}\r\nContent-Length: 9999\r\n\r\n".encode()
LETTERS = f"'{'a' * 180}'"
LONG = f"replace(replace({LETTERS}, 'a', {LETTERS}), 'a', {LETTERS})"
ENDLESS = {"query": "dog", "where": f"instr({LONG}, substr({LONG}, 1, 3000000) || 'b') > 0"}
MISCHIEF = {
    "peace": nothing,
    "500 heads that drip": half(500, HEAD, b"x"),
    "300 bodies that drip": half(300, BODY, b"x"),
    "searches, 60 at a time": flood("/api/v1/search", b'{"query": "dog"}'),
    "thumbnails, 60 at a time": flood(f"/api/v1/images/{image_id(0)}/thumbnail"),
    "facts, 60 at a time": flood("/api/v1/info"),
    "advice, 60 at a time": flood("/api/v1/advice"),
    "endless conditions, 60 at a time": flood("/api/v1/search", json.dumps(ENDLESS).encode()),
    "wrong keys, 60 at a time": flood("/api/v1/info", key="a-guess"),
}


async def meanwhile(mischief: Mischief, seconds: float) -> tuple[Load, Counter[str]]:
    """Search while somebody misbehaves."""
    seen: Counter[str] = Counter()
    other = asyncio.create_task(mischief(seen))  # type: ignore[arg-type]
    load = await searches(seconds)
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
    return load, seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "load.atlas"
        fill(Store.create(path), RandomEncoder(asked.dim), asked.n)
        with process(serve, path, asked.dim) as server:
            asyncio.run(until_up())
            asyncio.run(searches(3))
            print(machine.describe())
            print(
                "| meanwhile | searches | a second | p50, ms | p99, ms | longest | errors | told |"
            )
            print("|---|---|---|---|---|---|---|---|")
            for what, mischief in MISCHIEF.items():
                load, seen = asyncio.run(meanwhile(mischief, asked.seconds))
                print(load.row(what), ", ".join(f"{n:,} x {told}" for told, n in seen.items()), "|")
            print(f"Memory of the server: {resident_mib(server.pid or 0):,.0f} MiB")


if __name__ == "__main__":
    main()
