"""What a search needs in memory: one space's embeddings, and whose they are."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bilderatlas.analysis.bm25 import FullText
from bilderatlas.arrays import Embeddings
from bilderatlas.errors import VersionGone
from bilderatlas.models.detectors import ACTIVATION, KINDS
from bilderatlas.results import Place
from bilderatlas.storage import Store, place_rows, schema, where
from bilderatlas.storage.damage import damaged
from bilderatlas.storage.fragments import Pieces
from bilderatlas.storage.vectors import Vectors
from bilderatlas.storage.where import FACTS, Facet, FactsTable

ID_LENGTH = 32  # hex digits
UNKNOWN_TIME = np.iinfo(np.int64).max  # after every other


@dataclass
class Known:
    """What the newest version has read; the next one only adds to it."""

    tables: dict[str, Pieces] = field(default_factory=dict)
    vectors: dict[str, Vectors] = field(default_factory=dict)  # by column
    full_text: FullText | None = None


class Catalogue:
    """One version of a collection's regions, places and embeddings.

    Rows (N,) are regions that have an embedding; images are numbered from 0. Nothing is read
    before it is asked for: words need only the joint vectors, neighbors only the others.
    """

    def __init__(self, store: Store, space: str, before: Catalogue | None = None) -> None:
        """Of what `before` has read, an earlier version, only what was added is read."""
        self._store, self._space = store, space
        self._lock = threading.RLock()
        self._filling = threading.Lock()  # of what conditions are asked of
        self.known: Known = before.known if before else Known()
        self.versions = self._current_versions()
        while not self.is_current():  # a writer was between two tables
            self.versions = self._current_versions()

    def is_current(self) -> bool:
        return self.versions == self._current_versions()

    def get_ready(self, like: Catalogue) -> None:
        """Read what `like` was asked for, so that nobody waits for it here."""
        for name in list(vars(like)):
            if isinstance(getattr(Catalogue, name, None), cached_property):
                getattr(self, name)

    def _current_versions(self) -> dict[str, int]:
        tables = ("images", "places", "regions", f"embeddings/{self._space}")
        return {table: self._store.version(table) for table in tables}

    @cached_property
    def _places(self) -> pa.Table:
        columns = ["uri", "source", "image_id", "position", "metadata"]
        by = [("uri", "ascending"), ("source", "ascending")]
        return self._table("places", columns).sort_by(by)

    def _table(self, table: str, columns: Sequence[str]) -> pa.Table:
        """All rows of a table, always with the same columns."""
        before = self.known.tables.get(table, {})
        rows, self.known.tables[table] = self._store.read_pieces(
            table, columns, version=self.versions[table], before=before
        )
        return rows

    @property
    def all_places(self) -> pa.Table:
        """Every place: uri, source, image_id, position, metadata as JSON, by uri."""
        return self._places

    @cached_property
    def n_places(self) -> int:
        """How many rows `place_rows` has."""
        return place_rows.count(self._places)

    def place_rows(self, image_ids: Sequence[str] | None = None) -> pa.Table:
        """The places, or those of some images, as rows of the tables that leave (`places.rows`)."""
        if image_ids is None:
            return place_rows.rows(self._places)
        chosen = pa.array(image_ids, pa.string())
        return place_rows.rows(self._places.filter(pc.is_in(self._places["image_id"], chosen)))

    def places_of(self, numbers: Iterable[int]) -> dict[str, list[Place]]:
        """Image id -> all places of some images, by path."""
        with self._lock:
            order, starts = self._place_order
        rows = [order[starts[number] : starts[number + 1]] for number in numbers]
        found: dict[str, list[Place]] = {}
        for row in place_rows.rows(
            self._places.take(np.concatenate([order[:0], *rows]))
        ).to_pylist():
            place = Place(row["place_id"], row["path"], json.loads(row["metadata"]))
            found.setdefault(row["image_id"], []).append(place)
        return found

    def place_facts(self, image_ids: Sequence[str] | None = None) -> pa.Table:
        """`place_rows` with width, height, media_type and taken_at of their images."""
        columns = ["image_id", "width", "height", "media_type", "taken_at"]
        images = self._store.read("images", columns, version=self.versions["images"])
        rows = self.place_rows(image_ids)
        row = pc.index_in(rows["image_id"], value_set=images["image_id"].combine_chunks())
        for name in columns[1:]:
            rows = rows.append_column(name, images[name].take(row))
        return rows

    @cached_property
    def image_ids(self) -> pa.Array:
        """(M,) the images that lie somewhere, numbered by the order of their first paths."""
        return pc.unique(self._places["image_id"])

    @cached_property
    def _first_rows(self) -> NDArray[np.int64]:
        """(M,) the row in `_places` of each image's first path; they rise."""
        numbers = pc.index_in(self._places["image_id"], value_set=self.image_ids).to_numpy()
        rows: NDArray[np.int64] = np.unique(numbers, return_index=True)[1]
        return rows

    def first_place(self, image: int) -> tuple[str, str]:
        """The first path of an image, and the source that names it."""
        row = int(self._first_rows[image])
        return self._places["uri"][row].as_py(), self._places["source"][row].as_py()

    @cached_property
    def taken_s(self) -> NDArray[np.int64]:
        """(M,) when each image was taken, seconds since 1970; UNKNOWN_TIME where none says."""
        taken = self._images["taken_at"].cast(pa.int64()).take(pa.array(self._image_rows))
        seconds: NDArray[np.int64] = pc.fill_null(taken, UNKNOWN_TIME).to_numpy()
        return seconds

    @cached_property
    def _image_rows(self) -> NDArray[np.int64]:
        """(M,) the row of each image in the table of images."""
        ids = self._images["image_id"].combine_chunks()
        found = pc.index_in(self.image_ids, value_set=ids)
        if found.null_count:
            raise damaged(self._store.path, "table images", f"{found.null_count:,} rows are gone")
        rows: NDArray[np.int64] = found.to_numpy(zero_copy_only=False).astype(np.int64)
        return rows

    @cached_property
    def _images(self) -> pa.Table:
        """image_id and taken_at of every image, in the order of its table."""
        return self._table("images", ["image_id", "taken_at"])

    def thumbnails(self, numbers: Sequence[int]) -> list[bytes]:
        """The small JPEGs of some images."""
        return [row["thumbnail"] for row in self.images(numbers, ["thumbnail"])]

    def images(self, numbers: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of the table of images, in the order asked for. Raises VersionGone."""
        with self._lock:
            rows = self._image_rows[list(numbers)].tolist()
        different = sorted(set(rows))
        try:
            read = self._store.take("images", different, columns, version=self.versions["images"])
        except VersionGone:  # after half an hour of exporting, for instance
            return self._images_now(numbers, columns)
        row_of = dict(zip(different, read.to_pylist(), strict=True))
        return [row_of[row] for row in rows]

    def _images_now(self, numbers: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """The same from the newest version: images may leave, but never change."""
        ids = self.image_ids.take(pa.array(numbers, pa.int64())).to_pylist()
        asked = list({"image_id", *columns})
        read = self._store.read_ids("images", "image_id", ids, asked).to_pylist()
        row_of = {row["image_id"]: {name: row[name] for name in columns} for row in read}
        if gone := set(ids) - row_of.keys():
            raise VersionGone(f"Image {min(gone)} was removed while it was read. Ask again.")
        return [row_of[image_id] for image_id in ids]

    @cached_property
    def _sorted_ids(self) -> tuple[NDArray[np.bytes_], NDArray[np.int64]]:
        """Image ids in their own order, and the number of each."""
        ids = as_bytes(self.image_ids)
        order = np.argsort(ids)
        return ids[order], order

    def number_of_id(self, image_id: str) -> int | None:
        """The number of the image with this id; None where there is none."""
        ids, numbers = self._sorted_ids
        wanted = image_id.encode("utf-8", "replace")
        place = int(np.searchsorted(ids, wanted)) if len(ids) else 0
        found = place < len(ids) and ids[place] == wanted
        return int(numbers[place]) if found else None

    @cached_property
    def _rows(self) -> tuple[NDArray[np.int64], pa.Table]:
        """Which rows of the space's table count, and their regions in the same order."""
        table = f"embeddings/{self._space}"
        is_of_texts = self._store.spaces[self._space].field is not None
        columns = ["region_id", "text"] if is_of_texts else ["region_id"]
        own = self._table(table, columns)
        regions = self._table("regions", schema.REGIONS.names)
        number = pc.index_in(regions["image_id"], value_set=self.image_ids)
        regions = regions.append_column("image", number).filter(pc.is_valid(number))
        where = pc.index_in(own["region_id"], value_set=regions["region_id"].combine_chunks())
        kept = np.flatnonzero(pc.is_valid(where).to_numpy())
        rows = regions.take(pc.drop_null(where))
        if is_of_texts:  # a region has the text that its embedding was made of
            place = rows.column_names.index("text")
            rows = rows.set_column(place, "text", own["text"].take(kept))
        return kept, rows

    @property
    def regions(self) -> pa.Table:
        """(N,) rows with region_id, image_id, kind, label, box, score, text and `image`."""
        with self._lock:
            return self._rows[1]

    @cached_property
    def image_of(self) -> NDArray[np.int32]:
        """(N,) the number of each row's image."""
        numbers: NDArray[np.int32] = self.regions["image"].to_numpy().astype(np.int32)
        return numbers

    @cached_property
    def vectors(self) -> Embeddings:
        """(N, D) to compare pictures by."""
        return self._read("vector")

    @cached_property
    def joint(self) -> Embeddings:
        """(N, J) to compare with words."""
        return self._read("joint")

    def embeddings(self, *, in_joint: bool) -> Embeddings:
        """(N, D) to compare pictures by, or (N, J) to compare with words."""
        return self.joint if in_joint else self.vectors

    def _read(self, column: str) -> Embeddings:
        with self._lock:
            kept = self._rows[0]
            table = f"embeddings/{self._space}"
            before = self.known.vectors.get(column)
            vectors = self._store.read_vectors(
                table, column, version=self.versions[table], before=before
            )
            self.known.vectors[column] = vectors
            # Rows of a batch that is being written are the last ones: no copy is made for them.
            are_first = len(kept) == (kept[-1] + 1 if len(kept) else 0)
            return vectors.rows[: len(kept)] if are_first else vectors.rows[kept]

    @cached_property
    def _kinds(self) -> tuple[list[str], NDArray[np.int32]]:
        """The kinds that there are, and the number of each row's (N,)."""
        encoded = self.regions["kind"].combine_chunks().dictionary_encode()
        return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()

    def by_kind(self, values: Mapping[str, float]) -> NDArray[np.float64]:
        """(N,) the value of each row's kind; 0 for a kind without one."""
        kinds, numbers = self._kinds
        of_kinds = np.array([values.get(kind, 0) for kind in kinds], dtype=np.float64)
        return of_kinds[numbers]

    def of_kind(self, kinds: Sequence[str]) -> NDArray[np.bool_]:
        """(N,) which rows are of these kinds."""
        return self.by_kind(dict.fromkeys(kinds, 1)) > 0

    @cached_property
    def n_images_of_kind(self) -> dict[str, int]:
        """How many images have a region of each kind, in the order of `regions.KINDS`."""
        kinds, numbers = self._kinds
        n_of = {
            kind: len(np.unique(self.image_of[numbers == number]))
            for number, kind in enumerate(kinds)
        }
        return {kind: n_of[kind] for kind in KINDS if kind in n_of}

    @cached_property
    def kind_numbers(self) -> NDArray[np.int8]:
        """(N,) where each row's kind stands in `regions.KINDS`; 0 is the whole picture."""
        kinds, numbers = self._kinds
        return np.array([KINDS.index(kind) for kind in kinds], dtype=np.int8)[numbers]

    @cached_property
    def read_rows(self) -> NDArray[np.int64]:
        """(T,) the rows in which words were found."""
        has_text = pc.greater(pc.utf8_length(pc.fill_null(self.regions["text"], "")), 0)
        return np.flatnonzero(has_text.to_numpy())

    @cached_property
    def full_text(self) -> FullText:
        """The words found in pictures, by `read_rows`."""
        with self._lock:
            texts = self.regions["text"].take(self.read_rows).combine_chunks()
            self.known.full_text = FullText(texts, self.known.full_text)
            return self.known.full_text

    @cached_property
    def labels(self) -> tuple[list[str], NDArray[np.int64], NDArray[np.int32]]:
        """What detectors call regions (L), the rows called so (R,), and which label each has (R,).

        Guesses of the built-in encoder are none: they say what its embeddings say.
        """
        column = self.regions["label"].combine_chunks()
        told = pc.fill_null(pc.invert(pc.starts_with(column, f"{ACTIVATION}:")), False)
        encoded = column.filter(told).dictionary_encode()
        rows = np.flatnonzero(told.to_numpy(zero_copy_only=False))
        return encoded.dictionary.to_pylist(), rows, encoded.indices.to_numpy()

    @cached_property
    def detector_scores(self) -> NDArray[np.float64]:
        """(N,) how sure detectors were of each region, in 0..1."""
        scores: NDArray[np.float64] = self.regions["score"].to_numpy().astype(np.float64)
        return scores

    def region(self, region_id: str) -> dict[str, Any] | None:
        """A row of `regions`; None where there is none of this id."""
        row = pc.index(self.regions["region_id"], region_id).as_py()
        return self.regions.slice(row, 1).to_pylist()[0] if row >= 0 else None

    def parts(self, number: int) -> list[dict[str, Any]]:
        """The rows of `regions` of one image."""
        rows = np.flatnonzero(self.image_of == number)
        found: list[dict[str, Any]] = self.regions.take(rows).to_pylist()
        return found

    def rows_of(self, region_ids: pa.ChunkedArray) -> NDArray[np.int64]:
        """(R,) the rows of some regions; -1 where one is not here."""
        found = pc.index_in(region_ids, value_set=self.regions["region_id"].combine_chunks())
        rows: NDArray[np.int64] = pc.fill_null(found, -1).to_numpy().astype(np.int64)
        return rows

    def embeddings_of(self, kind: str) -> tuple[list[str], Embeddings]:
        """Region ids (N,) and embeddings (N, D) of one kind of region, or of "all"."""
        rows = (
            np.arange(len(self.regions)) if kind == "all" else np.flatnonzero(self.of_kind([kind]))
        )
        ids = self.regions["region_id"].take(rows).to_pylist()
        return ids, self.vectors if len(ids) == len(self.vectors) else self.vectors[rows]

    def where(self, condition: str) -> NDArray[np.bool_]:
        """(N,) which rows belong to images that fulfil a condition. Raises QueryError."""
        chosen = np.zeros(len(self.image_ids), np.bool_)  # (M,)
        chosen[self._image_of_place[self._facts.matching(condition)]] = True
        return chosen[self.image_of]

    def among(self, image_ids: Sequence[str]) -> NDArray[np.bool_]:
        """(N,) which rows belong to some images."""
        mask: NDArray[np.bool_] = pc.is_in(
            self.regions["image_id"], value_set=pa.array(image_ids, pa.string())
        ).to_numpy()
        return mask

    @property
    def facets(self) -> list[Facet]:
        """What the images can be chosen by: facts and metadata columns."""
        return self._facts.facets()

    @property
    def metadata_columns(self) -> list[str]:
        """The columns of the sources' tables, as conditions name them."""
        return where.free_names(self._metadata_kinds, FACTS)

    @cached_property
    def _metadata_kinds(self) -> dict[str, str]:
        return where.kinds_of(self._places["metadata"])

    @property
    def _facts(self) -> FactsTable:
        """Filled once, and under a lock of its own: other questions go on meanwhile."""
        with self._filling:
            return self._filled

    @cached_property
    def _filled(self) -> FactsTable:
        columns = ["width", "height", "media_type", "taken_at"]
        images = self._store.read("images", ["image_id", *columns], version=self.versions["images"])
        places = self._places.select(["image_id", "uri", "source", "metadata"])
        rows = pc.index_in(places["image_id"], value_set=images["image_id"].combine_chunks())
        for name in columns:
            places = places.append_column(name, images[name].take(rows))
        taken = places["taken_at"].cast(pa.string())
        places = places.drop_columns("taken_at").append_column("taken_at", taken)
        return FactsTable(places.rename_columns({"uri": "path"}), self._metadata_kinds)

    @cached_property
    def _image_of_place(self) -> NDArray[np.int64]:
        """(P,) the number of each place's image."""
        found = pc.index_in(self._places["image_id"], value_set=self.image_ids)
        numbers: NDArray[np.int64] = found.to_numpy().astype(np.int64)
        return numbers

    @cached_property
    def _place_order(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of `_places` sorted by image, and where each image's begin."""
        numbers = pc.index_in(self._places["image_id"], value_set=self.image_ids).to_numpy()
        order = np.argsort(numbers, kind="stable")
        starts = np.searchsorted(numbers[order], np.arange(len(self.image_ids) + 1))
        return order, starts

    def places(self, image: int) -> tuple[list[str], dict[str, Any]]:
        """Where an image lies, and the metadata of all those places together."""
        with self._lock:
            order, starts = self._place_order
        found = self._places.take(order[starts[image] : starts[image + 1]])
        metadata: dict[str, Any] = {}
        for text in found["metadata"].to_pylist():
            metadata |= json.loads(text)
        return list(dict.fromkeys(place_rows.paths(found))), metadata

    def paths(self, image_ids: Sequence[str]) -> list[str | None]:
        """The first path of each of some images; None for one that is not here."""
        ids, numbers = self._sorted_ids
        wanted = np.array([image_id.encode("utf-8", "replace") for image_id in image_ids], "S")
        if not len(ids) or not len(wanted):
            return [None] * len(wanted)
        places = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
        rows = pa.array(self._first_rows[numbers[places]], mask=ids[places] != wanted)
        paths: list[str | None] = self._places["uri"].take(rows).to_pylist()
        return paths

    def metadata(self, image_ids: Sequence[str]) -> list[dict[str, Any]]:
        """The metadata of each of some images at its first path; none for one that is not here."""
        places = self._places
        row = pc.index_in(pa.array(image_ids, pa.string()), value_set=places["image_id"])
        return [json.loads(text or "{}") for text in places["metadata"].take(row).to_pylist()]

    def number_of(self, image: str) -> int | None:
        """The number of the image with this id, path, or `id` in its table."""
        found = self.number_of_id(image)
        if found is not None:
            return found
        row = pc.index(self._places["uri"], image).as_py()
        if row < 0:
            row = self._row_with_own_id(image)
        if row is None or row < 0:
            return None
        return int(pc.index(self.image_ids, self._places["image_id"][row]).as_py())

    def _row_with_own_id(self, own_id: str) -> int | None:
        may_be = pc.match_substring(self._places["metadata"], '"id": ')
        for row in np.flatnonzero(may_be.to_numpy()):
            if str(json.loads(self._places["metadata"][int(row)].as_py()).get("id")) == own_id:
                return int(row)
        return None


def as_bytes(ids: pa.Array) -> NDArray[np.bytes_]:
    """(M,) ids for numpy, without a step in Python for each: other questions go on meanwhile."""
    width = max(ID_LENGTH, pc.max(pc.binary_length(ids)).as_py() or 0)
    padded = pc.utf8_rpad(ids, width, padding="\0").cast(pa.binary()).cast(pa.binary(width))
    return np.frombuffer(padded.buffers()[1], dtype=f"S{width}", count=len(ids))
