"""Mend a collection: save what is sound, restore what is kept twice, make the rest again.

Nothing is deleted: what is taken out lies in `damaged/TIME` of the collection's folder afterwards.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout

from bilderatlas.collection.doctor import check, tables
from bilderatlas.collection.doctor.check import Examination, examine_collection, lacking
from bilderatlas.collection.doctor.tables import KEYS, attempt
from bilderatlas.errors import BilderatlasError, CollectionBusy
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder
from bilderatlas.results import Progress, Space
from bilderatlas.storage import Store, checksums, decision_file, description, schema
from bilderatlas.storage.damage import told
from bilderatlas.storage.disk import disk_errors
from bilderatlas.storage.rows import whole_image_rows
from bilderatlas.storage.spaces import check_weights
from bilderatlas.storage.tables import Tables

FOLDER = "damaged"
WAIT_S = 5.0  # for others who write
Encoders = Mapping[str, Encoder]  # by the name of their space
Places = Sequence[Mapping[str, Any]]  # rows whose pictures are to be read again


@dataclass(slots=True)
class Repair:
    """What was found, what was done about it, and what is left."""

    before: Examination
    after: Examination
    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)  # what could not be had, and what to do

    def to_dict(self) -> dict[str, Any]:
        """The repair as JSON knows it."""
        was = {"damages_before": [damage.to_dict() for damage in self.before.damages]}
        return self.after.to_dict() | was | {"done": self.done, "left": self.left}


def repair(
    folder: Path,
    *,
    given: Encoders | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Repair:
    """Mend a collection as far as it goes. May be stopped at any moment and said again; what was
    to be read from sources by then is taken in by the next `index` or `reindex`.

    `given` encoders are used for their spaces; others are loaded by the names in the stamps.
    Raises CollectionNotFound, CollectionBusy, StoreError.
    """
    before = examine_collection(folder)
    mending = _Mending(folder, before)
    with disk_errors(folder), mending.alone():
        mending.mend_files()
        mending.mend_tables()
        mending.mend_decisions()
        lost = mending.mend_rows()
    for step in mending.fetch(lost, given or {}):
        if on_progress:
            on_progress(step)
    return Repair(before, examine_collection(folder), mending.done, mending.left)


class _Mending:
    """One repair on its way."""

    def __init__(self, folder: Path, found: Examination) -> None:
        self.folder, self.found = folder, found
        self.aside = folder / FOLDER / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S.%f}"
        self.done: list[str] = []
        self.left: list[str] = []

    def alone(self) -> ExitStack:
        """Keep every other writer out, also where a lock is damaged. Raises CollectionBusy."""
        stack = ExitStack()
        for name in ("writer.lock", decision_file.LOCK, checksums.LOCK):
            lock = self.folder / name
            if lock.exists() and not lock.is_file():
                self._set_aside(lock, "it is not a file")
        for name in ("writer.lock", decision_file.LOCK):
            try:
                stack.enter_context(FileLock(self.folder / name, timeout=WAIT_S))
            except Timeout:
                stack.close()
                raise CollectionBusy(
                    f"Another process is writing to {self.folder}. Wait until it is done."
                ) from None
        return stack

    def _set_aside(self, file: Path, why: str) -> None:
        """Take something out of the collection, and keep it."""
        place = self.aside / file.relative_to(self.folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, place)
        name = file.relative_to(self.folder).as_posix()
        self.done.append(f"{name} was set aside ({why}).")

    # -- files

    def mend_files(self) -> None:
        for file, wrong in check.faulty_files(self.folder).items():
            self._set_aside(file, wrong)
        spare = self.folder / checksums.SPARE
        if spare.exists() and not spare.is_dir():
            self._set_aside(spare, "it is not a folder")
        self.known, wrong = attempt(lambda: checksums.read(self.folder))
        if wrong:
            self._set_aside(self.folder / checksums.FILE, "it does not hold what was written")
            self.known = {}
        self._mend_description()

    def _mend_description(self) -> None:
        file, spare = (self.folder / description.FILE, self.folder / self._copy_of_description)
        stated = check.sound_description(file)
        if isinstance(stated, dict):
            if isinstance(check.sound_description(spare), str):
                self._write_description(stated)
            return
        known = check.sound_description(spare)
        if isinstance(known, dict):
            self._write_description(known, taken_from="its second copy")

    _copy_of_description = f"{checksums.SPARE}/{description.FILE}"

    def _write_description(self, stated: dict[str, Any], *, taken_from: str = "") -> None:
        for file in (self.folder / description.FILE, self.folder / self._copy_of_description):
            if file.exists() and isinstance(check.sound_description(file), str):
                self._set_aside(file, "it does not hold what was written")
        description.write(self.folder, stated)
        if taken_from:
            self.done.append(f"{description.FILE} was restored from {taken_from}.")

    # -- tables

    def mend_tables(self) -> None:
        stated = check.sound_description(self.folder / description.FILE)
        self.described = stated if isinstance(stated, dict) else {}
        for table, columns in check.tables_of(self.folder, self.described).items():
            if table != decision_file.TABLE:
                self._mend_table(table, columns)
        if not self.described:
            self._describe_from_tables()
            for table, columns in check.tables_of(self.folder, self.described).items():
                if table != decision_file.TABLE:
                    self._mend_table(table, columns)

    def _mend_table(self, table: str, columns: pa.Schema | None) -> None:
        own = self.folder / f"{table}.lance"
        self._mend_manifests(table)
        state = tables.look(self.folder, table, self.known, columns)
        if state.dataset is None:
            if own.exists():
                self._set_aside(own, state.faults[0])
            if columns is not None:
                self._make(table, columns)
            return
        for name in state.bad_indices:
            attempt(partial(state.dataset.drop_index, name))
            self.done.append(f"Table {table}: an index is made again by the next 'index'.")
        if state.bad_fragments:
            self._drop_fragments(state, columns)

    def _make(self, table: str, columns: pa.Schema) -> None:
        shutil.rmtree(self.folder / checksums.SPARE / f"{table}.lance", ignore_errors=True)
        stamp = self.described.get("spaces", {}).get(table.removeprefix("embeddings/"))
        Tables(self.folder).make(table, schema.stamped(columns, stamp) if stamp else columns)
        self.done.append(f"Table {table} was made anew, empty.")

    def _mend_manifests(self, table: str) -> None:
        """Set aside those that are damaged, and put the second copy of the newest in its place."""
        if not (self.folder / f"{table}.lance" / "_versions").is_dir():
            return
        hint = self.folder / f"{table}.lance" / "_versions" / "latest_version_hint.json"
        if hint.exists() and not tables.hint_is_sound(hint):
            self._set_aside(hint, "it is garbled")
        for file in [
            *checksums.manifests_of(self.folder, table),
            *checksums.transactions_of(self.folder, table),
        ]:
            known, is_file = self.known.get(file), (self.folder / file).is_file()
            if wrong := known and checksums.fault(self.folder, file, known):
                self._set_aside(self.folder / file, wrong)
            elif not is_file:
                self._set_aside(self.folder / file, "it is not a file")
        self._restore_manifest(table)
        while [*checksums.manifests_of(self.folder, table)]:
            if not (wrong := attempt(lambda: tables.opened(self.folder, table))[1]):
                return
            newest = next(checksums.manifests_of(self.folder, table))
            self._set_aside(self.folder / newest, wrong)
        self._restore_manifest(table)

    def _restore_manifest(self, table: str) -> None:
        for spare in checksums.spare_manifests(self.folder, table):
            file = f"{table}.lance/_versions/{spare.name}"
            known, now = self.known.get(file), attempt(partial(checksums.of_file, spare))[0]
            if now is None or (known and known.crc != now.crc):
                self._set_aside(spare, "it does not hold what was written")
            elif not (self.folder / file).exists():
                shutil.copyfile(spare, self.folder / file)
                self.done.append(f"{file} was restored from its second copy.")

    def _drop_fragments(self, state: tables.TableState, columns: pa.Schema | None) -> None:
        import lance

        table, dataset = state.table, state.dataset
        drop = lance.LanceOperation.Delete([], [*state.bad_fragments], "damaged")
        commit = lance.LanceDataset.commit
        _, wrong = attempt(lambda: commit(dataset.uri, drop, read_version=dataset.version))
        if wrong:
            self._set_aside(self.folder / f"{table}.lance", wrong)
            self._make(table, columns or dataset.schema)
        self.done.append(f"Table {table}: {state.n_lost:,} rows in damaged files were taken out.")

    def _describe_from_tables(self) -> None:
        """Write a description of what the tables say of themselves."""
        spaces, n_rows = {}, {}
        for table in check.spaces_on_disk(self.folder):
            dataset, _ = attempt(partial(tables.opened, self.folder, table))
            stamp = dataset and schema.stamp_of(dataset.schema)
            if not stamp:
                self._set_aside(
                    self.folder / f"{table}.lance", "it is not known what it was made by"
                )
                continue
            space = Space(**stamp)
            spaces[space.space] = asdict(space)
            if space.field is None:
                n_rows[space.space] = dataset.count_rows()
        active = max(n_rows, key=lambda name: n_rows[name], default=None)
        self.described = description.new() | {"active_space": active, "spaces": spaces}
        self._write_description(self.described, taken_from="the tables")
        self.left.append(
            f"The active space is taken to be {active!r}. What 'index' finds in pictures (--find, "
            "--detector) has to be given again, if it found anything."
        )

    # -- decisions

    def mend_decisions(self) -> None:
        """Table and file are to say the same; what one lacks is taken from the other."""
        table = decision_file.TABLE
        state = self.found.tables.get(table)
        if state is not None and not state.is_sound:
            self._mend_manifests(table)
            state = tables.look(self.folder, table, self.known, schema.DECISIONS)
        kept = decision_file.read(self.folder)
        there = [] if state is None or state.rows is None else state.rows.to_pylist()
        sound = check.by_id([r for r in there if r["decision"] not in state.bad_rows])  # type: ignore[union-attr]
        written = check.by_id(kept.rows)
        wanted = decision_file.sorted_rows((sound | written).values())
        if state is not None and (not state.is_sound or sound != check.by_id(wanted)):
            self._restore_decisions(wanted)
        if state is not None and not (state.is_sound or decision_file.is_whole(self.folder)):
            self.left.append(
                f"Both forms of decisions were damaged. Lost are {check.BOTH_DAMAGED}."
            )
        if kept.faults or written != check.by_id(wanted):
            file = self.folder / decision_file.FILE
            if file.exists():
                self._set_aside(file, kept.faults[0] if kept.faults else "it lacks some")
            decision_file.write(self.folder, wanted)
            self.done.append(f"{decision_file.FILE} was written again: {len(wanted):,} decisions.")

    def _restore_decisions(self, wanted: Sequence[decision_file.Row]) -> None:
        table = decision_file.TABLE
        if (self.folder / f"{table}.lance").exists():
            self._set_aside(self.folder / f"{table}.lance", "it is not as it was written")
        shutil.rmtree(self.folder / checksums.SPARE / f"{table}.lance", ignore_errors=True)
        Tables(self.folder).make(table, schema.DECISIONS)
        if wanted:
            rows = pa.Table.from_pylist([dict(row) for row in wanted], schema.DECISIONS)
            _append(self.folder, table, rows)
        self.done.append(f"Table {table} was restored: {len(wanted):,} decisions.")

    # -- rows

    def mend_rows(self) -> Places:
        """Take out rows that cannot be right or that name what is gone; what is to be read again.

        What other tables say of a whole picture is written again at once.
        """
        (self.folder / checksums.FILE).unlink(missing_ok=True)
        store = Store.open(self.folder)
        store.reseal()
        states = {
            table: tables.look(self.folder, table, {}, columns)
            for table, columns in check.tables_of(self.folder, self.described).items()
        }
        for table, state in states.items():
            if table != decision_file.TABLE:
                twice = _twice(state) if table in ("images", "regions") else []
                twice += _twice(state) if table.startswith("embeddings/") else []
                self._take_out(store, table, [*map(str, state.bad_rows), *twice])
        self._take_out_orphaned_names(store)
        return self._mend_references(store)

    def _take_out(self, store: Store, table: str, keys: Sequence[str]) -> None:
        if keys:
            store.delete(table, KEYS.get(table, "region_id"), [*keys])
            self.done.append(f"Table {table}: {len(keys):,} rows that are garbled were taken out.")

    def _take_out_orphaned_names(self, store: Store) -> None:
        if store.has("names"):
            runs = store.read("runs", ["run"])["run"].combine_chunks()
            orphans = lacking(store.read("names", ["run"])["run"].combine_chunks(), runs)
            store.delete("names", "run", orphans.to_pylist())

    def _mend_references(self, store: Store) -> Places:
        places = store.read("places")
        images = store.read("images", ["image_id"])["image_id"].combine_chunks()
        gone = lacking(places["image_id"].combine_chunks(), images)
        lost: Places = places.filter(pc.is_in(places["image_id"], value_set=gone)).to_pylist()
        store.delete("places", "image_id", gone.to_pylist())
        n_parted = self._mend_regions(store, images)
        store.repair()
        if len(gone):
            self.done.append(
                f"{len(gone):,} pictures are to be read again from {len(lost):,} places."
            )
        if n_parted:
            self.left.append(
                f"Parts of {n_parted:,} pictures are lost; the next 'index' of their sources finds "
                "them again."
            )
        store.reseal()
        return lost

    def _mend_regions(self, store: Store, images: pa.Array) -> int:
        """Write whole pictures' rows again; forget all parts of images that lost some of them."""
        regions = store.read("regions", ["region_id"])["region_id"].combine_chunks()
        wholes = lacking(images, regions)
        embedded = [
            store.read(f"embeddings/{name}", ["region_id"])["region_id"].combine_chunks()
            for name in store.spaces
        ]
        unknown = pc.unique(pa.chunked_array([lacking(ids, regions) for ids in embedded] or [[]]))
        parts = unknown.filter(pc.greater(pc.utf8_length(unknown), 32)) if len(unknown) else unknown
        owners = pc.utf8_slice_codeunits(parts, 0, 32) if len(parts) else pa.array([], pa.string())
        incomplete = pc.unique(pa.chunked_array([wholes, owners]))
        searched = store.read("images", ["image_id"], "finding IS NOT NULL")["image_id"]
        parted = incomplete.filter(pc.is_in(incomplete, value_set=searched.combine_chunks()))
        if len(wholes):
            store.add_rows("regions", whole_image_rows(wholes.to_pylist()))
            self.done.append(f"Table regions: {len(wholes):,} whole pictures were written again.")
        store.forget_parts(parted.to_pylist())
        return len(parted)

    # -- from the sources

    def fetch(self, lost: Places, given: Encoders) -> Iterator[Progress]:
        """Read lost pictures again from where they lay, and embed what spaces lack."""
        from bilderatlas.indexing import index, reindex, texts

        store = Store.open(self.folder)
        active = store.active_space
        if lost and (encoder := self._encoder(active, given)):
            yield from self._embedding(index.read_again(store, encoder, lost))
        for space in store.spaces.values():
            lacks = texts.coverage(store, space).n_missing
            if lacks and (encoder := self._encoder(space, given)):
                yield from self._embedding(
                    reindex.complete(store, encoder, space)
                    if space.field is None
                    else texts.complete_alone(store, encoder, space.field)
                )
            if still := texts.coverage(store, space).n_missing:
                column = f" --text-column {space.field}" if space.field else ""
                self.left.append(
                    f"Space '{space.space}' lacks {still:,}; when their sources are there again: "
                    f"bilderatlas reindex {self.folder.stem} --encoder {space.encoder}{column}"
                )
        images = store.read("images", ["image_id"])["image_id"].combine_chunks()
        placed = store.read("places", ["image_id"])["image_id"].combine_chunks()
        if n_placeless := len(lacking(images, placed)):
            self.left.append(
                f"It is not known where {n_placeless:,} pictures lie: bilderatlas index "
                f"{self.folder.stem} SOURCE... finds them, and embeds none of them again."
            )
        self._tell_unread(store, lost)

    def _tell_unread(self, store: Store, lost: Places) -> None:
        if lost:
            uris = [place["uri"] for place in lost]
            n_back = len(store.read_ids("places", "uri", uris, ["uri"]))
            self.done.append(f"{n_back:,} of {len(uris):,} places were read again.")
            if n_back < len(uris):
                self.left.append(
                    f"{len(uris) - n_back:,} pictures could not be read again: 'bilderatlas "
                    f"problems {self.folder.stem}' says why. The next 'index' of their sources "
                    "takes them in."
                )

    def _embedding(self, steps: Iterator[Progress]) -> Iterator[Progress]:
        try:
            yield from steps
        except BilderatlasError as error:
            self.left.append(told(error))

    def _encoder(self, space: Space | None, given: Encoders) -> Encoder | None:
        """A space's own encoder; None, and a word of it, where it cannot be had."""
        if space is None:
            return None
        try:
            encoder = given.get(space.space) or encoders.load(space.encoder)
            check_weights(encoder, space, self.folder.stem)
        except BilderatlasError as error:
            self.left.append(str(error))
            return None
        return encoder


def _twice(state: tables.TableState) -> list[str]:
    """The keys that several rows have."""
    counts = state.column(state.key).value_counts()
    if not len(counts):
        return []
    values, n = counts.field("values"), counts.field("counts")
    return [*values.filter(pc.greater(n, 1)).to_pylist()]


def _append(folder: Path, table: str, rows: pa.Table) -> None:
    import lance

    lance.write_dataset(rows, str(folder / f"{table}.lance"), mode="append")
