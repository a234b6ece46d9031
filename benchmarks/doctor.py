"""What it takes to examine a collection, and what checksums cost elsewhere.

python benchmarks/doctor.py --images 10000
"""

from __future__ import annotations

import argparse
import io
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from queries import RandomEncoder

from bilderatlas.arrays import Embeddings, to_unit_length
from bilderatlas.collection import doctor
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage import Store, checksums, decisions
from bilderatlas.storage.rows import ImageRow, PlaceRow

DIM = 1664  # as many numbers as the built-in encoder's two halves have
BATCH = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    n = parser.parse_args().images
    print(f"{platform.machine()}, {n:,} images, {DIM} numbers each")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.atlas"
        store, seconds = filled(path, n)
        print(f"write              {seconds:8.2f} s")
        examined, seconds = timed(lambda: doctor.examine_collection(path))
        print(f"doctor             {seconds:8.2f} s  {examined.n_bytes / 1e6:,.0f} MB")
        assert examined.is_sound, examined.damages
        (path / checksums.FILE).unlink()
        print(f"all checksums      {timed(store.reseal)[1]:8.2f} s")
        print(f"no new checksum    {timed(store.reseal)[1]:8.4f} s")
        fresh, table = Store.open(path), f"embeddings/{store.active_space.space}"
        for turn in ("first", "next "):
            print(f"open, {turn} time   {timed(lambda: fresh.version(table))[1]:8.4f} s")
        many = 20
        _, seconds = timed(lambda: [decisions.append(store, "merge") for _ in range(many)])
        print(f"a decision         {seconds / many:8.4f} s")


def filled(path: Path, n: int) -> tuple[Store, float]:
    started = time.perf_counter()
    store = Store.create(path)
    rng = np.random.default_rng(0)
    with store.writing():
        space = store.add_space(RandomEncoder(DIM))
        for start in range(0, n, BATCH):
            ids = [f"{number:032x}" for number in range(start, min(start + BATCH, n))]
            images = [ImageRow(i, 320, 240, "image/jpeg", None, 0, picture(rng)) for i in ids]
            places = [PlaceRow(f"/p/{i}.jpg", "/p", i, 1, 1.0, 0, "{}") for i in ids]
            made = ImageEmbeddings(unit(rng, len(ids)), None)
            store.append(space.space, images, made, places)
        store.tidy()
    return store, time.perf_counter() - started


def picture(rng: np.random.Generator) -> bytes:
    """A thumbnail of some 17 kB, as of a photograph."""
    coarse = Image.fromarray(rng.integers(0, 255, (30, 40, 3), dtype=np.uint8))
    with io.BytesIO() as file:
        coarse.resize((320, 240), Image.Resampling.BICUBIC).save(file, "JPEG", quality=80)
        return file.getvalue()


def unit(rng: np.random.Generator, n: int) -> Embeddings:
    return to_unit_length(rng.normal(size=(n, DIM)).astype(np.float32))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    made = work()
    return made, time.perf_counter() - started


if __name__ == "__main__":
    main()
