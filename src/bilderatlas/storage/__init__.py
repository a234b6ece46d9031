"""Batches <-> Lance tables in the collection's folder.

The order of writing makes a killed process harmless: embeddings, regions, images, places. An
image is in the collection once its row in `images` is, and its parts once that row has the stamp of
their detectors; rows of a batch that came no further are swept away by `repair` before the next one
is written.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from sys import intern
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout

from bilderatlas.errors import CollectionBusy, CollectionExists
from bilderatlas.models.detectors import Finding
from bilderatlas.models.encoders import Encoder, ImageEmbeddings
from bilderatlas.results import OTHER, SMALL, IndexRun, Space
from bilderatlas.storage import checksums, description, schema
from bilderatlas.storage.description import Description
from bilderatlas.storage.disk import disk_errors
from bilderatlas.storage.rows import (
    ImageRow,
    Parts,
    PlaceRow,
    ProblemRow,
    embedding_rows,
    whole_image_rows,
)
from bilderatlas.storage.spaces import check_fits, check_weights, space_of
from bilderatlas.storage.tables import Tables, one_of, quoted

COMMITS_BETWEEN_TIDYING = 64
REINDEX = "reindex"  # the stage of problems that are not of `index`
INDEXED_FROM_ROWS = 20_000  # below, a scan for an id is as fast as an index
FRAGMENT_ROWS = 20_000
DECIDING_S = 60.0  # that a decision waits for others to be written
KEPT_VERSIONS = timedelta(minutes=30)  # since a newer one took their place; readers need seconds


class Store(Tables):
    """The tables of one collection, open."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._description = Description(path)
        self._n_commits = 0
        self.n_writings = 0  # that came to an end
        self._decision_lock = FileLock(path / "decisions.lock")  # by thread; may be nested

    @classmethod
    def create(cls, path: Path) -> Store:
        """Make an empty collection. Raises CollectionExists where something is already.

        It is made under another name and then renamed: it is there as a whole or not at all, and
        of two processes that make it at once one wins.
        """
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with disk_errors(path):
            try:
                draft.mkdir(parents=True)
                for name, table_schema in schema.TABLES.items():
                    Tables(draft).make(name, table_schema)
                description.write(draft, description.new())
                draft.rename(path)  # replaces an empty folder, and nothing else
            except (FileExistsError, NotADirectoryError) as error:
                raise _exists(path) from error
            except OSError as error:
                raise (_exists(path) if error.errno == errno.ENOTEMPTY else error) from error
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return cls(path)

    def remove_if_empty(self) -> bool:
        """Remove a collection that nothing was ever written to; says whether it did."""
        with self.writing():
            if self.count("images") or self.count("problems"):
                return False
            shutil.rmtree(self.path)
            return True

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a collection. Raises CollectionNotFound, SchemaTooNew or StoreError.

        Older versions are read as they are; `writing` brings them to this one.
        """
        return cls(path)

    # -- spaces

    @property
    def schema_version(self) -> int:
        return int(self._description.stated()["schema_version"])

    @property
    def spaces(self) -> dict[str, Space]:
        """By name, in the order in which they were made."""
        return {name: Space(**row) for name, row in self._description.stated()["spaces"].items()}

    @property
    def active_space(self) -> Space | None:
        name = self._description.stated()["active_space"]
        return self.spaces[name] if name else None

    def add_space(self, encoder: Encoder) -> Space:
        """The active space; where there is none, a new one for this encoder.

        Raises EncoderMismatch where the active space holds another encoder's embeddings.
        """
        active = self.active_space
        if active is None:
            active = self.space_for(encoder)
            self.activate(active.space)
        check_fits(encoder, active, self.path.stem)
        return active

    def space_for(self, encoder: Encoder, field: str | None = None) -> Space:
        """The space of an encoder's embeddings of pictures, or of a field's texts; made if need be.

        Raises EncoderMismatch where it was made with other weights.
        """
        wanted = space_of(encoder, field, self.spaces)
        known = self.spaces.get(wanted.space)
        if known:
            check_weights(encoder, known, self.path.stem)
            return known
        columns = schema.embeddings(wanted.dim, wanted.joint_dim, has_texts=field is not None)
        with disk_errors(self.path):
            self.make(f"embeddings/{wanted.space}", schema.stamped(columns, asdict(wanted)))
        rows = {name: asdict(space) for name, space in self.spaces.items()}
        self._description.update(spaces=rows | {wanted.space: asdict(wanted)})
        return wanted

    def activate(self, space: str) -> None:
        """Make a space of pictures the one that is asked and added to."""
        if self._description.stated()["active_space"] != space:
            self._description.update(active_space=space)

    @property
    def is_unfinished(self) -> bool:
        """Whether the last `index` was stopped before its end."""
        return bool(self._description.stated().get("unfinished", False))

    def mark_unfinished(self, unfinished: bool) -> None:
        self._description.update(unfinished=unfinished)

    @property
    def finding(self) -> Finding:
        """What `index` finds in every picture."""
        stated = self._description.stated().get("finding", {})
        return Finding(**stated | {"names": tuple(stated.get("names", ()))})

    def remember_finding(self, finding: Finding) -> None:
        self._description.update(finding=asdict(finding))

    @property
    def exclude(self) -> tuple[str, ...] | None:
        """Patterns of what `index` passes over; None where nobody said."""
        stated = self._description.stated().get("exclude")
        return None if stated is None else tuple(stated)

    @property
    def min_side(self) -> int:
        """Pixels of the shorter side that new pictures must have."""
        return int(self._description.stated().get("min_side", 0))

    def remember_choice(self, exclude: Sequence[str] | None, min_side: int | None) -> None:
        """Remember which files and pictures `index` takes, where that is said."""
        said = {"exclude": None if exclude is None else list(exclude), "min_side": min_side}
        self._description.update(**{name: each for name, each in said.items() if each is not None})

    @property
    def columns(self) -> dict[str, dict[str, str]]:
        """The columns that were asked for, of each table by its source: column, id_column."""
        stated: dict[str, dict[str, str]] = self._description.stated().get("columns", {})
        return stated

    def remember_columns(self, source: str, asked: Mapping[str, str]) -> None:
        if asked:
            own = self.columns.get(source, {}) | dict(asked)
            self._description.update(columns=self.columns | {source: own})

    @property
    def last_index(self) -> IndexRun | None:
        """What really ran the last time that pictures were embedded or searched."""
        return description.last_index(self._description.stated())

    def remember_index(self, run: IndexRun) -> None:
        self._description.update(last_index=run.to_dict())

    def unfound(self, stamp: str) -> set[str]:
        """The images whose regions are not, or not all, those of these detectors."""
        images = self.read("images", ["image_id", "finding"])
        found = pc.fill_null(pc.equal(images["finding"], stamp), False)
        return set(images["image_id"].filter(pc.invert(found)).to_pylist())

    def state(self, *tables: str) -> str:
        """A text that is another one when these tables are; without names, when anything is."""
        spaces = [f"embeddings/{space}" for space in self.spaces]
        asked = tables or [*schema.TABLES, *schema.LATER_TABLES, *spaces]
        versions = [f"{name} {self.version(name)}" for name in asked if self.has(name)]
        return ", ".join(versions if tables else [*versions, repr(self._description.stated())])

    # -- writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep every other writer out. Raises CollectionBusy when one is at work."""
        lock = FileLock(checksums.lock_file(self.path, "writer.lock"), blocking=False)
        try:
            with disk_errors(self.path):
                lock.acquire()
        except Timeout:
            raise CollectionBusy(
                f"Another process is writing to {self.path}. Wait until it is done."
            ) from None
        try:
            self._upgrade()
            try:
                yield
            finally:  # after Ctrl-C too
                self._seal()
        finally:
            lock.release()
            self.n_writings += 1

    def _seal(self, *tables: str) -> None:
        """Write down what the new files of some tables, or of all, hold, so that damage is seen."""
        if self.path.exists():  # `remove_if_empty` may have removed it
            with disk_errors(self.path):
                named = tables or self._all_tables()
                datasets = {table: self._dataset(table) for table in named if self.has(table)}
                checksums.seal(self.path, datasets)

    def _check_can_seal(self) -> None:
        """Refuse, before anything is written, what could not be sealed afterwards."""
        checksums.lock_file(self.path, checksums.LOCK)
        self._checksums.known()

    def reseal(self) -> None:
        """Write down what the files of all tables hold, where nothing is written down yet."""
        self._seal()

    def _all_tables(self) -> list[str]:
        spaces = [f"embeddings/{space}" for space in self.spaces]
        return [*schema.TABLES, *self._later_tables(), *spaces]

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Keep every other process and thread from deciding, and wait for those that are.

        What is looked at within and what is written then belong together. Raises CollectionBusy.
        """
        checksums.lock_file(self.path, "decisions.lock")
        self._check_can_seal()
        try:
            with disk_errors(self.path):
                self._decision_lock.acquire(timeout=DECIDING_S)
        except Timeout:
            raise CollectionBusy(
                f"Others have been writing decisions in {self.path} for {DECIDING_S:.0f} s. Try "
                "again."
            ) from None
        try:
            yield
        finally:
            self._decision_lock.release()

    def _upgrade(self) -> None:
        """Bring a collection of an older schema to this one.

        2: images say what found their regions. 3: spaces of texts.
        """
        if self.schema_version == schema.SCHEMA_VERSION:
            return
        with disk_errors(self.path):
            if "finding" not in self._dataset("images").schema.names:
                self._dataset("images").add_columns(schema.IMAGES.field("finding"))
        self._description.update(schema_version=schema.SCHEMA_VERSION)

    def repair(self) -> None:
        """Sweep away rows of a batch that a killed process left half written."""
        for table in ["regions", *(f"embeddings/{space}" for space in self.spaces)]:
            ids = self.read(table, ["region_id"])["region_id"]
            self.delete(table, "region_id", ids.filter(pc.invert(self._are_sound(ids))).to_pylist())

    def _are_sound(self, region_ids: pa.ChunkedArray) -> pa.ChunkedArray:
        """Which are of known images and, if parts, of a finding that came to its end."""
        known = self.read("images", ["image_id", "finding"])
        searched = known.filter(pc.is_valid(known["finding"]))["image_id"]
        images = pc.utf8_slice_codeunits(region_ids, 0, 32)
        is_whole = pc.equal(region_ids, images)
        is_known = pc.is_in(images, value_set=known["image_id"])
        return pc.or_(pc.and_(is_whole, is_known), pc.is_in(images, value_set=searched))

    def absent(self, space: str) -> pa.Table:
        """The regions that a space of pictures lacks: region_id, image_id, kind, box."""
        regions = self.read("regions", ["region_id", "image_id", "kind", "box"])
        there = self.read(f"embeddings/{space}", ["region_id"])["region_id"]
        is_there = pc.is_in(regions["region_id"], value_set=there.combine_chunks())
        is_sound = self._are_sound(regions["region_id"])
        return regions.filter(pc.and_(is_sound, pc.invert(is_there)))

    def add_embeddings(
        self,
        space: str,
        region_ids: Sequence[str],
        embeddings: ImageEmbeddings,
        texts: Sequence[str] | None = None,
    ) -> None:
        """Add embeddings (B, D) of known regions; those of a field keep their `texts`."""
        self._append(f"embeddings/{space}", embedding_rows(region_ids, embeddings, texts))

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
            self.forget_parts(image_ids)
        self._append_parts(space, parts)
        self._set_finding(image_ids, parts.finding)

    def forget_parts(self, image_ids: Sequence[str]) -> None:
        """Take the parts of some images out: they count as not searched then."""
        self._set_finding(image_ids, None)
        for these in one_of("image_id", image_ids):
            are_parts = f"region_id != image_id AND ({these})"
            old = self.read("regions", ["region_id"], are_parts)["region_id"].to_pylist()
            for table in ["regions", *(f"embeddings/{space}" for space in self.spaces)]:
                self.delete(table, "region_id", old)

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

    def replace_problems(
        self,
        solved_uris: Sequence[str],
        problems: Sequence[ProblemRow],
        *,
        of_reindex: bool = False,
    ) -> None:
        """Forget the problems that `index` (or `reindex`) had with some places, and note others."""
        stage = f"stage {'=' if of_reindex else '!='} {quoted(REINDEX)}"
        with disk_errors(self.path):
            for some in one_of("uri", [*solved_uris, *(p.uri for p in problems)]):
                self._dataset("problems").delete(f"{stage} AND {some}")
        if problems:
            self._append(
                "problems", pa.Table.from_pylist([asdict(p) for p in problems], schema.PROBLEMS)
            )

    def problem_rows(self, source: str) -> dict[str, tuple[str, str]]:
        """The places of a source that `index` left out last time, with stages and reasons."""
        where = f"source = {quoted(source)} AND stage != {quoted(REINDEX)}"
        rows = self.read("problems", ["uri", "stage", "reason"], where).to_pylist()
        return {row["uri"]: (intern(row["stage"]), intern(row["reason"])) for row in rows}

    def count_problems(self, kind: str) -> int:
        """How many rows of `problems` are of a kind: problem, other or small."""
        if kind != "problem":
            return self.count("problems", f"stage = {quoted(kind)}")
        return self.count("problems", f"stage NOT IN ({quoted(OTHER)}, {quoted(SMALL)})")

    def uris(self, source: str) -> list[str]:
        """Every place that was met in a source, those left out included."""
        where = f"source = {quoted(source)}"
        tables = (self.read(table, ["uri"], where) for table in ("places", "problems"))
        return sorted({uri for rows in tables for uri in rows["uri"].to_pylist()})

    def place_rows(self, source: str) -> pa.Table:
        """What the collection knows of a source's places."""
        return self.read("places", where=f"source = {quoted(source)}")

    def add_rows(self, table: str, rows: pa.Table) -> None:
        """Add rows as they are to be read."""
        self._append(table, rows)

    def add_run(self, row: Mapping[str, Any]) -> None:
        """Keep a clustering or a projection."""
        self._check_can_seal()
        self._append("runs", pa.Table.from_pylist([dict(row)], schema.RUNS))
        self._seal("runs")

    # -- tables that are made when they are first written to

    def read_later(self, table: str, where: str | None = None) -> pa.Table:
        """The rows of such a table; none where nothing was written yet."""
        if not self.has(table):
            self._description.stated()  # which says so where the collection is gone
            return schema.LATER_TABLES[table].empty_table()
        return self.read(table, where=where)

    def add_later(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to such a table. Several processes may do so at once."""
        self._check_can_seal()
        with disk_errors(self.path):
            if not self.has(table):
                self._make_table_at_once(table, schema.LATER_TABLES[table])
            self._append(table, pa.Table.from_pylist(list(rows), schema.LATER_TABLES[table]))
        self._seal(table)

    def _later_tables(self) -> list[str]:
        return [table for table in schema.LATER_TABLES if self.has(table)]

    def delete_places(self, source: str, uris: Sequence[str]) -> None:
        self.replace_problems(uris, [], of_reindex=True)
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
            for table in self._all_tables():
                dataset = self._dataset(table)
                # Copying files as they are holds no thumbnails in memory: 30 MB instead of 140.
                dataset.optimize.compact_files(
                    target_rows_per_fragment=FRAGMENT_ROWS,  # larger ones are never copied again
                    compaction_mode="try_binary_copy",
                    num_threads=1,
                )
                if table in ("images", "places") and dataset.count_rows() >= INDEXED_FROM_ROWS:
                    dataset.create_scalar_index("image_id", "BTREE", replace=True)
                self._drop_replaced(table)

    def _drop_replaced(self, table: str) -> None:
        """Drop versions that no reader needs, so that the disk holds those of half an hour more."""
        versions = self._dataset(table).versions()
        made_at = {version["version"]: version["timestamp"].timestamp() for version in versions}
        if gone := replaced(made_at, time.time() - KEPT_VERSIONS.total_seconds()):
            self._dataset(table).cleanup_old_versions(versions=gone)


def replaced(made_at: Mapping[int, float], before: float) -> list[int]:
    """The versions (number -> when it was made) that another one had replaced before a time.

    Lance's own `older_than` counts from when a version was made: then the one that readers hold
    goes the moment it is replaced, where nothing was written for a while before.
    """
    return [version for version, newer in pairwise(sorted(made_at)) if made_at[newer] <= before]


def _exists(path: Path) -> CollectionExists:
    return CollectionExists(f"{path} is there already. Open it, or choose another name.")
