"""One Lance table on disk, read to the last byte: what of it is sound, and what is not."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from bilderatlas.models.detectors import KINDS
from bilderatlas.storage import checksums
from bilderatlas.storage.checksums import Checksum
from bilderatlas.storage.damage import PANIC, told

Made = TypeVar("Made")
KEYS = {
    "images": "image_id",
    "places": "uri",
    "regions": "region_id",
    "runs": "run",
    "names": "run",
    "decisions": "decision",
    "problems": "uri",
}
HEAVY = ("thumbnail", "vector", "joint", "labels", "probabilities", "coordinates")
IMAGE_ID = "^[0-9a-f]{32}$"
REGION_ID = "^[0-9a-f]{32}(-[0-9]+)?$"
LENGTH_TOLERANCE = 1e-3  # as where embeddings are written


@dataclass(slots=True)
class TableState:
    """What was found of a table."""

    table: str
    dataset: Any = None  # None: it cannot be opened
    faults: list[str] = field(default_factory=list)  # of the table as a whole
    bad_fragments: dict[int, str] = field(default_factory=dict)
    bad_indices: dict[str, str] = field(default_factory=dict)
    bad_rows: dict[str, str] = field(default_factory=dict)  # by key, what is wrong
    n_lost: int = 0  # rows in bad fragments
    n_unknown: int = 0  # files without a checksum
    rows: pa.Table | None = None  # of sound fragments, without what is heavy

    @property
    def key(self) -> str:
        return KEYS.get(self.table, "region_id")

    @property
    def is_sound(self) -> bool:
        return not (self.faults or self.bad_fragments or self.bad_indices or self.bad_rows)

    def column(self, name: str) -> pa.Array:
        """A column of its sound rows; empty where there is none."""
        if self.rows is None or name not in self.rows.column_names:
            return pa.array([], pa.string())
        return self.rows[name].combine_chunks()


def look(
    folder: Path, table: str, known: Mapping[str, Checksum], expected: pa.Schema | None
) -> TableState:
    """Read a table whole. `expected` are the columns that it must have."""
    state = TableState(table)
    if not (folder / f"{table}.lance").is_dir():
        state.faults.append("the table is gone")
        return state
    state.faults += _faults_of_manifests(folder, table, known)
    newest_file = next(checksums.manifests_of(folder, table), "")
    if newest_file in known and checksums.fault(folder, newest_file, known[newest_file]):
        return state  # nothing that it says is to be believed
    dataset, wrong = attempt(lambda: opened(folder, table))
    if wrong:
        state.faults.append(wrong)
        return state
    newest = checksums.newest_of(known).get(table, 0)
    if dataset.version < newest:
        state.faults.append(f"version {newest} is gone, {dataset.version} is the newest there")
    if expected is not None and (other := _other_columns(dataset.schema, expected)):
        state.faults.append(f"columns {', '.join(other)} are not as they were made")
        return state
    state.dataset = dataset
    state.bad_indices = _bad_indices(folder, table, dataset, known)
    sound = []
    for fragment in dataset.get_fragments():
        rows, wrong = _read_fragment(folder, state, fragment, known)
        if rows is None:
            state.bad_fragments[fragment.fragment_id] = wrong
            state.n_lost += fragment.physical_rows or 0
        else:
            sound.append(rows)
    state.rows = pa.concat_tables(sound) if sound else None
    return state


def attempt(work: Callable[[], Made]) -> tuple[Made | Any, str]:
    """What some reading comes to, or what went wrong: whatever it is, it is the finding."""
    try:
        return work(), ""
    except Exception as error:  # noqa: BLE001  a fault is the finding
        return None, told(error)
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        return None, told(error)


def opened(folder: Path, table: str) -> Any:
    import lance

    dataset = lance.dataset(str(folder / f"{table}.lance"))
    if dataset.version == 0:  # what Lance makes of a manifest of zeros
        raise ValueError("its manifest holds nothing")
    assert dataset.schema is not None, "a garbled one panics here"
    return dataset


def _faults_of_manifests(folder: Path, table: str, known: Mapping[str, Checksum]) -> Iterator[str]:
    files = [*checksums.manifests_of(folder, table), *checksums.transactions_of(folder, table)]
    for file in files:
        if not (folder / file).is_file():
            yield f"{file} is not a file"
        elif file in known and (wrong := checksums.fault(folder, file, known[file])):
            yield wrong
    hint = folder / f"{table}.lance" / "_versions" / "latest_version_hint.json"
    if hint.exists() and not hint_is_sound(hint):
        yield f"{hint.relative_to(folder)} is garbled"


def hint_is_sound(hint: Path) -> bool:
    """Whether Lance's note of the newest version names one that is there."""
    said, wrong = attempt(lambda: json.loads(hint.read_text("utf-8"))["version"])
    return not wrong and (hint.parent / Path(checksums.manifest("x", said)).name).exists()


def _other_columns(there: pa.Schema, expected: pa.Schema) -> list[str]:
    lacking = [
        each.name
        for each in expected
        if each.name not in there.names or there.field(each.name).type != each.type
    ]
    return [name for name in lacking if name != "finding" or name in there.names]  # schema 1


def _bad_indices(
    folder: Path, table: str, dataset: Any, known: Mapping[str, Checksum]
) -> dict[str, str]:
    indices, wrong = attempt(dataset.describe_indices)
    if wrong:
        return {"": wrong}
    found = {}
    for index in indices:
        for segment in index.segments:
            start = f"{table}.lance/_indices/{segment.uuid}/"
            for file in (file for file in known if file.startswith(start)):
                if fault := checksums.fault(folder, file, known[file]):
                    found[index.name] = fault
    return found


def _read_fragment(
    folder: Path, state: TableState, fragment: Any, known: Mapping[str, Checksum]
) -> tuple[pa.Table | None, str]:
    """The light columns of a fragment's rows, all of which were read; or what is wrong with it."""
    for file in checksums.files_of_fragment(f"{state.table}.lance", fragment):
        if file not in known:
            state.n_unknown += 1
        elif fault := checksums.fault(folder, file, known[file]):
            return None, fault

    def read() -> pa.Table:
        light = []
        bad: dict[str, str] = {}
        for batch in fragment.to_batches(batch_size=1024):
            batch.validate(full=True)
            rows = pa.table(batch)
            bad |= _bad_rows(state, rows)
            light.append(rows.drop_columns([n for n in HEAVY if n in rows.column_names]))
        n_rows, n_expected = sum(map(len, light)), fragment.count_rows()
        if n_rows != n_expected:
            raise ValueError(f"{n_rows} rows were read, {n_expected} were written")
        state.bad_rows |= bad
        return pa.concat_tables(light) if light else None

    rows, wrong = attempt(read)
    return rows, wrong or "no rows could be read"


def _bad_rows(state: TableState, rows: pa.Table) -> dict[str, str]:
    """The keys of rows that cannot be what was written, and why."""
    check = {
        "images": _bad_images,
        "places": _bad_places,
        "regions": _bad_regions,
        "runs": _bad_runs,
        "decisions": _bad_decisions,
    }.get(state.table, _bad_embeddings if "vector" in rows.column_names else lambda rows: {})
    return check(rows)


def _chosen(rows: pa.Table, key: str, is_bad: Any, why: str) -> dict[str, str]:
    return dict.fromkeys(rows[key].filter(pc.fill_null(is_bad, True)).to_pylist(), why)


def _bad_images(rows: pa.Table) -> dict[str, str]:
    is_id = pc.match_substring_regex(rows["image_id"], IMAGE_ID)
    bad = _chosen(rows, "image_id", pc.invert(is_id), "its id is not valid")
    empty = pc.or_(pc.less_equal(rows["width"], 0), pc.less_equal(rows["height"], 0))
    bad |= _chosen(rows, "image_id", empty, "it has no size")
    for image_id, thumbnail in zip(
        rows["image_id"].to_pylist(), rows["thumbnail"].to_pylist(), strict=True
    ):
        if wrong := attempt(partial(_decode, thumbnail))[1]:
            bad[image_id] = f"its thumbnail cannot be read: {wrong}"
    return bad


def _decode(thumbnail: bytes) -> None:
    with Image.open(io.BytesIO(thumbnail)) as image:
        image.draft("L", (64, 64))  # all of its bytes are read, half the time is needed
        image.load()


def _bad_places(rows: pa.Table) -> dict[str, str]:
    is_id = pc.match_substring_regex(rows["image_id"], IMAGE_ID)
    bad = _chosen(rows, "uri", pc.invert(is_id), "its image has no id")
    for uri, metadata in zip(rows["uri"].to_pylist(), rows["metadata"].to_pylist(), strict=True):
        if not isinstance(attempt(partial(json.loads, metadata))[0], dict):
            bad[uri] = "its metadata are garbled"
    return bad


def _bad_regions(rows: pa.Table) -> dict[str, str]:
    ids, images = rows["region_id"], rows["image_id"]
    is_its = pc.equal(pc.utf8_slice_codeunits(ids, 0, 32), images)
    is_id = pc.match_substring_regex(ids, REGION_ID)
    bad = _chosen(rows, "region_id", pc.invert(pc.and_(is_its, is_id)), "its id is not valid")
    is_kind = pc.is_in(rows["kind"], value_set=pa.array(KINDS))
    bad |= _chosen(rows, "region_id", pc.invert(is_kind), "its kind is not valid")
    boxes = rows["box"].combine_chunks().flatten().to_numpy().reshape(-1, 4)  # (B, 4)
    inside = np.isfinite(boxes) & (boxes >= -LENGTH_TOLERANCE) & (boxes <= 1 + LENGTH_TOLERANCE)
    return bad | _chosen(rows, "region_id", pa.array(~inside.all(1)), "its box is not valid")


def _bad_embeddings(rows: pa.Table) -> dict[str, str]:
    is_id = pc.match_substring_regex(rows["region_id"], REGION_ID)
    bad = _chosen(rows, "region_id", pc.invert(is_id), "its region has no id")
    for name in {"vector", "joint"} & set(rows.column_names):
        column = rows[name].combine_chunks()
        vectors = column.flatten().to_numpy().reshape(-1, column.type.list_size)  # (B, D)
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)  # (B,)
        is_unit = np.abs(lengths - 1) <= LENGTH_TOLERANCE  # not for numbers that are none
        bad |= _chosen(rows, "region_id", pa.array(~is_unit), "its embedding is not of length 1")
    return bad


def _bad_runs(rows: pa.Table) -> dict[str, str]:
    bad = {}
    for row in rows.to_pylist():
        parameters = attempt(partial(json.loads, row["parameters"]))[0]
        n, n_ids = row["n_regions"], len(row["region_ids"] or ())
        each = {
            "cluster": [len(row["labels"] or ()), len(row["probabilities"] or ())],
            "project": [len(row["coordinates"] or ()) / (parameters or {}).get("dims", 2)],
            "classify": [len(row["labels"] or ()) / (parameters or {}).get("top", 1)],
        }.get(row["verb"])
        if not isinstance(parameters, dict) or each is None:
            bad[row["run"]] = "what it was made by is garbled"
        elif not all(length == n == n_ids for length in each):
            bad[row["run"]] = f"it is over {n:,} regions and has {n_ids:,}"
    return bad


def _bad_decisions(rows: pa.Table) -> dict[str, str]:
    return {
        row["decision"]: "its details are garbled"
        for row in rows.select(["decision", "payload"]).to_pylist()
        if not isinstance(attempt(partial(json.loads, row["payload"]))[0], dict)
    }
