"""A table in memory, fragment by fragment. Of the next version only what was added is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Fragment:
    """Rows that were written together. They never change, but some may be deleted."""

    files: tuple[str, ...]
    n_deleted: int
    n_rows: int  # that are left


Pieces = Mapping[Fragment, pa.Table]  # in the order of the table


def of(dataset: Any) -> dict[Fragment, Any]:
    """The fragments of a version of a table, and Lance's handles of them."""
    return {_name(fragment): fragment for fragment in dataset.get_fragments()}


def _name(fragment: Any) -> Fragment:
    files = tuple(file.path for file in fragment.data_files())
    n_deleted = fragment.num_deletions
    return Fragment(files, n_deleted, fragment.physical_rows - n_deleted)


def read(dataset: Any, columns: Sequence[str], before: Pieces) -> Pieces:
    """The rows of every fragment; those that `before` has are not read."""
    fragments = of(dataset)
    new = [name for name in fragments if name not in before]
    pieces = dict(zip(new, _read(dataset, columns, fragments, new), strict=True))
    return {name: before[name] if name in before else pieces[name] for name in fragments}


def _read(
    dataset: Any, columns: Sequence[str], fragments: Mapping[Fragment, Any], new: list[Fragment]
) -> list[pa.Table]:
    """The rows of some fragments, read together."""
    if not new:
        return []
    handles = [fragments[name] for name in new]
    rows = dataset.scanner(columns=list(columns), fragments=handles).to_table()
    stops = accumulate((name.n_rows for name in new), initial=0)
    return [rows.slice(start, stop - start) for start, stop in pairwise(stops)]


def joined(dataset: Any, columns: Sequence[str], pieces: Pieces) -> pa.Table:
    """All rows of a table."""
    empty = dataset.schema.empty_table().select(list(columns))
    return pa.concat_tables([empty, *pieces.values()])
