"""Batches <-> Lance tables in the collection's folder.

The order of writing makes a killed process harmless: embeddings, regions, images, places. An
image is in the collection once its row in `images` is, and its parts once that row has the stamp of
their finders; rows of a batch that came no further are swept away by `repair` before the next one
is written.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout

from bilderatlas.encoders import Encoder, ImageEmbeddings
from bilderatlas.errors import CollectionBusy, CollectionExists
from bilderatlas.regions import Finding
from bilderatlas.results import IndexRun, Space
from bilderatlas.store import description, schema
from bilderatlas.store.disk import disk_errors
from bilderatlas.store.rows import (
    ImageRow,
    Parts,
    PlaceRow,
    ProblemRow,
    embedding_rows,
    whole_image_rows,
)
from bilderatlas.store.spaces import check_fits, space_of
from bilderatlas.store.tables import Tables, one_of, quoted

COMMITS_BETWEEN_TIDYING = 64
INDEXED_FROM_ROWS = 20_000  # below, a scan for an id is as fast as an index
KEPT_VERSIONS = timedelta(minutes=30)  # longer than any reader holds on to one


class Store(Tables):
    """The tables of one collection, open."""

    def __init__(self, path: Path, stated: dict[str, Any]) -> None:
        super().__init__(path)
        self._description = stated
        self._n_commits = 0

    @classmethod
    def create(cls, path: Path) -> Store:
        """Make an empty collection. Raises CollectionExists where something is already.

        It is made under another name and then renamed: it is there as a whole or not at all, and
        of two processes that make it at once one wins.
        """
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        store = cls(draft, description.new())
        with disk_errors(path):
            try:
                draft.mkdir(parents=True)
                for name, table_schema in schema.TABLES.items():
                    store._make_table(name, table_schema)
                description.write(draft, store._description)
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
        # Version 1 is read as it is; `writing` brings it to 2.
        return cls(path, description.read(path))

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
            active = space_of(encoder)
            with disk_errors(self.path):
                self._make_table(
                    f"embeddings/{active.space}", schema.embeddings(active.dim, active.joint_dim)
                )
                self._description["spaces"][active.space] = asdict(active)
                self._description["active_space"] = active.space
                description.write(self.path, self._description)
        check_fits(encoder, active, self.path.stem)
        return active

    @property
    def is_unfinished(self) -> bool:
        """Whether the last `index` was stopped before its end."""
        return bool(self._description.get("unfinished", False))

    def mark_unfinished(self, unfinished: bool) -> None:
        self._description["unfinished"] = unfinished
        with disk_errors(self.path):
            description.write(self.path, self._description)

    @property
    def finding(self) -> Finding:
        """What `index` finds in every picture."""
        stated = self._description.get("finding", {})
        return Finding(**stated | {"names": tuple(stated.get("names", ()))})

    def remember_finding(self, finding: Finding) -> None:
        self._description["finding"] = asdict(finding)
        with disk_errors(self.path):
            description.write(self.path, self._description)

    @property
    def last_index(self) -> IndexRun | None:
        """What really ran the last time that pictures were embedded or searched."""
        return description.last_index(self._description)

    def remember_index(self, run: IndexRun) -> None:
        self._description["last_index"] = run.to_dict()
        with disk_errors(self.path):
            description.write(self.path, self._description)

    def unfound(self, stamp: str) -> set[str]:
        """The images whose regions are not, or not all, those of these finders."""
        images = self.read("images", ["image_id", "finding"])
        found = pc.fill_null(pc.equal(images["finding"], stamp), False)
        return set(images["image_id"].filter(pc.invert(found)).to_pylist())

    # -- writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep every other writer out. Raises CollectionBusy when one is at work."""
        lock = FileLock(self.path / "writer.lock", blocking=False)
        try:
            with disk_errors(self.path):
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
            with disk_errors(self.path):
                if "finding" not in self._dataset("images").schema.names:
                    self._dataset("images").add_columns(schema.IMAGES.field("finding"))
                self._description["schema_version"] = schema.SCHEMA_VERSION
                description.write(self.path, self._description)

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
            self._append(f"embeddings/{space}", embedding_rows(ids, embeddings))
            self._append("regions", whole_image_rows(ids))
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
        these = " OR ".join(one_of("image_id", image_ids))
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
            self._append(f"embeddings/{space}", embedding_rows(ids, parts.embeddings))
            rows = pa.Table.from_pylist([asdict(row) for row in parts.rows], schema.REGIONS)
            self._append("regions", rows)

    def _set_finding(self, image_ids: Sequence[str], finding: str | None) -> None:
        value = "NULL" if finding is None else quoted(finding)
        with disk_errors(self.path):
            for some in one_of("image_id", image_ids):
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
        rows = self.read("problems", ["uri", "stage"], f"source = {quoted(source)}")
        return dict(zip(rows["uri"].to_pylist(), rows["stage"].to_pylist(), strict=True))

    def place_rows(self, source: str) -> pa.Table:
        """What the collection knows of a source's places."""
        return self.read("places", where=f"source = {quoted(source)}")

    def add_run(self, row: Mapping[str, Any]) -> None:
        """Keep a clustering or a projection."""
        self._append("runs", pa.Table.from_pylist([dict(row)], schema.RUNS))

    # -- tables that are made when they are first written to

    def read_later(self, table: str, where: str | None = None) -> pa.Table:
        """The rows of such a table; none where nothing was written yet."""
        if not self.has(table):
            return schema.LATER_TABLES[table].empty_table()
        return self.read(table, where=where)

    def add_later(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to such a table. Several processes may do so at once."""
        with disk_errors(self.path):
            if not self.has(table):
                self._make_table_at_once(table, schema.LATER_TABLES[table])
            self._append(table, pa.Table.from_pylist(list(rows), schema.LATER_TABLES[table]))

    def _later_tables(self) -> list[str]:
        return [table for table in schema.LATER_TABLES if self.has(table)]

    def delete_places(self, source: str, uris: Sequence[str]) -> None:
        with disk_errors(self.path):
            for some in one_of("uri", uris):
                self._dataset("places").delete(f"source = {quoted(source)} AND {some}")

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
        with disk_errors(self.path):
            spaces = [f"embeddings/{space}" for space in self.spaces]
            for table in [*schema.TABLES, *self._later_tables(), *spaces]:
                dataset = self._dataset(table)
                # Copying files as they are holds no thumbnails in memory: 30 MB instead of 140.
                dataset.optimize.compact_files(compaction_mode="try_binary_copy", num_threads=1)
                if table in ("images", "places") and dataset.count_rows() >= INDEXED_FROM_ROWS:
                    dataset.create_scalar_index("image_id", "BTREE", replace=True)
                self._dataset(table).cleanup_old_versions(older_than=KEPT_VERSIONS)


def _exists(path: Path) -> CollectionExists:
    return CollectionExists(f"{path} is there already. Open it, or choose another name.")
