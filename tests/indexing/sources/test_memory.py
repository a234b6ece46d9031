"""What small archives unpack to is never in memory at once."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

MIB = 1 << 20
CHUNK = bytes(MIB)
N_MEMBERS, MEMBER_MIB = 6, 140  # 840 MiB in all
HEADER_MIB = 300
ROOM_MIB = 420  # above what a process takes that only opens a collection; 256 are read ahead

INDEX = """
import resource, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from bilderatlas.collection import Collection
from bilderatlas.errors import SourceError
from bilderatlas.storage import Store
from tests.toy_encoder import ToyEncoder
atlas = Collection(Store.create(Path(sys.argv[1])), encoder=ToyEncoder())
try:
    atlas.index(*sys.argv[2].split("|"), n_threads=2)
except SourceError as error:
    print(error, file=sys.stderr)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, atlas.info().n_problems)
"""


class Zeros:
    """As many zero bytes as are asked for."""

    def read(self, n_bytes: int) -> bytes:
        return bytes(n_bytes)


def tar_of_members(path: Path) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for n in range(N_MEMBERS):
            member = tarfile.TarInfo(f"{n}.png")
            member.size = MEMBER_MIB * MIB
            tar.addfile(member, Zeros())  # type: ignore[arg-type]
    return path


def zip_of_members(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for n in range(N_MEMBERS):
            with file.open(f"{n}.png", "w") as member:
                for _ in range(MEMBER_MIB):
                    member.write(CHUNK)
    return path


def tar_that_begins_with(path: Path, kind: bytes) -> Path:
    """A header that goes on for hundreds of megabytes, behind a picture that does not."""
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, HEADER_MIB * MIB
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(tarfile.TarInfo("a.png").tobuf())
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        for _ in range(HEADER_MIB):
            file.write(CHUNK)
    return path


def sparse_tar(path: Path) -> Path:
    """A list of the stretches of a sparse file that goes on for a million lines."""
    header = bytearray(tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[482] = 1  # the list goes on in the next block
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    block = (b"%011o\0" % 1) * 42 + b"\1" + bytes(7)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(bytes(header))
        for _ in range(HEADER_MIB // 4):
            file.write(block * 2048)
    return path


def peak_and_problems(folder: Path, *sources: Path) -> tuple[int, int, str]:
    """The most memory of a process that indexes these, MiB, and what it said."""
    paths = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
    given = [str(folder / "c.atlas"), "|".join(map(str, sources)), *paths]
    done = subprocess.run(
        [sys.executable, "-c", INDEX, *given], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    peak, n_problems = map(int, done.stdout.split())
    return peak, n_problems, done.stderr


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The memory of a process that indexes nothing large, MiB."""
    folder = tmp_path_factory.mktemp("usual")
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    return peak_and_problems(folder, folder)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "make"), [("m.tgz", tar_of_members), ("m.zip", zip_of_members)])
def test_large_members_are_read_ahead_by_bytes(
    tmp_path: Path, usual: int, name: str, make: Callable[[Path], Path]
) -> None:
    peak, n_problems, _ = peak_and_problems(tmp_path, make(tmp_path / name))
    assert n_problems == N_MEMBERS
    assert peak < usual + ROOM_MIB


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK],
)
def test_a_header_of_a_tar_is_bounded(tmp_path: Path, usual: int, kind: bytes) -> None:
    path = tar_that_begins_with(tmp_path / "x.tgz", kind)
    peak, n_problems, _ = peak_and_problems(tmp_path, path)
    assert n_problems == 2  # the empty picture, and the archive
    assert peak < usual + 100


@pytest.mark.slow
def test_the_map_of_a_sparse_file_is_bounded(tmp_path: Path, usual: int) -> None:
    peak, _, said = peak_and_problems(tmp_path, sparse_tar(tmp_path / "x.tgz"))
    assert "a header of more than 4 MiB" in said
    assert peak < usual + 100
