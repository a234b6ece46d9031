"""What readers notice of an index job: questions one after the other, before it and meanwhile.

    python benchmarks/jobs.py FOLDER [--n 200]

FOLDER holds photographs. A server, a process of its own, has a collection of half of n of them; the
others are sent to it as an upload and read by a job, with the built-in encoder.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import machine
import numpy as np
import uvicorn

import bilderatlas
from bilderatlas._open import open_folder
from bilderatlas.server import app
from bilderatlas.server import serve as server

PORT = 8766
API = f"http://127.0.0.1:{PORT}/api/v1"
QUIET_S = 15.0  # how long questions are asked before the job
Times = dict[str, list[float]]


def serve(path: Path) -> None:
    """The server's process."""
    collection = open_folder(path)
    collection.warm_up()
    uvicorn.Server(server.configured(app.create(collection), port=PORT)).run()


def ask(client: httpx.Client, images: list[str], goes_on: Callable[[], bool]) -> tuple[Times, int]:
    """Milliseconds of each kind of question, and how many had another answer than 200."""
    times: Times = {"search": [], "thumbnail": [], "list": [], "info": []}
    n_errors = n = 0
    while goes_on():
        words = {"query": f"a picture of number {n}", "k": 12}
        questions = {
            "search": client.build_request("POST", f"{API}/search", json=words),
            "thumbnail": client.build_request(
                "GET", f"{API}/images/{images[n % len(images)]}/thumbnail"
            ),
            "list": client.build_request("GET", f"{API}/images?order=date&n=50"),
            "info": client.build_request("GET", f"{API}/info"),
        }
        for kind, question in questions.items():
            began = time.perf_counter()
            n_errors += client.send(question).status_code != 200
            times[kind].append(1000 * (time.perf_counter() - began))
        n += 1
    return times, n_errors


def send(client: httpx.Client, pictures: list[Path]) -> str:
    """Upload pictures; the id of the job that reads them."""
    upload = client.post(f"{API}/uploads").raise_for_status().json()["upload"]
    for picture in pictures:
        address, headers = f"{API}/uploads/{upload}/files", {"Content-Type": "image/jpeg"}
        sent = client.put(
            address, params={"name": picture.name}, content=picture.read_bytes(), headers=headers
        )
        sent.raise_for_status()
    begun = client.post(f"{API}/uploads/{upload}/finish").raise_for_status()
    return str(begun.json()["job"])


def measure(pictures: list[Path]) -> None:
    """Print the table: before the job, and while it ran."""
    with httpx.Client(timeout=60, transport=httpx.HTTPTransport(retries=8)) as client:
        client.get(f"{API}/ready").raise_for_status()
        listed = client.get(f"{API}/images", params={"n": 50}).json()["images"]
        images = [image["image_id"] for image in listed]
        until = time.monotonic() + QUIET_S
        before = ask(client, images, lambda: time.monotonic() < until)
        job = send(client, pictures)

        def look() -> dict[str, Any]:
            said: dict[str, Any] = client.get(f"{API}/jobs/{job}").json()
            return said

        during = ask(client, images, lambda: look()["state"] in ("waiting", "running"))
        ended = look()
    print("| questions | when | n | p50 ms | p99 ms | slowest ms |\n|---|---|---|---|---|---|")
    for when, (times, _) in {"before": before, "meanwhile": during}.items():
        for kind, values in times.items():
            p50, p99 = np.percentile(values, [50, 99])
            print(
                f"| {kind} | {when} | {len(values)} | {p50:.0f} | {p99:.0f} | {max(values):.0f} |"
            )
    print(f"\nErrors: {before[1]} before, {during[1]} meanwhile. The job: {ended['state']},")
    print(f"{ended['result']['n_new']} new, {ended['result']['images_per_s']} images/s.")


def main() -> None:
    """Make the collection, serve it, ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n", type=int, default=200)
    asked = parser.parse_args()
    pictures = sorted(p for p in asked.folder.iterdir() if p.suffix.lower() == ".jpg")[: asked.n]
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first"
        first.mkdir()
        for picture in pictures[::2]:
            shutil.copy(picture, first)
        atlas = bilderatlas.create(Path(folder) / "read")
        atlas.index(first)
        made = multiprocessing.get_context("spawn").Process(target=serve, args=(atlas.path,))
        made.start()
        try:
            measure(pictures[1::2])
        finally:
            made.terminate()
            made.join()
    print(machine.describe())


if __name__ == "__main__":
    main()
