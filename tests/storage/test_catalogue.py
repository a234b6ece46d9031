"""A catalogue that follows another one is the same as one that is read anew."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bilderatlas.analysis import bm25
from bilderatlas.collection import Collection
from bilderatlas.collection.space import OpenSpace
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage import Store
from bilderatlas.storage.catalogue import Catalogue
from bilderatlas.storage.rows import ImageRow, Parts, PlaceRow, RegionRow
from bilderatlas.storage.where import FactsTable
from tests.toy_encoder import COLOURS, ToyEncoder

SPACE, PILE = "toy", "/pile"


class Pile:
    """A store that is written to at random."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.store = Store.create(folder / f"{seed}.atlas")
        self.store.add_space(ToyEncoder())
        self.rng = np.random.default_rng(seed)
        self.ids: list[str] = []

    def embed(self, n: int) -> ImageEmbeddings:
        words = [" ".join(self.rng.choice([*COLOURS], 3)) for _ in range(n)]
        return ImageEmbeddings(ToyEncoder().embed_texts(words), None)

    def add(self) -> None:
        """New pictures, with or without parts, and a place of a known one."""
        ids = [f"{int(n):032x}" for n in self.rng.integers(1 << 60, size=self.rng.integers(1, 5))]
        images = [ImageRow(i, 9, 9, "image/png", None, 0, i.encode()) for i in ids]
        placed = [*ids, *self.rng.choice(self.ids, min(1, len(self.ids))).tolist()]
        places = [
            PlaceRow(f"{PILE}/{self.rng.integers(1 << 30):x}", PILE, i, 1, 0.0, 0, "{}")
            for i in placed
        ]
        parts = self.parts(ids) if self.rng.integers(2) else None
        self.store.append(SPACE, images, self.embed(len(ids)), places, parts)
        self.ids += ids

    def parts(self, ids: list[str]) -> Parts:
        rows = [
            RegionRow(
                f"{i}-{n}",
                i,
                str(self.rng.choice(["object", "text"])),
                str(self.rng.choice(["cat", "dog"])),
                (0.0, 0.0, 0.5, 0.5),
                0.5,
                " ".join(self.rng.choice([*COLOURS], 2)),
            )
            for i in ids
            for n in range(1, self.rng.integers(1, 4))
        ]
        return Parts(rows, self.embed(len(rows)), f"toy {self.rng.integers(9)}")

    def find_again(self) -> None:
        some = self.some()
        self.store.replace_parts(SPACE, some, self.parts(some))

    def remove(self) -> None:
        some = self.some()
        places = self.store.read_ids("places", "image_id", some, ["uri"])["uri"].to_pylist()
        self.store.delete_places(PILE, places)
        self.store.drop_placeless(some)
        self.ids = [i for i in self.ids if i not in some]

    def leave_half_written(self) -> None:
        """Embeddings of a picture that comes no further."""
        self.store.add_embeddings(SPACE, [f"{int(self.rng.integers(1 << 60)):032x}"], self.embed(1))

    def some(self) -> list[str]:
        chosen: list[str] = np.unique(self.rng.choice(self.ids, 3)).tolist()
        return chosen

    def turn(self) -> None:
        steps = [self.add, self.find_again, self.remove, self.store.tidy, self.store.repair]
        steps += [self.add, self.leave_half_written]
        step = steps[self.rng.integers(len(steps))] if len(self.ids) > 4 else self.add
        step()


LAZY = [name for name, kind in vars(Catalogue).items() if isinstance(kind, cached_property)]


def plain(value: Any) -> Any:
    """What can be compared by ==."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if isinstance(value, pa.ChunkedArray | pa.Array | pa.Table):
        return value.to_pylist()
    if isinstance(value, bm25.FullText):
        return [plain(value.find(word).scores) for word in COLOURS]
    if isinstance(value, FactsTable):
        return value.columns, value.facets()
    return value.tolist() if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("seed", range(4))
def test_what_follows_is_the_same_as_what_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("bilderatlas.storage.FRAGMENT_ROWS", 8)
    monkeypatch.setattr("bilderatlas.collection.space.BATCH_S", 0)
    pile = Pile(tmp_path, seed)
    pile.add()
    about = pile.store.spaces[SPACE]
    space = OpenSpace(pile.store, about, ToyEncoder())
    space.is_refreshed = True
    asked = Collection(pile.store, encoder=ToyEncoder())
    asked._spaces[SPACE] = space
    compared = [name for name in LAZY if name != "joint"]
    for name in compared:
        getattr(space.catalogue, name)
    asked.search("red cyan")
    for _ in range(12):
        pile.turn()
        if not pile.rng.integers(3):
            continue
        space.refresh()
        anew = Catalogue(pile.store, SPACE)
        assert space.catalogue.versions == anew.versions
        for name in compared:
            assert plain(getattr(space.catalogue, name)) == plain(getattr(anew, name)), name
        fresh = Collection(pile.store, encoder=ToyEncoder())
        now, again = asked.search('red "blue green"'), fresh.search('red "blue green"')
        assert list(now) == list(again)
        assert now.verdict == again.verdict
        assert list(asked.browse("random")) == list(fresh.browse("random"))


def test_a_batch_that_is_being_written_copies_nothing(tmp_path: Path) -> None:
    pile = Pile(tmp_path, 0)
    pile.add()
    first = Catalogue(pile.store, SPACE)
    n = len(first.vectors)
    pile.leave_half_written()
    second = Catalogue(pile.store, SPACE, first)
    assert len(second.vectors) == n == len(second.regions)
    assert np.shares_memory(first.vectors, second.vectors)


def test_versions_are_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer removes a place and its picture while the versions are looked up."""
    pile = Pile(tmp_path, 1)
    for _ in range(3):
        pile.add()
    version, n_asked = Store.version, 0

    def while_removed(store: Store, table: str) -> int:
        nonlocal n_asked
        found = version(store, table)
        n_asked += 1
        if n_asked == 2:
            pile.remove()
        return found

    monkeypatch.setattr(Store, "version", while_removed)
    catalogue = Catalogue(pile.store, SPACE)
    images = catalogue.images(range(len(catalogue.image_ids)), ["image_id"])
    assert [row["image_id"] for row in images] == catalogue.image_ids.to_pylist()
    assert catalogue.is_current()
