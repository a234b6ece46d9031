"""The most memory that small archives make `index` take: large members, endless headers.

    python benchmarks/archives.py [--scale 1.0]

Each archive is of a few megabytes; its members, or one header of it, unpack to gigabytes.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import machine

MEMBERS, MEMBER_BYTES, HEADER_BYTES = 6, 700 << 20, 2 << 30
CHUNK = bytes(1 << 20)


class Zeros:
    """As many zero bytes as are asked for."""

    def read(self, n_bytes: int) -> bytes:
        return bytes(n_bytes)


def tar_of_members(path: Path, scale: float) -> None:
    """Six members that are named like pictures."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for n in range(MEMBERS):
            member = tarfile.TarInfo(f"{n}.png")
            member.size = int(MEMBER_BYTES * scale)
            tar.addfile(member, Zeros())


def zip_of_members(path: Path, scale: float) -> None:
    """The same as a ZIP."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for n in range(MEMBERS):
            with file.open(f"{n}.png", "w") as member:
                for _ in range(int(MEMBER_BYTES * scale) >> 20):
                    member.write(CHUNK)


def tar_of_header(path: Path, scale: float) -> None:
    """A pax header that does not end."""
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, int(HEADER_BYTES * scale)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(header.size >> 20):
            file.write(CHUNK)


ARCHIVES: dict[str, tuple[str, Callable[[Path, float], None]]] = {
    "tar.gz, 6 members of 700 MiB": ("members.tar.gz", tar_of_members),
    "zip, 6 members of 700 MiB": ("members.zip", zip_of_members),
    "tar.gz, a header of 2 GiB": ("header.tar.gz", tar_of_header),
}


def peak_mib(folder: Path, archive: Path) -> tuple[float, float]:
    """The most memory of a process that indexes an archive, MiB, and its seconds."""
    command = [sys.executable, "-m", "bilderatlas", "index", folder / "a", archive, "--threads=2"]
    started = time.monotonic()
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], capture_output=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    told = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, check=True)
    return int(told.stdout) / 1024, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    scale = parser.parse_args().scale
    print(machine.describe())
    for what, (name, make) in ARCHIVES.items():
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / name
            make(archive, scale)
            peak, seconds = peak_mib(Path(folder), archive)
            packed = archive.stat().st_size / 2**20
        print(f"{what:30} {packed:5.1f} MiB packed: at most {peak:6,.0f} MiB, {seconds:.0f} s")


if __name__ == "__main__":
    main()
