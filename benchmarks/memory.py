"""Peak memory of `index` for 500 and for 5,000 pictures.

    python benchmarks/memory.py [--n 500 5000]

Each size in a process of its own; the peak is the kernel's (maximum resident set).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import machine
import photographs

CHILD = """
import resource, sys
import bilderatlas as ba
summary = ba.create(sys.argv[1]).index(sys.argv[2])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(summary.n_images, summary.images_per_s, peak)
"""


def peak_mib(folder: Path) -> tuple[int, float, float]:
    """Index a folder in a process of its own: images, images/s, MiB."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-c", CHILD, f"{place}/c.atlas", str(folder)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    n_images, images_per_s, peak = printed.split()
    return int(n_images), float(images_per_s), float(peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[500, 5000])
    parser.add_argument("--side", type=int, default=1600)
    parser.add_argument("--photographs", type=Path, default=Path("benchmarks/photographs"))
    asked = parser.parse_args()
    print(machine.describe())
    print("| images | images/s | peak memory, MiB |")
    print("|---|---|---|")
    for n in asked.n:
        folder = photographs.enlarge(
            asked.photographs / f"{n}-{asked.side}", n, longer_side=asked.side
        )
        n_images, images_per_s, peak = peak_mib(folder)
        print(f"| {n_images:,} | {images_per_s:.1f} | {peak:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
