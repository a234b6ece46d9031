"""How long a map of generated embeddings takes, and how much memory.

    python benchmarks/maps.py --method tsne [--n 100000] [--dim 512] [--place 1000]

The embeddings are float16 around 200 corners, with a falling spectrum. `--place` puts so many more
rows on the finished map. Neighbors kept: of the 10 nearest rows by cosine, the share that is
among the 10 nearest on the map, for 1000 rows.
"""

from __future__ import annotations

import argparse
import resource
import time

import machine
import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import neighbors, projection
from bilderatlas.arrays import Embeddings, to_unit_length

K = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", choices=projection.METHODS, default="tsne")
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--dims", type=int, default=2)
    parser.add_argument("--place", type=int, default=0)
    asked = parser.parse_args()
    rows = generated(asked.n + asked.place, asked.dim)
    known, new = rows[: asked.n], rows[asked.n :]
    started, worked = time.perf_counter(), time.process_time()
    made = projection.project(known, method=asked.method, dims=asked.dims)
    made_s, made_cpu_s = time.perf_counter() - started, time.process_time() - worked
    started = time.perf_counter()
    projection.place(new, known, made.coordinates, method=asked.method, unit=made.unit)
    placed_s = time.perf_counter() - started
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(machine.describe())
    print(
        "| method | rows | numbers | laid out | s | processor s | placing, s | peak, GiB | kept |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    print(
        f"| {asked.method} {asked.dims}-D | {asked.n:,} | {asked.dim} | {made.n_laid_out:,} "
        f"| {made_s:.0f} | {made_cpu_s:.0f} | {placed_s:.0f} for {asked.place:,} | {peak_gib:.1f} "
        f"| {kept(known, made.coordinates):.2f} |"
    )


def generated(n: int, dim: int) -> NDArray[np.float16]:
    """(N, D) rows of length 1, a few at a time."""
    rng = np.random.default_rng(0)
    spread = (np.arange(1, dim + 1) ** -0.5).astype(np.float32)
    corners = rng.normal(size=(200, dim)).astype(np.float32) * spread
    rows = np.empty((n, dim), np.float16)
    for start in range(0, n, 10_000):
        some = rows[start : start + 10_000]
        noise = rng.normal(size=some.shape).astype(np.float32) * spread
        some[:] = to_unit_length(corners[rng.integers(0, 200, len(some))] + noise)
    return rows


def kept(rows: Embeddings, coordinates: NDArray[np.float32]) -> float:
    """The share of nearest rows that are nearest on the map, for 1000 of them."""
    from scipy.spatial import KDTree

    chosen = np.random.default_rng(0).permutation(len(rows))[:1000]
    by_cosine = neighbors.nearest(
        rows[chosen].astype(np.float32), rows.astype(np.float32), K + 1
    ).rows[:, 1:]
    on_map = KDTree(coordinates).query(coordinates[chosen], K + 1)[1][:, 1:]
    shared = [
        len(set(a) & set(b)) for a, b in zip(by_cosine.tolist(), on_map.tolist(), strict=True)
    ]
    return float(np.mean(shared) / K)


if __name__ == "__main__":
    main()
