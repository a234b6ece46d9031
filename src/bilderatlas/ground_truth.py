"""What people say the images are -> a class for each image, and captions.

A table names images by id, by path, or by the end of a path; folders' names and metadata columns
need no table. What names no image of the collection is counted, never dropped in silence.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from bilderatlas import sources
from bilderatlas.errors import LabelsError
from bilderatlas.results import image_id_of
from bilderatlas.sources import tables

FOLDERS = "folders"
DECISIONS = "decisions"  # labels that people gave in the collection
COLUMN = "column:"
LABEL_COLUMNS = ("label", "class", "category", "group", "target")
IMAGE_COLUMNS = ("region_id", "image_id", *tables.USUAL_COLUMNS, "id")
N_NAMED = 5  # names of unknown images in a message


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The class of some images, and what of it could not be used."""

    source: str  # as a person would say it
    label_of: Mapping[str, str]  # image id -> class
    captions_of: Mapping[str, tuple[str, ...]]  # image id -> captions, where they were asked for
    unknown: tuple[str, ...]  # names of no image, or of several
    torn: tuple[str, ...]  # ids of images that were given several classes, and have none here

    def warnings(self) -> list[str]:
        """One line for whatever was left out."""
        lines = []
        if self.unknown:
            lines.append(
                f"{len(self.unknown):,} names in {self.source} are of no image of the collection: "
                f"{_first(self.unknown)}."
            )
        if self.torn:
            lines.append(
                f"{len(self.torn):,} images have several labels and are left out: "
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
    """The ground truth for images at `places` (uri, image_id, metadata as JSON).

    `labels` is a CSV, TSV or Parquet file with a column of images and one of labels; a folder,
    whose folders are the classes; `folders`, for the name of the folder that each picture lies in;
    `column:NAME`, a metadata column; or `decisions`, for those in `decided` (image id -> labels).
    `captions` names a column of the file, or of the metadata.

    Raises LabelsError for what is not there, and where no image or only one class is named.
    """
    if labels == DECISIONS:
        given = _Given("people's labels", _decided(decided or {}))
    else:
        given = _Given.of(labels, places, label_column, image_column)
    unknown, label_of, torn = _one_each(given.named)
    if not label_of:
        raise _nothing_matches(given, unknown, places)
    if len(set(label_of.values())) == 1:
        only = next(iter(label_of.values()))
        raise LabelsError(
            f"All {len(label_of):,} images that {given.source} names are {only!r}. "
            "To tell classes apart, give labels of two or more."
        )
    captions_of = _captions(given, captions, places) if captions else {}
    return GroundTruth(given.source, label_of, captions_of, tuple(unknown), tuple(sorted(torn)))


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
    given = _Given.of(labels, places, label_column, image_column)
    labels_of: dict[str, dict[str, None]] = defaultdict(dict)
    unknown: dict[str, None] = {}
    for name, image_id, cell in given.named:
        if image_id is None:
            unknown[name] = None
        elif found := dict.fromkeys(_texts(cell)):
            labels_of[name if name.startswith(f"{image_id}-") else image_id] |= found
    if not labels_of:
        raise _nothing_matches(given, list(unknown), places)
    return GivenLabels(
        given.source, {image: tuple(its) for image, its in labels_of.items()}, tuple(unknown)
    )


Named = Iterable[tuple[str, str | None, Any]]  # its name, its image id, its label


@dataclass(frozen=True, slots=True)
class _Given:
    """Where labels come from, and what it says."""

    source: str
    named: Named
    rows: Sequence[tables.Row] = ()  # of a table
    names: Sequence[tuple[str, str | None]] = ()  # (R,) the image of each row of the table

    @classmethod
    def of(
        cls, labels: str, places: pa.Table, label_column: str | None, image_column: str | None
    ) -> _Given:
        if labels == FOLDERS:
            return cls("the folders' names", _by_parent(places))
        if labels.startswith(COLUMN):
            column = labels.removeprefix(COLUMN)
            return cls(f"metadata column {column!r}", _by_metadata(places, column))
        path = sources.absolute(sources.path_of(labels))
        if path.is_dir():
            return cls(f"the folders of {path}", _by_folder_of(path, places))
        if not tables.is_table(path):
            raise _no_labels(labels, places)
        return cls._of_table(path, places, label_column, image_column)

    @classmethod
    def _of_table(
        cls, path: Path, places: pa.Table, label_column: str | None, image_column: str | None
    ) -> _Given:
        rows = list(tables.read_rows(path))
        if not rows:
            raise LabelsError(f"{path} has no rows. Give a table with images and their labels.")
        image = _column(image_column, IMAGE_COLUMNS, rows[0], path, "images", "--image-column")
        label = _column(label_column, LABEL_COLUMNS, rows[0], path, "labels", "--label-column")
        finder = _Finder(places, path.parent)
        names = [(name, finder.image_of(name)) for name in (_text(row[image]) for row in rows)]
        named = [(*name, row[label]) for name, row in zip(names, rows, strict=True)]
        return cls(str(path), named, rows, names)


def _one_each(named: Named) -> tuple[list[str], dict[str, str], set[str]]:
    """Names of no image, the class of each image, and the images with several classes."""
    unknown: dict[str, None] = {}
    label_of: dict[str, str] = {}
    torn: set[str] = set()
    for name, image_id, given in named:
        if image_id is None:
            unknown[name] = None
        elif (label := _label(given, name)) and label_of.setdefault(image_id, label) != label:
            torn.add(image_id)
    return list(unknown), {i: c for i, c in label_of.items() if i not in torn}, torn


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


def _decided(labels_of: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str | None, Any]]:
    for image_id, labels in labels_of.items():
        for label in labels:
            yield image_id, image_id, label


def _by_parent(places: pa.Table) -> Iterator[tuple[str, str | None, Any]]:
    for uri, image_id in _located(places):
        parts = uri.replace("!/", "/").rsplit("/", 2)
        yield uri, image_id, parts[-2] if len(parts) > 1 else None


def _by_folder_of(root: Path, places: pa.Table) -> Iterator[tuple[str, str | None, Any]]:
    """Pictures below other folders have no label; so have those directly in this one."""
    start = f"{sources.uri_of(root).rstrip('/')}/"
    for uri, image_id in _located(places):
        folder, is_below, _ = uri.removeprefix(start).partition("/")
        if uri.startswith(start) and is_below:
            yield uri, image_id, folder


def _by_metadata(places: pa.Table, column: str) -> Iterator[tuple[str, str | None, Any]]:
    metadata = [json.loads(text) for text in places["metadata"].to_pylist()]
    _check_metadata(column, metadata)
    for (uri, image_id), values in zip(_located(places), metadata, strict=True):
        yield uri, image_id, values.get(column)


def _check_metadata(column: str, metadata: Sequence[Mapping[str, Any]]) -> None:
    there = dict.fromkeys(name for values in metadata for name in values)
    if column not in there:
        listed = f"it has: {', '.join(there)}" if there else "it has none"
        raise LabelsError(
            f"The collection has no metadata column {column!r}; {listed}. Columns come with "
            "tables: bilderatlas index COLLECTION TABLE.csv"
        )


def _located(places: pa.Table) -> Iterator[tuple[str, str]]:
    return zip(places["uri"].to_pylist(), places["image_id"].to_pylist(), strict=True)


# -- tables


def _column(
    asked: str | None, usual: Sequence[str], row: tables.Row, path: Path, what: str, option: str
) -> str:
    """The column asked for, or the first with a usual name."""
    if asked and asked in row:
        return asked
    if asked:
        raise LabelsError(f"{path} has no column {asked!r}. Its columns: {', '.join(row)}.")
    by_name = {str(name).lower().replace(" ", "_"): str(name) for name in row}
    for name in usual:
        if name in by_name:
            return by_name[name]
    raise LabelsError(
        f"No column of {path} is called like one of {what} ({', '.join(usual[:5])}). "
        f"Name it with {option}; its columns: {', '.join(row)}."
    )


class _Finder:
    """Images by their ids, paths, ids in their tables, and the ends of their paths."""

    def __init__(self, places: pa.Table, folder: Path) -> None:
        self._places, self._folder = places, folder
        self._ids = set(places["image_id"].to_pylist())
        self._at = dict(_located(places))
        self._ends: dict[int, dict[str, set[str]]] = {}  # number of parts -> end -> image ids

    def image_of(self, name: str) -> str | None:
        """The one image that goes by a name; paths may begin at the table's folder."""
        if not name or name in self._ids:
            return name or None
        if (whole := image_id_of(name)) in self._ids:  # of a region
            return whole
        beside = sources.uri_of(sources.absolute(self._folder / sources.path_of(name)))
        for place in (name, beside):
            if place in self._at:
                return self._at[place]
        if name in self._own_ids:
            return self._own_ids[name]
        images = self._ending(name.count("/") + 1).get(name, set())
        return next(iter(images)) if len(images) == 1 else None

    @cached_property
    def _own_ids(self) -> dict[str, str]:
        metadata = self._places["metadata"].to_pylist()
        return {
            str(own): image_id
            for (_, image_id), text in zip(_located(self._places), metadata, strict=True)
            if (own := json.loads(text).get("id")) is not None
        }

    def _ending(self, n_parts: int) -> dict[str, set[str]]:
        if n_parts not in self._ends:
            ends: dict[str, set[str]] = defaultdict(set)
            for uri, image_id in self._at.items():
                ends["/".join(uri.replace("!/", "/").split("/")[-n_parts:])].add(image_id)
            self._ends[n_parts] = ends
        return self._ends[n_parts]


# -- captions


def _captions(given: _Given, column: str, places: pa.Table) -> dict[str, tuple[str, ...]]:
    """Captions of images, from the table's column of this name or the metadata's."""
    captions: dict[str, dict[str, None]] = defaultdict(dict)
    if given.rows and column in given.rows[0]:
        cells = [(name[1], row[column]) for name, row in zip(given.names, given.rows, strict=True)]
    else:
        cells = [(image_id, value) for _, image_id, value in _by_metadata(places, column)]
    for image_id, cell in cells:
        if image_id is not None:
            captions[image_id] |= dict.fromkeys(_texts(cell))
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
    example = places["uri"][0].as_py() if len(places) else "nothing"
    if unknown:
        return LabelsError(
            f"None of the {len(unknown):,} names in {given.source} is of an image of the "
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
        f"{labels!r} is no folder and no CSV, TSV or Parquet file.{hint} Give a table with "
        f"images and labels, a folder of folders, '{FOLDERS}', or '{COLUMN}NAME'."
    )


def _first(names: Sequence[str]) -> str:
    rest = f" and {len(names) - N_NAMED:,} more" if len(names) > N_NAMED else ""
    return ", ".join(names[:N_NAMED]) + rest
