"""Look at everything that a collection's folder holds. Nothing is changed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas.collection.doctor.tables import TableState, attempt, look
from bilderatlas.errors import CollectionDamaged, CollectionNotFound, SchemaTooNew
from bilderatlas.results import Space
from bilderatlas.storage import (
    REINDEX,
    checksums,
    decision_file,
    description,
    job_history,
    schema,
    selections,
)
from bilderatlas.storage.checksums import Checksum
from bilderatlas.storage.disk import size_of

AGAIN = "read and embedded again from its source"


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was written."""

    part: str  # a table, or a file of the folder
    finding: str
    cost: str  # what is lost, and how it comes back

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Examination:
    """What was found of a collection."""

    path: Path
    damages: list[Damage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what is no damage, and good to know
    tables: dict[str, TableState] = field(default_factory=dict)
    n_bytes: int = 0
    seconds: float = 0.0

    @property
    def is_sound(self) -> bool:
        return not self.damages

    def to_dict(self) -> dict[str, Any]:
        """The examination as JSON knows it."""
        return {
            "collection": self.path.stem,
            "path": str(self.path),
            "is_sound": self.is_sound,
            "damages": [damage.to_dict() for damage in self.damages],
            "notes": self.notes,
            "n_rows": {
                name: 0 if state.rows is None else len(state.rows)
                for name, state in self.tables.items()
            },
            "n_bytes": self.n_bytes,
            "seconds": round(self.seconds, 2),
        }


def examine_collection(folder: Path) -> Examination:
    """Read every file of a collection. Raises CollectionNotFound, SchemaTooNew."""
    started = time.perf_counter()
    if not ((folder / description.FILE).exists() or description.is_left_of_one(folder)):
        raise CollectionNotFound(f"There is no collection at {folder}.")
    found = Examination(folder)
    stated = _description(found)
    known = _checksums(found, stated)
    for table, columns in tables_of(folder, stated or {}).items():
        found.tables[table] = look(folder, table, known, columns)
        found.damages += _of_table(found.tables[table], _cost_of(table, folder))
    found.damages += _of_references(found.tables, stated or {})
    found.damages += _of_decisions(folder, found.tables.get(decision_file.TABLE))
    found.damages += _of_other_files(folder)
    if (stated or {}).get("unfinished"):
        found.notes.append(
            "The last 'index' was stopped, or is still running: the tables are compared with each "
            "other once one has finished."
        )
    n_unknown = sum(state.n_unknown for state in found.tables.values())
    if n_unknown:
        found.notes.append(
            f"{n_unknown:,} files have no checksum yet; the next 'index' or --repair makes them."
        )
    found.n_bytes = size_of(folder)
    found.seconds = time.perf_counter() - started
    return found


def tables_of(folder: Path, stated: Mapping[str, Any]) -> dict[str, pa.Schema | None]:
    """The tables that a collection must have, or has, and their columns where they are known."""
    later = {
        table: columns
        for table, columns in schema.LATER_TABLES.items()
        if (folder / f"{table}.lance").exists() or [*checksums.spare_manifests(folder, table)]
    }
    if (folder / decision_file.FILE).exists():
        later[decision_file.TABLE] = schema.DECISIONS
    spaces: dict[str, pa.Schema | None] = {}
    for name, row in stated.get("spaces", {}).items():
        has_texts = row.get("field") is not None
        columns = schema.embeddings(row["dim"], row["joint_dim"], has_texts=has_texts)
        spaces[f"embeddings/{name}"] = columns
    if not stated:
        spaces = dict.fromkeys(spaces_on_disk(folder))
    return {**schema.TABLES, **later, **spaces}


def spaces_on_disk(folder: Path) -> list[str]:
    return [f"embeddings/{table.stem}" for table in sorted((folder / "embeddings").glob("*.lance"))]


def sound_description(file: Path) -> dict[str, Any] | str:
    """What a description says, if all of it has the form that is written; else what is wrong."""
    stated = description.parsed(file)
    if isinstance(stated, str) or stated["schema_version"] > schema.SCHEMA_VERSION:
        return stated
    _, wrong = attempt(lambda: _read_description(stated))
    return wrong or stated


def _read_description(stated: Mapping[str, Any]) -> None:
    spaces = {name: Space(**row) for name, row in stated["spaces"].items()}
    if stated["active_space"] not in (None, *spaces):
        raise ValueError(f"its active space {stated['active_space']!r} is not one of its spaces")
    description.last_index(dict(stated))


def _description(found: Examination) -> dict[str, Any] | None:
    folder, copy = found.path, f"{checksums.SPARE}/{description.FILE}"
    stated, spare = sound_description(folder / description.FILE), sound_description(folder / copy)
    if isinstance(stated, dict):
        if stated["schema_version"] > schema.SCHEMA_VERSION:
            raise SchemaTooNew(
                f"{folder} has schema version {stated['schema_version']}; this Bilderatlas knows "
                f"{schema.SCHEMA_VERSION}. Upgrade it: pip install --upgrade bilderatlas"
            )
        if isinstance(spare, str) and has_checksums(folder):
            found.damages.append(Damage(copy, spare, "nothing; it is written again"))
        return stated
    comes_from = "its second copy" if isinstance(spare, dict) else "the tables"
    cost = f"the collection cannot be opened; it is restored from {comes_from}"
    found.damages.append(Damage(description.FILE, stated, cost))
    return spare if isinstance(spare, dict) else None


def has_checksums(folder: Path) -> bool:
    """Whether the collection was ever written by a Bilderatlas that makes checksums."""
    said, _ = attempt(lambda: json.loads((folder / description.FILE).read_text("utf-8")))
    has_one = isinstance(said, dict) and description.CHECKSUM in said
    return has_one or (folder / checksums.SPARE).exists()


def _checksums(found: Examination, stated: Mapping[str, Any] | None) -> Mapping[str, Checksum]:
    known: Mapping[str, Checksum] = {}
    wrong = ""
    try:
        known = checksums.read(found.path)
    except CollectionDamaged:
        wrong = "it does not hold what was written"
    if not known and not wrong:
        has_rows = any(state.exists() for state in (found.path / "embeddings").glob("*.lance"))
        if has_checksums(found.path) and has_rows:
            wrong = "it is gone"
        else:
            found.notes.append("This collection has no checksums yet.")
    if wrong:
        cost = "until it is made again, a changed byte may not be seen"
        found.damages.append(Damage(checksums.FILE, wrong, cost))
    return known


COSTS = {
    "images": f"each picture is {AGAIN}",
    "places": "where pictures lie; the next 'index' of their sources finds them, without embedding",
    "regions": "whole pictures come back at once, parts are searched for again in their sources",
    "runs": "these clusterings and maps; make them again",
    "names": "names that programs gave; 'name' gives them again",
    "problems": "the list of what could not be read; the next 'index' notes it again",
    "decisions": f"none: they are restored from {decision_file.FILE}",
}
BOTH_DAMAGED = "those decisions that neither the table nor decisions.jsonl holds any more"


def _cost_of(table: str, folder: Path) -> str:
    if table == decision_file.TABLE and not decision_file.is_whole(folder):
        return BOTH_DAMAGED
    return COSTS.get(table, "these embeddings; they are made again from their sources")


def _of_table(state: TableState, what: str) -> Iterator[Damage]:
    part = f"table {state.table}"
    for wrong in state.faults:
        yield Damage(part, wrong, what)
    for number, wrong in state.bad_fragments.items():
        yield Damage(part, wrong, f"fragment {number} of {state.n_lost:,} rows: {what}")
    for name, wrong in state.bad_indices.items():
        yield Damage(part, wrong, f"index {name or 'of ids'}; it is made again")
    reasons: dict[str, list[str]] = {}
    for key, wrong in state.bad_rows.items():
        reasons.setdefault(wrong, []).append(str(key))
    for wrong, keys in reasons.items():
        some = ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
        yield Damage(part, f"{len(keys):,} rows: {wrong} ({some})", what)


# -- between tables


def _of_references(tables: Mapping[str, TableState], stated: Mapping[str, Any]) -> Iterator[Damage]:
    """What one table names and another lacks. Of a table that is damaged nothing follows."""
    if stated.get("unfinished"):
        return  # the next `index` sweeps away what a stopped one left
    sound = {name: state for name, state in tables.items() if state.is_sound}
    for name, state in sound.items():
        yield from _of_keys(name, state)
    if not {"images", "places", "regions"} <= sound.keys():
        return
    images = sound["images"].column("image_id")
    places, regions = sound["places"].column("image_id"), sound["regions"].column("region_id")
    wholes = regions.filter(pc.equal(pc.utf8_length(regions), 32))
    pairs = (
        ("places", lacking(places, images), "images that are not there", "read again"),
        ("images", lacking(images, places), "images have no place", COSTS["places"]),
        ("regions", lacking(images, wholes), "images have no region", "it is written again"),
        (
            "regions",
            lacking(sound["regions"].column("image_id"), images),
            "images that are not there",
            "nothing: it is removed",
        ),
    )
    for table, missing, what, cost in pairs:
        if len(missing):
            yield Damage(f"table {table}", f"{len(missing):,} {what}", cost)
    yield from _of_embeddings(sound, regions, stated)


def _of_keys(name: str, state: TableState) -> Iterator[Damage]:
    if name in ("problems", "names", "runs"):  # two at once gave runs one name until 2026-11-28
        return
    keys = state.column(state.key)
    if name == "places":
        keys = pc.binary_join_element_wise(keys, state.column("source"), "\n")
    n_twice = len(keys) - len(pc.unique(keys))
    if n_twice:
        cost = COSTS.get(name, "they are made again")
        yield Damage(f"table {name}", f"{n_twice:,} rows are there twice", cost)


def _of_embeddings(
    sound: Mapping[str, TableState], regions: pa.Array, stated: Mapping[str, Any]
) -> Iterator[Damage]:
    for name, state in sound.items():
        if not name.startswith("embeddings/"):
            continue
        ids = state.column("region_id")
        unknown = lacking(ids, regions)
        if len(unknown):
            found = f"{len(unknown):,} embeddings of regions that are not there"
            yield Damage(f"table {name}", found, COSTS["regions"])
        if name == f"embeddings/{stated.get('active_space')}":
            absent = unexplained(lacking(regions, ids), sound)
            if len(absent):
                found = f"{len(absent):,} regions have no embedding"
                yield Damage(f"table {name}", found, "they are made again from their sources")


def lacking(ids: pa.Array, known: pa.Array) -> pa.Array:
    """Those of some ids that are not among the known, each once."""
    return pc.unique(ids.filter(pc.invert(pc.is_in(ids, value_set=known))))


def unexplained(regions: pa.Array, tables: Mapping[str, TableState]) -> pa.Array:
    """Those of some regions of which no problem says that their pictures could not be had."""
    problems, places = tables.get("problems"), tables["places"]
    if problems is None:
        return regions
    is_its = pc.is_in(problems.column("stage"), value_set=pa.array([REINDEX, "embed"]))
    uris = problems.column("uri").filter(is_its)
    images = places.column("image_id").filter(pc.is_in(places.column("uri"), value_set=uris))
    owners = pc.utf8_slice_codeunits(regions, 0, 32)
    return regions.filter(pc.invert(pc.is_in(owners, value_set=images)))


# -- decisions, and files beside the tables


def _of_decisions(folder: Path, state: TableState | None) -> Iterator[Damage]:
    kept = decision_file.read(folder)
    there = {} if state is None or state.rows is None else by_id(state.rows.to_pylist())
    is_sound = state is not None and state.is_sound
    none_lost = "nothing: it is written again from the table" if is_sound else BOTH_DAMAGED
    for wrong in kept.faults:
        yield Damage(decision_file.FILE, wrong, none_lost)
    if there and not (folder / decision_file.FILE).exists():
        found = "it is not there: decisions are kept once only"
        yield Damage(decision_file.FILE, found, none_lost)
        return
    written = by_id(kept.rows)
    n_less = len(written.keys() - there.keys())
    if n_less and state is not None and state.is_sound:
        cost = f"none: they are restored from {decision_file.FILE}"
        yield Damage("table decisions", f"{n_less:,} decisions are not there", cost)
    n_more = len(there.keys() - written.keys())
    if n_more and not kept.faults:
        yield Damage(decision_file.FILE, f"{n_more:,} decisions are not there", none_lost)
    n_other = sum(there[each] != written[each] for each in there.keys() & written.keys())
    if n_other:
        found = f"{n_other:,} decisions are not as they were written"
        cost = f"none: they are restored from {decision_file.FILE}"
        yield Damage("table decisions", found, cost)


def by_id(rows: Sequence[decision_file.Row]) -> dict[str, dict[str, Any]]:
    return {row["decision"]: dict(row) for row in rows}


def _of_other_files(folder: Path) -> Iterator[Damage]:
    for file, wrong in faulty_files(folder).items():
        yield Damage(file.relative_to(folder).as_posix(), wrong, "nothing else; it is set aside")


def faulty_files(folder: Path) -> dict[Path, str]:
    """What lies beside the tables and cannot be used, and why: locks, jobs, selections, caches."""
    found = {lock: "it is not a file" for lock in folder.glob("*.lock") if not lock.is_file()}
    if wrong := attempt(lambda: job_history.read(folder))[1]:
        found[folder / job_history.FILE] = wrong
    kept = folder / selections.FOLDER
    if kept.exists() and not kept.is_dir():
        found[kept] = "it is not a folder"
    for file in kept.glob("*") if kept.is_dir() else ():
        if selections.ID.fullmatch(file.name) and (wrong := _wrong_selection(file)):
            found[file] = wrong
    for file in folder.glob("words-*.npy"):
        if wrong := attempt(partial(_read_cache, file))[1]:
            found[file] = wrong
    return found


def _read_cache(file: Path) -> int:
    return int(np.load(file).shape[1])


def _wrong_selection(file: Path) -> str:
    content, wrong = attempt(file.read_bytes)
    is_sound = not wrong and blake2b(content, digest_size=8).hexdigest() == file.name
    return wrong or ("" if is_sound else "it does not hold what was written")
