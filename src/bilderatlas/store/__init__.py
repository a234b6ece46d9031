"""Batches <-> Lance tables in the collection's folder.

The order of writing makes a killed process harmless: embeddings, regions, images, places. An
image is in the collection once its row in `images` is, and its parts once that row has the stamp of
their finders; rows of a batch that came no further are swept away by `repair` before the next one
is written.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout

from bilderatlas.arrays import Box, Embeddings
from bilderatlas.encoders import Encoder, ImageEmbeddings
from bilderatlas.errors import (
    BilderatlasError,
    CollectionBusy,
    CollectionExists,
    CollectionNotFound,
    EncoderMismatch,
    SchemaTooNew,
    StoreError,
)
from bilderatlas.regions import Finding
from bilderatlas.results import Space
from bilderatlas.store import schema

DESCRIPTION = "atlas.json"
COMMITS_BETWEEN_TIDYING = 64
INDEXED_FROM_ROWS = 20_000  # below, a scan for an id is as fast as an index
KEPT_VERSIONS = timedelta(minutes=30)  # longer than any reader holds on to one
IDS_PER_FILTER = 5_000
WHOLE_IMAGE = [0.0, 0.0, 1.0, 1.0]


@dataclass(frozen=True, slots=True)
class ImageRow:
    """What `images` keeps of a picture."""

    image_id: str
    width: int
    height: int
    media_type: str
    taken_at: datetime | None
    perceptual_hash: int
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Where an image lies."""

    uri: str
    source: str
    image_id: str
    size: int | None
    mtime: float | None
    position: int
    metadata: str  # JSON object


@dataclass(frozen=True, slots=True)
class RegionRow:
    """A part of an image."""

    region_id: str  # IMAGE_ID-N
    image_id: str
    kind: str
    label: str | None
    box: Box
    score: float
    text: str | None


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of some images (P rows), their embeddings (P, D), and what found them."""

    rows: Sequence[RegionRow]
    embeddings: ImageEmbeddings
    finding: str


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """What could not be read, and why."""

    uri: str
    source: str
    stage: str
    reason: str
    when: datetime


class Store:
    """The tables of one collection, open."""

    def __init__(self, path: Path, description: dict[str, Any]) -> None:
        self.path = path
        self._description = description
        self._n_commits = 0

    @classmethod
    def create(cls, path: Path) -> Store:
        """Make an empty collection. Raises CollectionExists where something is already.

        It is made under another name and then renamed: it is there as a whole or not at all, and
        of two processes that make it at once one wins.
        """
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        store = cls(
            draft, {"schema_version": schema.SCHEMA_VERSION, "active_space": None, "spaces": {}}
        )
        with _disk_errors(path):
            try:
                draft.mkdir(parents=True)
                for name, table_schema in schema.TABLES.items():
                    store._make_table(name, table_schema)
                store._save_description()
                draft.rename(path)  # replaces an empty folder, and nothing else
            except (FileExistsError, NotADirectoryError) as error:
                raise _exists(path) from error
            except OSError as error:
                raise (_exists(path) if error.errno == errno.ENOTEMPTY else error) from error
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        store.path = path
        return store

    def remove_if_empty(self) -> bool:
        """Remove a collection that nothing was ever written to; says whether it did."""
        with self.writing():
            if self.count("images") or self.count("problems"):
                return False
            shutil.rmtree(self.path)
            return True

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a collection. Raises CollectionNotFound, SchemaTooNew or StoreError."""
        try:
            description = json.loads((path / DESCRIPTION).read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise CollectionNotFound(
                f"There is no collection at {path}. "
                f"Make one with: bilderatlas index {path} PICTURES"
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
            raise StoreError(f"{path / DESCRIPTION} cannot be read: {error}.") from error
        if not isinstance(description, dict) or "schema_version" not in description:
            raise StoreError(f"{path / DESCRIPTION} does not describe a collection. Is it another?")
        if description["schema_version"] > schema.SCHEMA_VERSION:
            raise SchemaTooNew(
                f"{path} has schema version {description['schema_version']}; this Bilderatlas "
                f"knows {schema.SCHEMA_VERSION}. Upgrade it: pip install --upgrade bilderatlas"
            )
        return cls(path, description)  # version 1 is read as it is; `writing` brings it to 2

    # -- spaces

    @property
    def schema_version(self) -> int:
        return int(self._description["schema_version"])

    @property
    def spaces(self) -> dict[str, Space]:
        return {name: Space(**row) for name, row in self._description["spaces"].items()}

    @property
    def active_space(self) -> Space | None:
        name = self._description["active_space"]
        return self.spaces[name] if name else None

    def add_space(self, encoder: Encoder) -> Space:
        """Make room for an encoder's embeddings and make it the active space.

        Raises EncoderMismatch where the collection holds another encoder's embeddings.
        """
        active = self.active_space
        if active is None:
            active = Space(
                encoder.space, encoder.name, encoder.weights_hash, encoder.dim,
                encoder.joint_dim, encoder.reads_text,
            )  # fmt: skip
            with _disk_errors(self.path):
                self._make_table(
                    f"embeddings/{active.space}", schema.embeddings(active.dim, active.joint_dim)
                )
                self._description["spaces"][active.space] = asdict(active)
                self._description["active_space"] = active.space
                self._save_description()
        check_fits(encoder, active, self.path.stem)
        return active

    @property
    def is_unfinished(self) -> bool:
        """Whether the last `index` was stopped before its end."""
        return bool(self._description.get("unfinished", False))

    def mark_unfinished(self, unfinished: bool) -> None:
        self._description["unfinished"] = unfinished
        with _disk_errors(self.path):
            self._save_description()

    @property
    def finding(self) -> Finding:
        """What `index` finds in every picture."""
        stated = self._description.get("finding", {})
        return Finding(**stated | {"names": tuple(stated.get("names", ()))})

    def remember_finding(self, finding: Finding) -> None:
        self._description["finding"] = asdict(finding)
        with _disk_errors(self.path):
            self._save_description()

    def unfound(self, stamp: str) -> set[str]:
        """The images whose regions are not, or not all, those of these finders."""
        images = self.read("images", ["image_id", "finding"])
        found = pc.fill_null(pc.equal(images["finding"], stamp), False)
        return set(images["image_id"].filter(pc.invert(found)).to_pylist())

    def _save_description(self) -> None:
        draft = self.path / f"{DESCRIPTION}.new"
        with draft.open("w", encoding="utf-8") as file:
            json.dump(self._description, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path / DESCRIPTION)

    # -- reading

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        *,
        version: int | None = None,
    ) -> pa.Table:
        """Rows of a table as Arrow; `where` is a Lance filter."""
        return self._dataset(table, version).to_table(columns=columns, filter=where)

    def read_ids(
        self, table: str, key: str, ids: Sequence[str], columns: Sequence[str] | None = None
    ) -> pa.Table:
        """The rows whose `key` is one of `ids`, in no order."""
        dataset = self._dataset(table)
        found = [dataset.to_table(columns=columns, filter=some) for some in _one_of(key, ids)]
        return pa.concat_tables(found or [dataset.to_table(columns=columns, limit=0)])

    def count(self, table: str, where: str | None = None) -> int:
        return int(self._dataset(table).count_rows(where))

    def version(self, table: str) -> int:
        """A number that changes when the table does."""
        return int(self._dataset(table).version)

    def read_vectors(self, table: str, column: str, *, version: int | None = None) -> Embeddings:
        """All embeddings of a space -> (N, D), in the order of the table."""
        dataset = self._dataset(table, version)
        n_rows, dim = dataset.count_rows(), dataset.schema.field(column).type.list_size
        vectors = np.empty((n_rows, dim), dtype=np.float32)
        start = 0
        for batch in dataset.to_batches(columns=[column]):
            stop = start + batch.num_rows
            vectors[start:stop] = batch.column(0).flatten().to_numpy().reshape(-1, dim)
            start = stop
        return vectors

    # -- writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep every other writer out. Raises CollectionBusy when one is at work."""
        lock = FileLock(self.path / "writer.lock", blocking=False)
        try:
            with _disk_errors(self.path):
                lock.acquire()
        except Timeout:
            raise CollectionBusy(
                f"Another process is writing to {self.path}. Wait until it is done."
            ) from None
        try:
            self._upgrade()
            yield
        finally:
            lock.release()

    def _upgrade(self) -> None:
        """Bring a collection of schema version 1 to 2: images say what found their regions."""
        if self.schema_version == 1:
            with _disk_errors(self.path):
                if "finding" not in self._dataset("images").schema.names:
                    self._dataset("images").add_columns(schema.IMAGES.field("finding"))
                self._description["schema_version"] = schema.SCHEMA_VERSION
                self._save_description()

    def repair(self) -> None:
        """Sweep away rows of a batch that a killed process left half written."""
        known = self.read("images", ["image_id", "finding"])
        searched = known.filter(pc.is_valid(known["finding"]))["image_id"]
        for table in ["regions", *(f"embeddings/{space}" for space in self.spaces)]:
            ids = self.read(table, ["region_id"])["region_id"]
            images = pc.utf8_slice_codeunits(ids, 0, 32)
            wholes = pc.and_(pc.equal(ids, images), pc.is_in(images, value_set=known["image_id"]))
            is_sound = pc.or_(wholes, pc.is_in(images, value_set=searched))
            self.delete(table, "region_id", ids.filter(pc.invert(is_sound)).to_pylist())

    def append(
        self,
        space: str,
        images: Sequence[ImageRow],
        embeddings: ImageEmbeddings,
        places: Sequence[PlaceRow],
        parts: Parts | None = None,
    ) -> None:
        """Add images, their embeddings (B, D) row by row, parts and places. All or nothing counts.

        Embeddings must be finite, float32 and of length 1.
        """
        if images:
            ids = [image.image_id for image in images]
            self._append(f"embeddings/{space}", _embedding_rows(ids, embeddings))
            self._append("regions", _whole_image_rows(ids))
            if parts:
                self._append_parts(space, parts)
            finding = {"finding": parts.finding if parts else None}
            rows_of_images = [asdict(image) | finding for image in images]
            self._append("images", pa.Table.from_pylist(rows_of_images, schema.IMAGES))
        if places:
            rows = pa.Table.from_pylist([asdict(p) for p in places], schema.PLACES)
            self._merge("places", ["source", "uri"], rows)
        self._n_commits += 1
        if self._n_commits % COMMITS_BETWEEN_TIDYING == 0:
            self.tidy()

    def replace_parts(self, space: str, image_ids: Sequence[str], parts: Parts) -> None:
        """Put others in the place of the parts of some known images.

        Until all is done the images count as not searched, so that a kill leaves no half of it.
        """
        these = " OR ".join(_one_of("image_id", image_ids))
        if self.count("images", f"finding IS NOT NULL AND ({these})"):
            self._set_finding(image_ids, None)
            are_parts = f"region_id != image_id AND ({these})"
            old = self.read("regions", ["region_id"], are_parts)["region_id"].to_pylist()
            for table in ["regions", *(f"embeddings/{space}" for space in self.spaces)]:
                self.delete(table, "region_id", old)
        self._append_parts(space, parts)
        self._set_finding(image_ids, parts.finding)

    def _append_parts(self, space: str, parts: Parts) -> None:
        if parts.rows:
            ids = [row.region_id for row in parts.rows]
            self._append(f"embeddings/{space}", _embedding_rows(ids, parts.embeddings))
            rows = pa.Table.from_pylist([asdict(row) for row in parts.rows], schema.REGIONS)
            self._append("regions", rows)

    def _set_finding(self, image_ids: Sequence[str], finding: str | None) -> None:
        value = "NULL" if finding is None else _quoted(finding)
        with _disk_errors(self.path):
            for some in _one_of("image_id", image_ids):
                self._dataset("images").update({"finding": value}, where=some)

    def replace_problems(self, solved_uris: Sequence[str], problems: Sequence[ProblemRow]) -> None:
        """Forget the problems of some places and write down others."""
        self.delete("problems", "uri", [*solved_uris, *(p.uri for p in problems)])
        if problems:
            self._append(
                "problems", pa.Table.from_pylist([asdict(p) for p in problems], schema.PROBLEMS)
            )

    def problem_stages(self, source: str) -> dict[str, str]:
        """The places of a source that had a problem last time, and the stage of it."""
        rows = self.read("problems", ["uri", "stage"], f"source = {_quoted(source)}")
        return dict(zip(rows["uri"].to_pylist(), rows["stage"].to_pylist(), strict=True))

    def place_rows(self, source: str) -> pa.Table:
        """What the collection knows of a source's places."""
        return self.read("places", where=f"source = {_quoted(source)}")

    def add_run(self, row: Mapping[str, Any]) -> None:
        """Keep a clustering or a projection."""
        self._append("runs", pa.Table.from_pylist([dict(row)], schema.RUNS))

    def delete(self, table: str, key: str, values: Sequence[str]) -> None:
        """Delete the rows whose `key` is one of `values`."""
        with _disk_errors(self.path):
            for some in _one_of(key, values):
                self._dataset(table).delete(some)

    def delete_places(self, source: str, uris: Sequence[str]) -> None:
        with _disk_errors(self.path):
            for some in _one_of("uri", uris):
                self._dataset("places").delete(f"source = {_quoted(source)} AND {some}")

    def drop_placeless(self, image_ids: Sequence[str]) -> int:
        """Drop those of the images that lie nowhere any more; says how many."""
        placed = set(
            self.read_ids("places", "image_id", image_ids, ["image_id"])["image_id"].to_pylist()
        )
        gone = sorted(set(image_ids) - placed)
        if gone:
            self.delete("images", "image_id", gone)  # first: `repair` sweeps what is left of them
            self.repair()
        return len(gone)

    def tidy(self) -> None:
        """Join small fragments, index ids where it pays, drop old versions."""
        with _disk_errors(self.path):
            for table in [*schema.TABLES, *(f"embeddings/{space}" for space in self.spaces)]:
                dataset = self._dataset(table)
                # Copying files as they are holds no thumbnails in memory: 30 MB instead of 140.
                dataset.optimize.compact_files(compaction_mode="try_binary_copy", num_threads=1)
                if table in ("images", "places") and dataset.count_rows() >= INDEXED_FROM_ROWS:
                    dataset.create_scalar_index("image_id", "BTREE", replace=True)
                self._dataset(table).cleanup_old_versions(older_than=KEPT_VERSIONS)

    def _append(self, table: str, rows: pa.Table) -> None:
        import lance

        with _disk_errors(self.path):
            lance.write_dataset(rows, self._uri(table), mode="append")

    def _merge(self, table: str, keys: list[str], rows: pa.Table) -> None:
        with _disk_errors(self.path):
            merge = self._dataset(table).merge_insert(keys)
            merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)

    def _make_table(self, table: str, table_schema: pa.Schema) -> None:
        import lance

        shutil.rmtree(self._uri(table), ignore_errors=True)  # left by a creation that was killed
        lance.write_dataset(table_schema.empty_table(), self._uri(table), mode="create")

    def _dataset(self, table: str, version: int | None = None) -> Any:
        import lance

        try:
            return lance.dataset(self._uri(table), version=version)
        except (ValueError, OSError) as error:
            raise StoreError(f"Table {table} of {self.path} cannot be opened: {error}") from error

    def _uri(self, table: str) -> str:
        return str(self.path / f"{table}.lance")


def _exists(path: Path) -> CollectionExists:
    return CollectionExists(f"{path} is there already. Open it, or choose another name.")


def check_fits(encoder: Encoder, space: Space, collection: str) -> None:
    """Refuse an encoder whose embeddings are not those of the space."""
    if encoder.space != space.space:
        raise EncoderMismatch(
            f"Collection '{collection}' holds embeddings of encoder '{space.encoder}' ({space.dim} "
            f"numbers per image); '{encoder.name}' makes {encoder.dim}, and the two cannot be "
            f"compared. Leave out --encoder to go on with '{space.encoder}', or start another "
            "collection."
        )
    if encoder.weights_hash != space.weights_hash:
        raise EncoderMismatch(
            f"The weights of encoder '{encoder.name}' are not those that collection "
            f"'{collection}' was made with (hash {encoder.weights_hash[:8]}, was "
            f"{space.weights_hash[:8]}). Put the old weights back, or index into a new collection."
        )


def _embedding_rows(ids: Sequence[str], embeddings: ImageEmbeddings) -> pa.Table:
    columns = {"region_id": pa.array(ids), "vector": _vector_column(embeddings.vectors)}
    if embeddings.joint is not None:
        columns["joint"] = _vector_column(embeddings.joint)
    return pa.table(columns)


def _vector_column(vectors: Embeddings) -> pa.Array:
    """(N, D) -> an Arrow column; refuses what is not float32 of length 1."""
    lengths = np.linalg.norm(vectors, axis=1)  # (N,)
    assert vectors.dtype == np.float32, f"encoders promise float32, not {vectors.dtype}"
    assert np.allclose(lengths, 1, atol=1e-3), f"encoders promise length 1, not {lengths}"
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])


def _whole_image_rows(ids: Sequence[str]) -> pa.Table:
    n = len(ids)
    nothing = [None] * n
    columns = [ids, ids, ["image"] * n, nothing, [WHOLE_IMAGE] * n, [1.0] * n, nothing]
    return pa.table(dict(zip(schema.REGIONS.names, columns, strict=True)), schema.REGIONS)


def _one_of(key: str, values: Sequence[str]) -> Iterator[str]:
    """Lance filters for `key` among `values`, in bites that its parser takes."""
    for start in range(0, len(values), IDS_PER_FILTER):
        listed = ", ".join(_quoted(value) for value in values[start : start + IDS_PER_FILTER])
        yield f"{key} IN ({listed})"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Say in a person's words what the disk refused. Lance reports it as text."""
    try:
        yield
    except (BilderatlasError, Timeout):
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreError(_disk_message(path, error)) from error


def _disk_message(path: Path, error: Exception) -> str:
    text = str(error)
    code = getattr(error, "errno", None)
    if code in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT) or any(
        sign in text for sign in ("No space left", "File too large", "Disk quota")
    ):
        return (
            f"The disk of {path} is full. Nothing that was written before is lost: make room and "
            "run the same command again; it goes on where it stopped."
        )
    if code in (errno.EROFS, errno.EACCES, errno.EPERM) or any(
        sign in text for sign in ("Read-only file system", "Permission denied")
    ):
        is_read_only = code == errno.EROFS or "Read-only" in text
        why = "its disk is read-only" if is_read_only else "no permission"
        return f"{path} cannot be written: {why}. Choose a collection in a folder of yours."
    return f"Writing to {path} failed: {text.splitlines()[0] if text else error!r}"
