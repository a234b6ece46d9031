"""Places where images lie -> rows of the tables that leave: one a file, one a row of a table.

Two rows of a table that name one file are two, and so are two files with the same content: what
people keep apart stays apart, although the picture is embedded once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bilderatlas.storage.where import free_names

NUMBERED = re.compile(r"#\d+$")  # what `sources.with_own_uris` adds to a second row of a file
BARE = "{}"  # the metadata of a place of which nothing is said


def rows(places: pa.Table) -> pa.Table:
    """Places (P,) -> rows (R,): place_id, path, uri, source, position, image_id, metadata as JSON.

    They come by path, then as their table has them. `path` is that of the file, also where a
    table names it twice. Where several sources name one file, those that say nothing of it have
    no row of their own: a folder beside the table that describes it.
    """
    kept = _without_echoes(places)
    named = zip(kept["source"].to_pylist(), kept["uri"].to_pylist(), strict=True)
    place_id = pa.array([_id(source, uri) for source, uri in named], pa.string())
    order = [(name, "ascending") for name in ("path", "source", "position")]
    columns = ["place_id", "path", "uri", "source", "position", "image_id", "metadata"]
    return kept.append_column("place_id", place_id).select(columns).sort_by(order)


def count(places: pa.Table) -> int:
    """How many rows there are of some places."""
    return len(_without_echoes(places))


def paths(places: pa.Table) -> list[str]:
    """(P,) where the file of each place lies: uris without the numbers of a table's second rows."""
    uris: list[str] = places["uri"].to_pylist()
    numbered = [i for i, uri in enumerate(uris) if NUMBERED.search(uri)]
    if not numbered:
        return uris
    sources, images = places["source"].to_pylist(), places["image_id"].to_pylist()
    there = set(zip(sources, uris, images, strict=True))
    for i in numbered:
        path = NUMBERED.sub("", uris[i])
        if (sources[i], path, images[i]) in there:  # else it is the file's own name
            uris[i] = path
    return uris


def spread(image_ids: pa.Array, places: pa.Table) -> tuple[NDArray[np.int64], pa.Array]:
    """Images (N,) -> for each of their places which image it is of (R,), and its row (R,).

    `places` are `rows`. An image that lies nowhere any more keeps one row, at no place (null).
    """
    known = pc.unique(places["image_id"])
    of_place = pc.index_in(places["image_id"], value_set=known).to_numpy()  # (P,)
    order = np.argsort(of_place, kind="stable")
    counts = np.bincount(of_place, minlength=len(known))
    first = np.append(np.cumsum(counts) - counts, 0)
    number = pc.fill_null(pc.index_in(image_ids, value_set=known), len(known)).to_numpy()  # (N,)
    sizes = np.append(counts, 1)[number]
    owner = np.repeat(np.arange(len(number)), sizes)  # (R,)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    lies = number[owner] < len(known)
    row = np.append(order, 0)[np.where(lies, first[number[owner]] + within, 0)]
    return owner, pa.array(row, pa.int64(), mask=~lies)


def metadata_columns(metadata: Iterable[str | None], taken: Iterable[str]) -> dict[str, pa.Array]:
    """Metadata (R,) as JSON -> its columns, called so that none is like those that are `taken`."""
    unpacked = [json.loads(text or BARE) for text in metadata]
    names = dict.fromkeys(name for values in unpacked for name in values)
    free = free_names(names, taken)
    return {
        called: _column([_cell(values.get(name)) for values in unpacked])
        for called, name in zip(free, names, strict=True)
    }


def _column(values: Sequence[Any]) -> pa.Array:
    """A column of its own type, or of text where the values are of several."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values])


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float)) else json.dumps(value)


def _id(source: str, uri: str) -> str:
    """The same each time that this place of this source is indexed."""
    named = f"{source}\n{uri}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(named, digest_size=8).hexdigest()


def _without_echoes(places: pa.Table) -> pa.Table:
    """Places with their `path`, but those that only repeat a file which another source tells of.

    Where none says anything of it, the first source has it.
    """
    found = places.append_column("path", pa.array(paths(places), pa.string()))
    if len(pc.unique(found["source"])) < 2:
        return found
    counts = pc.value_counts(found["path"])
    shared = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    is_shared = pc.is_in(found["path"], value_set=shared).to_numpy()
    kept = ~is_shared
    of_file: dict[tuple[str, str], list[tuple[int, Mapping[str, str]]]] = defaultdict(list)
    where = np.flatnonzero(is_shared).tolist()
    same_file = found.filter(pa.array(is_shared)).to_pylist()
    for row, place in zip(where, same_file, strict=True):
        of_file[place["path"], place["image_id"]].append((row, place))
    for same in of_file.values():
        said = {place["source"] for _, place in same if place["metadata"] != BARE}
        speaking = said or {same[0][1]["source"]}
        kept[[row for row, place in same if place["source"] in speaking]] = True
    return found.filter(pa.array(kept))
