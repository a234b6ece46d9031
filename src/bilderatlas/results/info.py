"""What a collection says of itself, and what was written for others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bilderatlas.models.detectors import Finding
from bilderatlas.results.indexing import IndexRun
from bilderatlas.results.runs import Run

WORDS = "text"  # the field of a space that holds the words found in pictures


@dataclass(frozen=True, slots=True)
class ChromaExport:
    """A space that was written as a collection of ChromaDB."""

    folder: str
    collection: str  # its name there: PREFIX-image, PREFIX-FIELD
    space: str
    n_regions: int
    n_rows: int  # each region once for every place of its image
    as_json: tuple[str, ...]  # metadata columns with values that Chroma does not know: JSON texts

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class MapPage:
    """A map that was written as one HTML file."""

    path: Path
    run: str  # the projection
    color_by: str
    n_points: int
    thumbnail_side: int  # pixels, as large as the file's limit allows
    n_bytes: int  # of the file

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path)}


@dataclass(frozen=True, slots=True)
class Space:
    """One encoder's embeddings inside a collection: of pictures, or of the texts of a field."""

    space: str
    encoder: str
    weights_hash: str
    dim: int
    joint_dim: int | None
    reads_text: bool
    field: str | None = None  # None: pictures; "text": words found in them; else a table's column

    @property
    def usual_kind(self) -> str:
        """The kind of region that most of it is of."""
        return "text" if self.field == WORDS else "image"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what a space should have it has."""

    space: str
    n_regions: int  # that it has embeddings of
    n_missing: int  # that it should have, and has not, or of another text than is there now


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """What is inside a collection."""

    name: str
    path: str
    n_images: int
    n_places: int
    n_regions: int
    kinds: Mapping[str, int]  # how many regions of each kind
    n_problems: int
    active_space: str | None
    spaces: tuple[Space, ...]
    coverage: tuple[Coverage, ...]  # of each of the spaces
    runs: tuple[Run, ...]
    sources: tuple[str, ...]
    schema_version: int
    finding: Finding  # what `index` finds in every picture
    exclude: tuple[str, ...]  # patterns of what `index` passes over
    min_side: int  # pixels of the shorter side that new pictures must have
    n_other: int  # files and folders that were passed over
    n_small: int  # pictures that were too small
    n_bytes: int  # on disk
    last_index: IndexRun | None  # None where nothing was embedded yet

    def to_dict(self) -> dict[str, Any]:
        row = asdict(self)
        row["spaces"] = [a | b for a, b in zip(row["spaces"], row.pop("coverage"), strict=True)]
        row["last_index"] = self.last_index.to_dict() if self.last_index else None
        row["runs"] = [r | {"created_at": r["created_at"].isoformat()} for r in row["runs"]]
        return row
