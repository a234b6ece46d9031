"""What each file of the tables held when it was written: size, time and CRC-32.

Lance's files never change once they are there, so one line a file is enough. They stand in
`spare/checksums` of the collection's folder, beside a second copy of what a table cannot do
without: its newest manifest, which names its files. A file that still has the size and time that
were written down is taken to be as it was; another is read whole. `bilderatlas doctor` reads all.

CRC-32 for its speed: it misses one damage in 4 * 10^9, and nobody forges a collection's files.
"""

from __future__ import annotations

import json
import shutil
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from filelock import FileLock

from bilderatlas.storage.damage import damaged, told

SPARE = "spare"
FILE = f"{SPARE}/checksums"
LOCK = "checksums.lock"
_NEWEST = 2**64 - 1  # manifests are named by how far their version is from this
_BLOCK = 1 << 20  # bytes


class Checksum(NamedTuple):
    """What a file held."""

    n_bytes: int
    mtime_ns: int
    crc: int


class Checksums:
    """The checksums of one collection; read again when another process wrote them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._known: Mapping[str, Checksum] = {}
        self._newest: Mapping[str, int] = {}
        self._sound: set[tuple[str, int]] = set()  # files that were read whole, and their times

    def known(self) -> Mapping[str, Checksum]:
        """By file; none in a collection that has none yet. Raises CollectionDamaged."""
        with self._lock:
            seen = _fingerprint(self._folder / FILE)
            if seen != self._seen:
                self._known, self._seen = read(self._folder), seen
                self._newest = newest_of(self._known)
            return self._known

    def newest(self, table: str) -> int:
        """The newest version of a table that was ever written down; 0 where none was."""
        self.known()
        return self._newest.get(table, 0)

    def files_of(self, table: str, dataset: Any) -> list[str]:
        """The files that the dataset's version needs, those of indices that are gone as well."""
        starts = tuple(f"{table}.lance/_indices/{uuid}/" for uuid in _segments(dataset))
        indices = [file for file in self.known() if starts and file.startswith(starts)]
        return list(dict.fromkeys([*files_of(self._folder, table, dataset), *indices]))

    def fault(self, file: str) -> str | None:
        """What is wrong with a file, as far as its size and time tell; None: nothing."""
        known = self.known().get(file)
        try:
            facts = (self._folder / file).stat()
        except OSError as error:
            return f"{file}: {told(error)}"
        if known is None or (known.n_bytes, known.mtime_ns) == (facts.st_size, facts.st_mtime_ns):
            return None
        if (file, facts.st_mtime_ns) in self._sound:
            return None
        wrong = fault(self._folder, file, known)
        if wrong is None:
            self._sound.add((file, facts.st_mtime_ns))
        return wrong


def read(folder: Path) -> dict[str, Checksum]:
    """The checksums of a collection as they are kept. Raises CollectionDamaged."""
    try:
        head, _, body = (folder / FILE).read_bytes().partition(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise damaged(folder, FILE, told(error)) from error
    if head != f"{zlib.crc32(body):08x}".encode():
        raise damaged(folder, FILE, "it does not hold what was written")
    return {file: Checksum(*values) for file, values in json.loads(body).items()}


def fault(folder: Path, file: str, known: Checksum) -> str | None:
    """What is wrong with a file, read whole."""
    try:
        now = of_file(folder / file)
    except OSError as error:
        return f"{file}: {told(error)}"
    if now.n_bytes != known.n_bytes:
        return f"{file} has {now.n_bytes:,} bytes, {known.n_bytes:,} were written"
    return None if now.crc == known.crc else f"{file} does not hold what was written"


def of_file(file: Path) -> Checksum:
    crc = n_bytes = 0
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            crc, n_bytes = zlib.crc32(block, crc), n_bytes + len(block)
    return Checksum(n_bytes, file.stat().st_mtime_ns, crc)


def seal(folder: Path, tables: Mapping[str, Any]) -> None:
    """Write down what is new of some tables (their newest datasets), and forget what has left.

    Only what a version of a table names is read: another process may be writing the rest.
    """
    with FileLock(lock_file(folder, LOCK)):
        known = read(folder)
        sums, newest = dict(known), newest_of(known)
        for table, dataset in tables.items():
            if dataset.version >= newest.get(table, 0):
                sums = _sealed(folder, table, dataset, sums)
                _keep_manifest(folder, table, dataset.version)
        if sums != known or not (folder / FILE).exists():
            _write(folder, sums)


def lock_file(folder: Path, name: str) -> Path:
    """Where a lock lies. Raises CollectionDamaged where that can be none."""
    file = folder / name
    if file.exists() and not file.is_file():
        raise damaged(folder, name, "it is not a file")
    return file


def _sealed(
    folder: Path, table: str, dataset: Any, known: Mapping[str, Checksum]
) -> dict[str, Checksum]:
    own = PurePosixPath(f"{table}.lance")
    kept = {
        file: checksum
        for file, checksum in known.items()
        if own not in PurePosixPath(file).parents or (folder / file).is_file()
    }
    of_versions = [*manifests_of(folder, table), *transactions_of(folder, table)]
    for file in [*files_of(folder, table, dataset), *of_versions]:
        if file in known:
            kept[file] = known[file]
        with suppress(FileNotFoundError):  # damage of what is known, else removed meanwhile
            kept[file] = _renewed(folder, file, known.get(file))
    return kept


def _renewed(folder: Path, file: str, known: Checksum | None) -> Checksum:
    """A file's checksum; where a copy of the folder gave it another time, with that."""
    facts = (folder / file).stat()
    if known and (known.n_bytes, known.mtime_ns) == (facts.st_size, facts.st_mtime_ns):
        return known
    now = of_file(folder / file)
    return now if known is None or now.crc == known.crc else known


def files_of(folder: Path, table: str, dataset: Any) -> Iterator[str]:
    """The files that the dataset's version needs."""
    own = f"{table}.lance"
    for fragment in dataset.get_fragments():
        yield from files_of_fragment(own, fragment)
    for uuid in _segments(dataset):
        for file in sorted((folder / own / "_indices" / uuid).glob("**/*")):
            if file.is_file():
                yield file.relative_to(folder).as_posix()
    yield manifest(table, dataset.version)


def manifests_of(folder: Path, table: str) -> Iterator[str]:
    """The manifests of all versions that there are, the newest first."""
    for file in sorted((folder / f"{table}.lance" / "_versions").glob("*.manifest")):
        yield file.relative_to(folder).as_posix()


def transactions_of(folder: Path, table: str) -> Iterator[str]:
    """What Lance noted of how each version was made."""
    for file in sorted((folder / f"{table}.lance" / "_transactions").glob("*.txn")):
        yield file.relative_to(folder).as_posix()


def _segments(dataset: Any) -> list[str]:
    """The ids of the parts of indices that a version has."""
    return [segment.uuid for index in dataset.describe_indices() for segment in index.segments]


def files_of_fragment(own: str, fragment: Any) -> Iterator[str]:
    for file in fragment.data_files():
        yield f"{own}/data/{file.path}"
    if deleted := fragment.deletion_file():
        yield f"{own}/{deleted}"


def manifest(table: str, version: int) -> str:
    return f"{table}.lance/_versions/{_NEWEST - version:020}.manifest"


def version_of(file: str) -> int:
    """The version that a manifest is of."""
    return _NEWEST - int(PurePosixPath(file).stem)


def spare_manifests(folder: Path, table: str) -> Iterator[Path]:
    """The second copies of a table's manifests, newest first."""
    yield from sorted((folder / SPARE / f"{table}.lance").glob("*.manifest"))


def _keep_manifest(folder: Path, table: str, version: int) -> None:
    file = folder / manifest(table, version)
    spare = folder / SPARE / f"{table}.lance" / file.name
    if spare.exists():
        return
    spare.parent.mkdir(parents=True, exist_ok=True)
    draft = spare.with_suffix(".new")
    shutil.copyfile(file, draft)
    draft.replace(spare)
    for older in [*spare_manifests(folder, table)][1:]:
        older.unlink(missing_ok=True)


def newest_of(known: Mapping[str, Checksum]) -> dict[str, int]:
    """The newest version of each table that has a checksum."""
    newest: dict[str, int] = {}
    for file in known:
        table, is_manifest, _ = file.partition(".lance/_versions/")
        if is_manifest:
            newest[table] = max(newest.get(table, 0), version_of(file))
    return newest


def _write(folder: Path, sums: Mapping[str, Checksum]) -> None:
    body = json.dumps(sums, indent=0).encode()
    draft = folder / f"{FILE}.new"
    draft.parent.mkdir(exist_ok=True)
    draft.write_bytes(f"{zlib.crc32(body):08x}\n".encode() + body)
    draft.replace(folder / FILE)


def _fingerprint(file: Path) -> tuple[int, int] | None:
    try:
        facts = file.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns
