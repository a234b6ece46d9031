"""The body of `export --to chroma`: a space's regions -> rows of a vector database."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bilderatlas.arrays import Embeddings
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import QueryError
from bilderatlas.output import vector_database
from bilderatlas.output.vector_database import Entries, Value
from bilderatlas.results import ChromaExport
from bilderatlas.storage import place_rows
from bilderatlas.storage.catalogue import Catalogue
from bilderatlas.storage.where import free_names

FACTS = ("path", "image_id", "region_id", "place_id", "kind", "label", "box")
BATCH_SIZE = 1000


def to_chroma(space: OpenSpace, folder: Path, prefix: str | None) -> ChromaExport:
    """Write all regions of a space, each once for every place of its image, with its metadata."""
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
    n_rows = vector_database.write(folder, name, stamp, rows.batches())
    n_regions, as_json = len(space.catalogue.regions), tuple(sorted(rows.as_json))
    return ChromaExport(str(folder), name, about.space, n_regions, n_rows, as_json)


class _Rows:
    """The regions of a space as Chroma has them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.as_json: set[str] = set()  # columns with values that Chroma does not know

    def batches(self) -> Iterator[Entries]:
        vectors, regions = self.catalogue.vectors, self.catalogue.regions
        lies_at = self.catalogue.place_rows()
        owner, place = place_rows.spread(
            regions["image_id"].combine_chunks(), lies_at
        )  # (R,), (R,)
        is_first = np.append(True, owner[1:] != owner[:-1])
        for start in range(0, len(owner), BATCH_SIZE):
            some = slice(start, start + BATCH_SIZE)
            rows, at = owner[some], lies_at.take(place[some]).to_pylist()
            their_regions = regions.take(rows).to_pylist()
            yield self._entries(their_regions, at, is_first[some].tolist(), vectors[rows])

    def _entries(
        self,
        regions: Sequence[Mapping[str, Any]],
        at: Sequence[Mapping[str, str]],
        is_first: Sequence[bool],
        vectors: Embeddings,
    ) -> Entries:
        """Rows of regions and of their places; at the first place the id is that of the region."""
        return Entries(
            [
                region["region_id"] if first else f"{region['region_id']}@{place['place_id']}"
                for region, place, first in zip(regions, at, is_first, strict=True)
            ],
            vectors,
            [self._metadata(*both) for both in zip(regions, at, strict=True)],
            [region["text"] for region in regions],
        )

    def _metadata(self, region: Mapping[str, Any], place: Mapping[str, str]) -> dict[str, Value]:
        metadata = json.loads(place["metadata"])
        facts = {name: place.get(name, region.get(name)) for name in FACTS}
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
