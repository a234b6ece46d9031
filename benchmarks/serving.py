"""How the server stands a load: searches at a steady rate, thumbnails as fast as they come.

    python benchmarks/serving.py [--n 100000] [--seconds 120] [--rate 20] [--indexing] [--browser]

The collection is real, on disk; its vectors are random, its thumbnails noise of 14 KB, its encoder
takes no time. The server is a process of its own, the load another one on the same machine. With
--indexing an index job writes pictures into the collection meanwhile, as nice as a job of the
server is, and how long it took until each batch was found is told; with --browser the first page is
opened in headless Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Empty
from typing import Any

import machine
import numpy as np
import uvicorn
from PIL import Image
from queries import RandomEncoder

from bilderatlas.arrays import to_unit_length
from bilderatlas.collection import Collection
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.server import app
from bilderatlas.server import serve as server
from bilderatlas.server.auth import Access
from bilderatlas.server.jobs.worker import NICENESS
from bilderatlas.storage import Store
from bilderatlas.storage.rows import ImageRow, PlaceRow

THUMBNAIL_BYTES = 14_000
N_CONNECTIONS = 16  # of the load
PORT = 8765
ANY_RATE = 1e6  # requests a second that one address may ask: the load is one
LOOK_EVERY_S = 0.1  # for the newest picture


def fill(
    store: Store, encoder: RandomEncoder, n: int, *, thumbnail_bytes: int = THUMBNAIL_BYTES
) -> None:
    """Write n images with random vectors and noise for thumbnails."""
    store.add_space(encoder)
    rng = np.random.default_rng(0)
    for start in range(0, n, 1000):
        ids = [image_id(i) for i in range(start, min(n, start + 1000))]
        noise = rng.integers(0, 256, (len(ids), thumbnail_bytes), np.uint8)
        images = [
            ImageRow(i, 640, 480, "image/jpeg", None, 0, row.tobytes())
            for i, row in zip(ids, noise, strict=True)
        ]
        places = [PlaceRow(f"/pile/{i}.jpg", "/pile", i, 1, 0.0, 0, "{}") for i in ids]
        vectors = to_unit_length(rng.normal(size=(len(ids), encoder.dim)))
        store.append(encoder.space, images, ImageEmbeddings(vectors, None), places)
    store.tidy()


def image_id(number: int) -> str:
    return f"{number * 0x9E3779B97F4A7C15 % (1 << 128):032x}"


def serve(path: Path, dim: int) -> None:
    """The server's process."""
    collection = Collection(Store.open(path), encoder=RandomEncoder(dim))
    collection.warm_up()
    access = Access(requests_per_s=ANY_RATE)
    uvicorn.Server(server.configured(app.create(collection, access), port=PORT)).run()


class TellingStore(Store):
    """Tells which picture it wrote last, and when it was written."""

    told: Queue[tuple[str, float]]

    def append(self, space: str, images: Any, *rows: Any) -> None:
        super().append(space, images, *rows)
        if images:
            self.told.put((images[-1].image_id, time.time()))


def index(path: Path, dim: int, pile: Path, stop: Event, told: Queue[tuple[str, float]]) -> None:
    """An index job: new pictures, a batch after the other, until it is told to stop."""
    os.nice(NICENESS)
    store = TellingStore.open(path)
    assert isinstance(store, TellingStore), "a class makes its own"
    store.told = told
    collection = Collection(store, encoder=RandomEncoder(dim))
    rng = np.random.default_rng(5)
    while not stop.is_set():
        for _ in range(100):
            pixels = rng.integers(0, 256, (48, 64, 3), np.uint8)
            Image.fromarray(pixels).save(pile / f"{rng.integers(1 << 60):x}.png")
        collection.index(pile)
        stop.wait(5)


@dataclass
class Load:
    """What came of the requests."""

    times_ms: list[float] = field(default_factory=list)
    n_errors: int = 0
    seconds: float = 0.0

    def row(self, what: str) -> str:
        p50, p95, p99 = np.percentile(self.times_ms, [50, 95, 99])
        rate = len(self.times_ms) / self.seconds
        return (
            f"| {what} | {len(self.times_ms):,} | {rate:,.0f} | {p50:.1f} | {p95:.1f} | "
            f"{p99:.1f} | {max(self.times_ms):.0f} | {self.n_errors} |"
        )


class Connection:
    """HTTP/1.1 over one socket that stays open; the least that a load needs."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, path: str, body: bytes = b"") -> int:
        """Send a request and read the whole answer; its status."""
        method = "POST" if body else "GET"
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self._writer.write(head.encode() + b"\r\n" + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await self._reader.readexactly(length)
        return int(answer.split()[1])


@contextmanager
def process(target: object, *given: object) -> Iterator[multiprocessing.Process]:
    made = multiprocessing.get_context("spawn").Process(target=target, args=given)  # type: ignore[arg-type]
    made.start()
    try:
        yield made
    finally:
        made.kill()
        made.join()


async def connections(n: int) -> asyncio.Queue[Connection]:
    """Open sockets, to be taken and given back."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(n):
        free.put_nowait(Connection(*await asyncio.open_connection("127.0.0.1", PORT)))
    return free


async def answered(free: asyncio.Queue[Connection], load: Load, path: str, body: bytes) -> None:
    started = time.perf_counter()  # waiting for a free socket counts
    connection = await free.get()
    status = await connection.ask(path, body)
    free.put_nowait(connection)
    load.times_ms.append((time.perf_counter() - started) * 1e3)
    load.n_errors += status != 200


async def searches(seconds: float, rate: float) -> Load:
    """Searches at a steady rate, whether or not the last one is answered."""
    free, load, asked = await connections(N_CONNECTIONS), Load(), []
    started = time.perf_counter()
    for number in range(int(seconds * rate)):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        body = json.dumps({"query": f"words {number}", "k": 12}).encode()
        asked.append(asyncio.create_task(answered(free, load, "/api/v1/search", body)))
    await asyncio.gather(*asked)
    load.seconds = time.perf_counter() - started
    return load


async def thumbnails(n: int, n_images: int) -> Load:
    """Different thumbnails, as fast as they come, as a browser would ask: some at a time."""
    free, load = await connections(N_CONNECTIONS), Load()
    chosen = iter(np.random.default_rng(3).integers(0, n_images, n).tolist())
    started = time.perf_counter()

    async def take_turns() -> None:
        for number in chosen:
            await answered(free, load, f"/api/v1/images/{image_id(number)}/thumbnail", b"")

    await asyncio.gather(*(take_turns() for _ in range(N_CONNECTIONS)))
    load.seconds = time.perf_counter() - started
    return load


async def found_after(told: Queue[tuple[str, float]], waits_s: list[float]) -> None:
    """How long after each batch was written its last picture is found, for ever."""
    while True:
        try:
            image_id, written_at = told.get_nowait()
        except Empty:
            await asyncio.sleep(LOOK_EVERY_S)
            continue
        connection = await (await connections(1)).get()  # one that nobody asks is closed soon
        while await connection.ask(f"/api/v1/images/{image_id}") != 200:
            await asyncio.sleep(LOOK_EVERY_S)
        waits_s.append(time.time() - written_at)


async def searches_while_found(
    seconds: float, rate: float, told: Queue[tuple[str, float]]
) -> tuple[Load, list[float]]:
    """Searches, and meanwhile how long each batch of new pictures took to be found."""
    waits_s: list[float] = []
    looking = asyncio.create_task(found_after(told, waits_s))
    load = await searches(seconds, rate)
    looking.cancel()
    return load, waits_s


async def listed(n: int) -> Load:
    """A grid of pictures by name, page after page."""
    free, load = await connections(1), Load()
    started = time.perf_counter()
    for seed in range(n):
        await answered(free, load, f"/api/v1/images?order=random&seed={seed % 4}&n=60", b"")
    load.seconds = time.perf_counter() - started
    return load


def resident_mib(process_id: int) -> float:
    """The memory that a process holds."""
    told = Path(f"/proc/{process_id}/status").read_text()
    return int(told.partition("VmRSS:")[2].split()[0]) / 1024


async def until_up() -> None:
    for _ in range(600):
        try:
            await connections(1)
            return
        except OSError:
            await asyncio.sleep(0.2)
    raise TimeoutError("the server does not start")


def first_page_ms() -> float:
    """From the address entered to a heading in headless Chromium; the best of three."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-quic"]
        )
        times = []
        for _ in range(3):
            page = browser.new_context().new_page()
            started = time.perf_counter()
            page.goto(f"http://127.0.0.1:{PORT}/")
            page.wait_for_selector("main h1")
            times.append((time.perf_counter() - started) * 1e3)
        browser.close()
    return min(times)


def while_indexing(asked: argparse.Namespace, path: Path, pile: Path, what: str) -> None:
    """The same load while an index job writes."""
    spawning = multiprocessing.get_context("spawn")
    stop, told = spawning.Event(), spawning.Queue()
    with process(index, path, asked.dim, pile, stop, told):
        load, waits_s = asyncio.run(searches_while_found(asked.seconds, asked.rate, told))
        print(load.row(f"{what}, while indexing"))
        print(asyncio.run(thumbnails(2000, asked.n)).row("thumbnails, while indexing"))
        stop.set()
    told_of = f"median {np.median(waits_s):.2f} s, longest {max(waits_s):.2f} s" if waits_s else ""
    print(f"{len(waits_s)} batches were found after {told_of}. Load: {os.getloadavg()[0]:.1f}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--rate", type=float, default=20, help="searches a second")
    parser.add_argument("--thumbnails", type=int, default=5000)
    parser.add_argument("--indexing", action="store_true", help="an index job writes meanwhile")
    parser.add_argument("--browser", action="store_true", help="open the first page in Chromium")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, pile = Path(folder) / "load.atlas", Path(folder) / "pile"
        pile.mkdir()
        fill(Store.create(path), RandomEncoder(asked.dim), asked.n)
        with process(serve, path, asked.dim) as server:
            run(asked, path, pile, server.pid or 0)


def run(asked: argparse.Namespace, path: Path, pile: Path, server: int) -> None:
    asyncio.run(until_up())
    asyncio.run(searches(5, asked.rate))
    asyncio.run(thumbnails(500, asked.n))
    before = resident_mib(server)
    print(machine.describe())
    print("| load | answers | a second | p50, ms | p95, ms | p99, ms | longest, ms | errors |")
    print("|---|---|---|---|---|---|---|---|")
    what = f"searches, {asked.n:,} regions"
    print(asyncio.run(searches(asked.seconds, asked.rate)).row(what))
    print(asyncio.run(thumbnails(asked.thumbnails, asked.n)).row("thumbnails"))
    print(asyncio.run(listed(200)).row("stretches of 60 images"))
    after = resident_mib(server)
    if asked.indexing:
        while_indexing(asked, path, pile, what)
        print(f"Memory of the server after indexing: {resident_mib(server):,.0f} MiB.")
    print(f"Memory of the server: {before:,.0f} MiB before, {after:,.0f} MiB after.")
    if asked.browser:
        print(f"First page readable after {first_page_ms():,.0f} ms.")


if __name__ == "__main__":
    main()
