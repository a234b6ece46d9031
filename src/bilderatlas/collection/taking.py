"""The body of `export --to chroma`: a space's regions -> rows of a vector database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bilderatlas import vector_database
from bilderatlas.catalogue import Catalogue
from bilderatlas.collection.open_space import OpenSpace
from bilderatlas.errors import QueryError
from bilderatlas.filters import free_names
from bilderatlas.results import ChromaExport
from bilderatlas.vector_database import Entries, Value

FACTS = ("path", "image_id", "kind", "label", "box")
BATCH_SIZE = 1000


def to_chroma(space: OpenSpace, folder: Path, prefix: str | None) -> ChromaExport:
    """Write all regions of a space, with their metadata and texts."""
    about = space.about
    name = vector_database.name_of(prefix or _plain(space.collection), about.field or "image")
    stamp: dict[str, Value] = {
        "space": about.space,
        "encoder": about.encoder,
        "weights_hash": about.weights_hash,
    }
    if not len(space.catalogue.regions):
        raise QueryError(f"Space '{about.space}' is empty: there is nothing to write.")
    rows = _Rows(space.catalogue)
    n_regions = vector_database.write(folder, name, stamp, rows.batches())
    return ChromaExport(str(folder), name, about.space, n_regions, tuple(sorted(rows.as_json)))


class _Rows:
    """The regions of a space as Chroma has them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.as_json: set[str] = set()  # columns with values that Chroma does not know

    def batches(self) -> Iterator[Entries]:
        vectors = self.catalogue.vectors
        for start in range(0, len(vectors), BATCH_SIZE):
            rows = self.catalogue.regions.slice(start, BATCH_SIZE).to_pylist()
            yield Entries(
                [row["region_id"] for row in rows],
                vectors[start : start + BATCH_SIZE],
                [self._metadata(row) for row in rows],
                [row["text"] for row in rows],
            )

    def _metadata(self, row: Mapping[str, Any]) -> dict[str, Value]:
        paths, metadata = self.catalogue.places(row["image"])
        facts = {name: row.get(name) for name in FACTS} | {"path": paths[0]}
        named = dict(zip(free_names(metadata, FACTS), metadata.values(), strict=True))
        held = {name: vector_database.value(given) for name, given in (facts | named).items()}
        self.as_json |= {
            name
            for name, given in named.items()
            if isinstance(held[name], str) and held[name] != given
        }
        return {name: given for name, given in held.items() if given is not None}


def _plain(name: str) -> str:
    """A collection's name in the letters that Chroma takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "atlas"
