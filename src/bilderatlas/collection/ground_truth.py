"""What people say the images are -> the classes at each place, and captions.

A table names places by their id or path, or images by id or by the end of a path; folders' names
and metadata columns need no table. What names no image of the collection is counted, never dropped
in silence.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa

from bilderatlas.errors import LabelsError
from bilderatlas.indexing import sources
from bilderatlas.indexing.sources import tables
from bilderatlas.results import image_id_of

FOLDERS = "folders"
DECISIONS = "decisions"  # labels that people gave in the collection
COLUMN = "column:"
LABEL_COLUMNS = ("label", "class", "category", "group", "target")
IMAGE_COLUMNS = ("region_id", "image_id", *tables.USUAL_COLUMNS, "id", "place_id")
PLACE_COLUMNS = ("place_id", *IMAGE_COLUMNS)
N_NAMED = 5  # names of unknown images in a message


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The classes at some places, and what of it could not be used."""

    source: str  # as a person would say it
    labels_at: Mapping[str, tuple[str, ...]]  # place id -> classes, one but for a few
    captions_of: Mapping[str, tuple[str, ...]]  # image id -> captions, where they were asked for
    unknown: tuple[str, ...]  # names of no image, or of several
    torn: tuple[str, ...]  # ids of images in several classes, at one place or at different ones

    def warnings(self) -> list[str]:
        """One line for whatever was left out."""
        lines = []
        if self.unknown:
            lines.append(
                f"{len(self.unknown):,} names in {self.source} match no image of the collection: "
                f"{_first(self.unknown)}."
            )
        if self.torn:
            lines.append(
                f"{len(self.torn):,} images have several labels and count in each class: "
                f"{_first(self.torn)}."
            )
        return lines


def read(
    labels: str,
    places: pa.Table,
    *,
    label_column: str | None = None,
    image_column: str | None = None,
    captions: str | None = None,
    decided: Mapping[str, Sequence[str]] | None = None,
) -> GroundTruth:
    """The ground truth for the images at `places` (rows of `places.rows`).

    `labels` is a CSV, TSV or Parquet file with a column of images and one of labels; a folder,
    whose folders are the classes; `folders`, for the name of the folder that each picture lies in;
    `column:NAME`, a metadata column; or `decisions`, for those in `decided` (image id -> labels).
    `captions` names a column of the file, or of the metadata.

    Folders and metadata columns say the class of a place; so does a table that names places by id
    or path. What names an image is said of all its places, unless the table names it as often as
    there are places: then each row is one of them, in their order.

    Raises LabelsError for what is not there, and where no image or only one class is named.
    """
    if labels == DECISIONS:
        given = _Given("people's labels", _decided(decided or {}, places))
    else:
        given = _Given.of(labels, places, label_column, image_column or PLACE_COLUMNS)
    labels_at = _dealt(given.named)
    unknown = tuple(dict.fromkeys(each.name for each in given.named if not each.rows))
    classes = {label for its in labels_at.values() for label in its}
    if not classes:
        raise _nothing_matches(given, unknown, places)
    image_ids, place_ids = places["image_id"].to_pylist(), places["place_id"].to_pylist()
    of_image: dict[str, set[str]] = defaultdict(set)
    for row, its in labels_at.items():
        of_image[image_ids[row]].update(its)
    if len(classes) == 1:
        raise LabelsError(
            f"All {len(of_image):,} images that {given.source} names are {classes.pop()!r}. "
            "To tell classes apart, give labels of two or more."
        )
    return GroundTruth(
        given.source,
        {place_ids[row]: tuple(its) for row, its in labels_at.items()},
        _captions(given, captions, places) if captions else {},
        unknown,
        tuple(sorted(image_id for image_id, its in of_image.items() if len(its) > 1)),
    )


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """All labels of some images and regions, and names that are of no image."""

    source: str  # as a person would say it
    labels_of: Mapping[str, tuple[str, ...]]  # image id, or id of a region -> labels
    unknown: tuple[str, ...]


def read_all(
    labels: str,
    places: pa.Table,
    *,
    label_column: str | None = None,
    image_column: str | None = None,
) -> GivenLabels:
    """As `read`, for images that may have several labels, in rows of their own or as a list.

    A table may name regions in a column `region_id`. Raises LabelsError where no image is named.
    """
    given = _Given.of(labels, places, label_column, image_column or IMAGE_COLUMNS)
    image_ids = places["image_id"].to_pylist()
    labels_of: dict[str, dict[str, None]] = defaultdict(dict)
    unknown: dict[str, None] = {}
    for each in given.named:
        images = dict.fromkeys(image_ids[row] for row in each.rows)
        if not images:
            unknown[each.name] = None
        elif found := dict.fromkeys(_texts(each.label)):
            for image in images:
                labels_of[each.name if each.name.startswith(f"{image}-") else image] |= found
    if not labels_of:
        raise _nothing_matches(given, list(unknown), places)
    return GivenLabels(
        given.source, {image: tuple(its) for image, its in labels_of.items()}, tuple(unknown)
    )


@dataclass(frozen=True, slots=True)
class _Named:
    """What is said of something by a name."""

    name: str
    rows: tuple[int, ...]  # the places that it means; none where it is of no image
    label: Any


@dataclass(frozen=True, slots=True)
class _Given:
    """Where labels come from, and what it says."""

    source: str
    named: Sequence[_Named]
    table: Sequence[tables.Row] = ()  # (R,) one for each of `named`

    @classmethod
    def of(
        cls,
        labels: str,
        places: pa.Table,
        label_column: str | None,
        image_column: str | Sequence[str],
    ) -> _Given:
        """`image_column` is the one that was asked for, or the usual names of one."""
        if labels == FOLDERS:
            return cls("the folders' names", list(_by_parent(places)))
        if labels.startswith(COLUMN):
            column = labels.removeprefix(COLUMN)
            return cls(f"metadata column {column!r}", _by_metadata(places, column))
        path = sources.absolute(sources.typed_path(labels))
        if path.is_dir():
            return cls(f"the folders of {path}", list(_by_folder_of(path, places)))
        if not tables.is_table(path):
            raise _no_labels(labels, places)
        return cls._of_table(path, places, label_column, image_column)

    @classmethod
    def _of_table(
        cls,
        path: Path,
        places: pa.Table,
        label_column: str | None,
        image_column: str | Sequence[str],
    ) -> _Given:
        table = list(tables.read_rows(path))
        if not table:
            raise LabelsError(f"{path} has no rows. Give a table with images and their labels.")
        image = _column(image_column, table[0], path, "images", "--image-column")
        label = _column(label_column or LABEL_COLUMNS, table[0], path, "labels", "--label-column")
        known = _PlaceNames(places, path.parent)
        names = (_text(row[image]) for row in table)
        named = [
            _Named(name, known.rows_of(name), row[label])
            for name, row in zip(names, table, strict=True)
        ]
        return cls(str(path), named, table)


def _dealt(named: Iterable[_Named]) -> dict[int, dict[str, None]]:
    """The classes at each place: of one place each where as many are named, else all at each."""
    said: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for each in named:
        if each.rows:
            said[each.rows].append(_label(each.label, each.name))
    labels_at: dict[int, dict[str, None]] = defaultdict(dict)
    for rows, labels in said.items():
        are_dealt = len(rows) == len(labels)
        for row, label in zip(rows, labels, strict=True) if are_dealt else product(rows, labels):
            if label:
                labels_at[row][label] = None
    return labels_at


def _label(given: Any, name: str) -> str:
    """A class as text; an empty one is none."""
    if isinstance(given, (list, tuple, dict)):
        raise LabelsError(
            f"{name!r} has the label {given!r}: an image has one class here. "
            "Choose a column with one label a row."
        )
    return _text(given)


def _text(value: Any) -> str:
    plain = tables.plain(value)
    return "" if plain is None else str(plain).strip()


# -- where there is no table


def _decided(labels_of: Mapping[str, Sequence[str]], places: pa.Table) -> list[_Named]:
    """Labels of whole images, at each of their places."""
    image_ids = places["image_id"].to_pylist()
    return [
        _Named(image_id, (row,), label)
        for row, image_id in enumerate(image_ids)
        for label in labels_of.get(image_id, ())
    ]


def _by_parent(places: pa.Table) -> Iterator[_Named]:
    for row, path in enumerate(places["path"].to_pylist()):
        parts = path.replace("!/", "/").rsplit("/", 2)
        yield _Named(path, (row,), parts[-2] if len(parts) > 1 else None)


def _by_folder_of(root: Path, places: pa.Table) -> Iterator[_Named]:
    """Pictures below other folders have no label; so have those directly in this one."""
    start = f"{sources.uri_of(root).rstrip('/')}/"
    for row, path in enumerate(places["path"].to_pylist()):
        folder, is_below, _ = path.removeprefix(start).partition("/")
        if path.startswith(start) and is_below:
            yield _Named(path, (row,), folder)


def _by_metadata(places: pa.Table, column: str) -> list[_Named]:
    metadata = [json.loads(text) for text in places["metadata"].to_pylist()]
    _check_metadata(column, metadata)
    return [
        _Named(path, (row,), values.get(column))
        for row, (path, values) in enumerate(zip(places["path"].to_pylist(), metadata, strict=True))
    ]


def _check_metadata(column: str, metadata: Sequence[Mapping[str, Any]]) -> None:
    there = dict.fromkeys(name for values in metadata for name in values)
    if column not in there:
        listed = f"it has: {', '.join(there)}" if there else "it has none"
        raise LabelsError(
            f"The collection has no metadata column {column!r}; {listed}. Columns come with "
            "tables: bilderatlas index COLLECTION TABLE.csv"
        )


# -- tables


def _column(asked: str | Sequence[str], row: tables.Row, path: Path, what: str, option: str) -> str:
    """The column asked for, or the first with one of the usual names."""
    if isinstance(asked, str):
        if asked in row:
            return asked
        raise LabelsError(f"{path} has no column {asked!r}. Its columns: {', '.join(row)}.")
    by_name = {str(name).lower().replace(" ", "_"): str(name) for name in row}
    for name in asked:
        if name in by_name:
            return by_name[name]
    told = ", ".join([name for name in asked if name != "place_id"][:5])
    raise LabelsError(
        f"No column of {path} has one of the usual names for {what} ({told}). "
        f"Name it with {option}; its columns: {', '.join(row)}."
    )


class _PlaceNames:
    """Places by what a table may call them: ids, paths, ids in their tables, ends of paths."""

    def __init__(self, places: pa.Table, folder: Path) -> None:
        self._places, self._folder = places, folder
        self._images: list[str] = places["image_id"].to_pylist()
        self._of_image = _grouped(self._images)
        self._of_place = _grouped(places["place_id"].to_pylist())
        self._at = _grouped(places["uri"].to_pylist()) | _grouped(places["path"].to_pylist())
        self._ends: dict[int, dict[str, tuple[int, ...]]] = {}  # number of parts -> end -> rows

    def rows_of(self, name: str) -> tuple[int, ...]:
        """The places that go by a name; paths may begin at the table's folder."""
        beside = sources.uri_of(sources.absolute(self._folder / sources.path_of(name)))
        return (
            self._of_image.get(image_id_of(name))  # of a region too
            or self._of_place.get(name)
            or self._at.get(name)
            or self._at.get(beside)
            or self._own_ids.get(name)
            or self._by_end(name)
        )

    @cached_property
    def _own_ids(self) -> dict[str, tuple[int, ...]]:
        own = (json.loads(text).get("id") for text in self._places["metadata"].to_pylist())
        return _grouped([None if each is None else str(each) for each in own])

    def _by_end(self, name: str) -> tuple[int, ...]:
        """The places of the one image whose paths end so."""
        n_parts = name.count("/") + 1
        if n_parts not in self._ends:
            paths = self._places["path"].to_pylist()
            ends = ["/".join(path.replace("!/", "/").split("/")[-n_parts:]) for path in paths]
            self._ends[n_parts] = _grouped(ends)
        rows = self._ends[n_parts].get(name, ())
        return rows if len({self._images[row] for row in rows}) == 1 else ()


def _grouped(names: Sequence[str | None]) -> dict[str, tuple[int, ...]]:
    """Which rows have each name; an empty one is none."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        if name:
            rows[name].append(row)
    return {name: tuple(its) for name, its in rows.items()}


# -- captions


def _captions(given: _Given, column: str, places: pa.Table) -> dict[str, tuple[str, ...]]:
    """Captions of images, from the table's column of this name or the metadata's."""
    image_ids = places["image_id"].to_pylist()
    captions: dict[str, dict[str, None]] = defaultdict(dict)
    if given.table and column in given.table[0]:
        cells = [
            (each.rows, row[column]) for each, row in zip(given.named, given.table, strict=True)
        ]
    else:
        cells = [(each.rows, each.label) for each in _by_metadata(places, column)]
    for rows, cell in cells:
        for row in rows:
            captions[image_ids[row]] |= dict.fromkeys(_texts(cell))
    found = {image_id: tuple(texts) for image_id, texts in captions.items() if texts}
    if not found:
        raise LabelsError(f"Column {column!r} holds no captions of images in the collection.")
    return found


def _texts(cell: Any) -> list[str]:
    """One caption, or several: a list, or a JSON array of texts."""
    if isinstance(cell, str) and cell.startswith("["):
        with suppress(json.JSONDecodeError):  # a caption may begin with a bracket too
            cell = json.loads(cell)
    listed = cell if isinstance(cell, list) else [cell]
    return [text for text in map(_text, listed) if text]


# -- refusals


def _nothing_matches(given: _Given, unknown: Sequence[str], places: pa.Table) -> LabelsError:
    example = places["path"][0].as_py() if len(places) else "nothing"
    if unknown:
        return LabelsError(
            f"None of the {len(unknown):,} names in {given.source} matches an image of the "
            f"collection. It says: {_first(unknown)}; the collection has: {example}. Name images "
            "by id or path, as 'bilderatlas export' lists them."
        )
    return LabelsError(
        f"{given.source[0].upper()}{given.source[1:]} gives no label to any image of the "
        f"collection, which has pictures like {example}."
    )


def _no_labels(labels: str, places: pa.Table) -> LabelsError:
    metadata = (json.loads(text) for text in places["metadata"].to_pylist())
    hint = f" For the metadata column say {COLUMN}{labels}." * any(labels in m for m in metadata)
    return LabelsError(
        f"{labels!r} is neither a folder nor a CSV, TSV or Parquet file.{hint} Give a table with "
        f"images and labels, a folder of folders, '{FOLDERS}', or '{COLUMN}NAME'."
    )


def _first(names: Sequence[str]) -> str:
    rest = f" and {len(names) - N_NAMED:,} more" if len(names) > N_NAMED else ""
    return ", ".join(names[:N_NAMED]) + rest
