"""Embeddings read version by version are those read anew, and no more than was added is read."""

from __future__ import annotations

from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

from bilderatlas.arrays import Embeddings
from bilderatlas.storage import vectors
from bilderatlas.storage.tables import Tables

DIM = 3


class Rows:
    """A table of vectors and their ids, which are the numbers in them."""

    def __init__(self, folder: Path) -> None:
        self.tables = Tables(folder)
        self.uri = str(folder / "rows.lance")
        self.n = 0
        columns = [("id", pa.int64()), ("vector", pa.list_(pa.float32(), DIM))]
        self.tables.make("rows", pa.schema(columns))

    def add(self, n: int) -> None:
        numbers = np.arange(self.n, self.n + n)
        self.n += n
        column = pa.FixedSizeListArray.from_arrays(
            pa.array(np.repeat(numbers, DIM).astype(np.float32)), DIM
        )
        rows = pa.table({"id": numbers, "vector": column})
        lance.write_dataset(rows, self.uri, mode="append")

    def drop(self, *numbers: int) -> None:
        lance.dataset(self.uri).delete(f"id IN ({', '.join(map(str, numbers))})")

    def join(self, target: int) -> None:
        """Join small fragments, and forget deleted rows."""
        lance.dataset(self.uri).optimize.compact_files(target_rows_per_fragment=target)

    def read(self, before: vectors.Vectors | None = None) -> vectors.Vectors:
        version = self.tables.version("rows")
        return self.tables.read_vectors("rows", "vector", version=version, before=before)

    def expected(self) -> list[int]:
        ids: list[int] = lance.dataset(self.uri).to_table(columns=["id"])["id"].to_pylist()
        return ids


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path)


@pytest.fixture
def n_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each reading took from the disk."""
    taken: list[int] = []
    fill = vectors._fill

    def counted(array: Embeddings, source: object, column: str) -> None:
        taken.append(source.count_rows())  # type: ignore[attr-defined]
        fill(array, source, column)

    monkeypatch.setattr(vectors, "_fill", counted)
    return taken


def numbers(read: vectors.Vectors) -> list[int]:
    assert read.rows.shape == (len(read.rows), DIM)
    assert (read.rows == read.rows[:, :1]).all()
    return read.rows[:, 0].astype(int).tolist()


@pytest.mark.parametrize("seed", range(8))
def test_versions_read_one_after_the_other_are_those_read_anew(rows: Rows, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept: list[tuple[vectors.Vectors, list[int]]] = []
    known: vectors.Vectors | None = None
    for _ in range(25):
        there = rows.expected()
        turn = rng.integers(5)
        if turn <= 1 or not there:
            rows.add(int(rng.integers(1, 9)))
        elif turn == 2:
            rows.drop(*rng.choice(there, rng.integers(1, min(4, len(there)) + 1)).tolist())
        elif turn == 3:
            rows.drop(*there[-2:])
        else:
            rows.join(int(rng.integers(2, 30)))
        if rng.integers(3):  # some versions are never read
            known = rows.read(known)
            kept.append((known, rows.expected()))
    for read, expected in kept:  # later versions changed nothing of earlier ones
        assert numbers(read) == expected


def test_only_what_was_added_is_read_and_nothing_is_copied(rows: Rows, n_read: list[int]) -> None:
    rows.add(100)
    first = rows.read()
    rows.add(5)
    second = rows.read(first)
    rows.add(5)
    third = rows.read(second)
    assert n_read == [100, 5, 5]
    assert np.shares_memory(first.rows, second.rows)
    assert np.shares_memory(second.rows, third.rows)
    assert numbers(third) == [*range(110)]


def test_joined_fragments_are_read_and_nothing_is_copied(rows: Rows, n_read: list[int]) -> None:
    rows.add(100)
    rows.add(5)
    first = rows.read()
    rows.add(5)
    rows.join(100)  # the hundred stays as it is
    second = rows.read(first)
    assert n_read == [105, 10]
    assert np.shares_memory(first.rows, second.rows)
    assert numbers(second) == [*range(110)]


def test_a_fragment_with_deleted_rows_is_read_again(rows: Rows, n_read: list[int]) -> None:
    rows.add(100)
    rows.add(10)
    first = rows.read()
    rows.drop(103)
    assert numbers(rows.read(first)) == [n for n in range(110) if n != 103]
    assert n_read == [110, 9]
    assert numbers(first) == [*range(110)]


def test_two_followers_of_one_version_do_not_share_what_is_new(rows: Rows) -> None:
    rows.add(100)
    first = rows.read()
    rows.add(5)
    one = rows.read(first)
    rows.add(5)
    other = rows.read(first)
    assert numbers(one) == [*range(105)]
    assert numbers(other) == [*range(110)]
    assert not np.shares_memory(one.rows[100:], other.rows[100:])


def test_a_full_room_is_left_for_a_larger_one(rows: Rows) -> None:
    known = rows.read()
    for n in (vectors.LEAST_ROOM // 2, vectors.LEAST_ROOM // 3, vectors.LEAST_ROOM):
        rows.add(n)
        known = rows.read(known)
    assert numbers(known) == [*range(rows.n)]


def test_an_empty_table_has_no_rows(rows: Rows) -> None:
    read = rows.read()
    assert read.rows.shape == (0, DIM)
    rows.add(2)
    assert numbers(rows.read(read)) == [0, 1]
