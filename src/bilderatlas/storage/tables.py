"""The Lance tables of one folder: read, counted, added to, deleted from."""

from __future__ import annotations

import errno
import shutil
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from bilderatlas.errors import StoreError, VersionGone
from bilderatlas.storage import fragments, vectors
from bilderatlas.storage.checksums import Checksums
from bilderatlas.storage.damage import damaged, reading
from bilderatlas.storage.disk import disk_errors
from bilderatlas.storage.fragments import Pieces
from bilderatlas.storage.vectors import Vectors

IDS_PER_FILTER = 5_000


class Tables:
    """Tables by their names, each `NAME.lance` in the folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._open: dict[str, Any] = {}  # tables that rows were taken from, at their last version
        self._checksums = Checksums(path)
        self._checked: set[tuple[str, int]] = set()  # versions of tables whose files are all sound

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        *,
        version: int | None = None,
    ) -> pa.Table:
        """Rows of a table as Arrow; `where` is a Lance filter. Raises VersionGone."""
        with self._reading(table, version):
            return self._dataset(table, version).to_table(columns=columns, filter=where)

    def read_ids(
        self,
        table: str,
        key: str,
        ids: Sequence[str],
        columns: Sequence[str] | None = None,
        *,
        version: int | None = None,
    ) -> pa.Table:
        """The rows whose `key` is one of `ids`, in no order. Raises VersionGone."""
        with self._reading(table, version):
            dataset = self._dataset(table, version)
            found = [dataset.to_table(columns=columns, filter=some) for some in one_of(key, ids)]
            return pa.concat_tables(found or [dataset.to_table(columns=columns, limit=0)])

    def read_pieces(
        self, table: str, columns: Sequence[str], *, version: int, before: Pieces
    ) -> tuple[pa.Table, Pieces]:
        """All rows, and the pieces that they are made of; what is in `before` is not read.

        Raises VersionGone.
        """
        with self._reading(table, version):
            dataset = self._dataset(table, version)
            pieces = fragments.read(dataset, columns, before)
            return fragments.joined(dataset, columns, pieces), pieces

    def take(
        self, table: str, rows: Sequence[int], columns: Sequence[str], *, version: int
    ) -> pa.Table:
        """Some rows of a version of a table by their numbers, in the order asked for.

        Raises VersionGone.
        """
        with self._reading(table, version):
            with self._lock:
                if table not in self._open or self._open[table].version != version:
                    self._open[table] = self._dataset(table, version)
                dataset = self._open[table]
            return dataset.take(list(rows), columns=list(columns))

    def count(self, table: str, where: str | None = None) -> int:
        dataset = self._dataset(table)
        with reading(self.path, f"table {table}"):
            return int(dataset.count_rows(where))

    def has(self, table: str) -> bool:
        return Path(self._uri(table)).is_dir()

    def version(self, table: str) -> int:
        """A number that changes when the table does."""
        return int(self._dataset(table).version)

    def read_vectors(
        self, table: str, column: str, *, version: int, before: Vectors | None = None
    ) -> Vectors:
        """All embeddings of a space; what is in `before` is not read. Raises VersionGone."""
        with self._reading(table, version):
            return vectors.read(self._dataset(table, version), column, before)

    def make(self, table: str, table_schema: pa.Schema) -> None:
        """Make an empty table."""
        import lance

        shutil.rmtree(self._uri(table), ignore_errors=True)  # left by a creation that was killed
        lance.write_dataset(table_schema.empty_table(), self._uri(table), mode="create")

    def delete(self, table: str, key: str, values: Sequence[str]) -> None:
        """Delete the rows whose `key` is one of `values`."""
        with disk_errors(self.path):
            for some in one_of(key, values):
                self._dataset(table).delete(some)

    def _append(self, table: str, rows: pa.Table) -> None:
        import lance

        with disk_errors(self.path):
            lance.write_dataset(rows, self._uri(table), mode="append")

    def _merge(self, table: str, keys: list[str], rows: pa.Table) -> None:
        with disk_errors(self.path):
            merge = self._dataset(table).merge_insert(keys)
            merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)

    def _make_table_at_once(self, table: str, table_schema: pa.Schema) -> None:
        """Make a table unless another process does: of two, the first one's stays."""
        draft = f".{table}.{uuid.uuid4().hex}"
        self.make(draft, table_schema)
        try:
            Path(self._uri(draft)).rename(self._uri(table))  # refused where it is not empty
        except OSError as error:
            shutil.rmtree(self._uri(draft), ignore_errors=True)
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise

    @contextmanager
    def _reading(self, table: str, version: int | None) -> Iterator[None]:
        """Tell a version that a writer has removed from a table that is damaged."""
        try:
            with reading(self.path, f"table {table}"):
                yield
        except StoreError as error:
            if version is None or version == self.version(table):
                raise
            raise VersionGone(
                f"Version {version} of table {table} of {self.path} was replaced and removed while "
                "it was read. Ask again."
            ) from error

    def _dataset(self, table: str, version: int | None = None) -> Any:
        """A version of a table, the newest by default. Raises CollectionDamaged."""
        import lance

        newest = self._checksums.newest(table)  # looked at before the table, which may grow
        with reading(self.path, f"table {table}"):
            dataset = lance.dataset(self._uri(table), version=version)
        if version is None and dataset.version < newest:
            raise damaged(self.path, f"table {table}", f"version {newest} is gone")
        if (table, dataset.version) not in self._checked:
            self._check(table, dataset)
        return dataset

    def _check(self, table: str, dataset: Any) -> None:
        """Refuse a version of a table whose files are not those that were written."""
        with reading(self.path, f"table {table}"):
            files = self._checksums.files_of(table, dataset)
        for file in files:
            if fault := self._checksums.fault(file):
                raise damaged(self.path, f"table {table}", fault)
        self._checked.add((table, dataset.version))

    def _uri(self, table: str) -> str:
        return str(self.path / f"{table}.lance")


def one_of(key: str, values: Sequence[str]) -> Iterator[str]:
    """Lance filters for `key` among `values`, in bites that its parser takes."""
    for start in range(0, len(values), IDS_PER_FILTER):
        listed = ", ".join(quoted(value) for value in values[start : start + IDS_PER_FILTER])
        yield f"{key} IN ({listed})"


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
