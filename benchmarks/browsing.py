"""How long a page of the gallery takes in a collection of a million images, at any depth.

    python benchmarks/browsing.py [--n 1000000]

The collection is real, on disk, with dates and a table of three columns; its vectors are random and
short, its thumbnails one byte. A window is 60 images with their facts and metadata.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import machine
import numpy as np
from queries import RandomEncoder

from bilderatlas.arrays import to_unit_length
from bilderatlas.collection import Collection
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage import Store
from bilderatlas.storage.rows import ImageRow, PlaceRow

N_WINDOW, N_DEPTHS = 60, 40
BATCH = 20_000
TOWNS = [f"town {number}" for number in range(300)]


def fill(store: Store, encoder: RandomEncoder, n: int) -> None:
    """Write n images of the years 1900 to 1999, in no order."""
    store.add_space(encoder)
    rng = np.random.default_rng(0)
    for start in range(0, n, BATCH):
        numbers = range(start, min(n, start + BATCH))
        ids = [f"{number * 0x9E3779B97F4A7C15 % 2**64:032x}" for number in numbers]
        days = rng.integers(0, 36_500, len(ids)).tolist()
        taken = [datetime(1900, 1, 1) + timedelta(day) for day in days]
        images = [
            ImageRow(image_id, 640, 480, "image/jpeg", at, 0, b"\0")
            for image_id, at in zip(ids, taken, strict=True)
        ]
        places = [
            PlaceRow(
                f"/scans/{number:07}.jpg", "/scans", image_id, 1, 0.0, number, table(number, at)
            )
            for number, image_id, at in zip(numbers, ids, taken, strict=True)
        ]
        vectors = to_unit_length(rng.normal(size=(len(ids), encoder.dim)))
        store.append(encoder.space, images, ImageEmbeddings(vectors, None), places)
    store.tidy()


def path(number: int) -> str:
    return f"/scans/{number:07}.jpg"


def table(number: int, at: datetime) -> str:
    row = {"title": f"sheet {number}", "town": TOWNS[number % 300], "year": at.year}
    return json.dumps(row)


def seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def stretch(collection: Collection, start: int, how: dict[str, str]) -> object:
    return collection.listed(**how).stretch(start, N_WINDOW)  # type: ignore[arg-type]


def window_ms(collection: Collection, how: dict[str, str]) -> tuple[float, float]:
    """Median and longest of windows from the first to the last."""
    n = len(collection.listed(**how))  # type: ignore[arg-type]
    starts = np.linspace(0, n - N_WINDOW, N_DEPTHS).astype(int).tolist()
    times = [seconds(lambda at=at: stretch(collection, at, how)) for at in starts]
    return statistics.median(times) * 1e3, max(times) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000)
    asked = parser.parse_args()
    encoder = RandomEncoder(8)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(Path(folder) / "scans.atlas")
        print(f"written in {seconds(lambda: fill(store, encoder, asked.n)):.0f} s")
        collection = Collection(store, encoder=encoder)
        print(machine.describe())
        print("| a list | first time, s | window: median, ms | longest, ms |")
        print("|---|---|---|---|")
        lists: list[dict[str, str]] = [
            *({"order": order} for order in ("name", "date", "newest", "random")),
            {"order": "date", "where": "\"town\" = 'town 7'"},
            {"order": "name", "where": '"year" >= 1950'},
        ]
        for how in lists:
            first = seconds(lambda how=how: stretch(collection, 0, how))
            median, longest = window_ms(collection, how)
            print(f"| {' '.join(how.values())} | {first:.1f} | {median:.1f} | {longest:.1f} |")
        print(f"facets, once: {seconds(collection.facets):.1f} s")
        by_date = collection.listed("date")
        print(f"months: {seconds(by_date.months) * 1e3:.0f} ms")
        images = by_date.stretch(asked.n // 2, 2)
        by_date.beside(images[0].image_id)  # ids are sorted once
        image_id = images[1].image_id
        print(f"beside an image: {seconds(lambda: by_date.beside(image_id)) * 1e3:.1f} ms")
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


if __name__ == "__main__":
    main()
