"""What `index` and `reindex` did, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Progress:
    """How far indexing is. `n_total` is None where a source cannot be counted beforehand."""

    n_done: int
    n_total: int | None
    n_embedded: int
    n_problems: int
    n_to_refind: int = 0  # known images whose regions are still to be found
    what: str = "Indexing"


@dataclass(frozen=True, slots=True)
class StageSpeed:
    """How fast one stage of `index` is at its own work.

    Stages work at the same time and share the cores: their seconds add up to more than those of
    the run, and the slowest stage holds back the others.
    """

    stage: str  # read, decode, find, prepare, embed, write
    n_images: int  # that went through it
    seconds: float  # it was at work; summed over its threads, divided by their number
    images_per_s: float  # n_images / seconds: what it would reach if it never had to wait


@dataclass(frozen=True, slots=True)
class IndexRun:
    """What really ran in the last run of `index` that embedded or searched pictures."""

    finished_at: datetime
    encoder: str
    device: str
    finders: tuple[str, ...]
    seconds: float
    images_per_s: float
    stages: tuple[StageSpeed, ...]
    peak_memory_mib: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"finished_at": self.finished_at.isoformat()}


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What one run of `index` did."""

    n_images: int  # in the collection now
    n_regions: int  # in the collection now; every image is one of them
    n_new: int  # embedded in this run
    n_unchanged: int  # places that were there and are as they were
    n_moved: int  # places that content was followed to
    n_copies: int  # further places of images that are known
    n_changed: int  # places whose content is another now
    n_missing: int  # places of these sources that were not found again
    n_pruned: int  # images that left with --prune
    n_problems: int  # pictures of this run that could not be read, or not searched for regions
    n_other: int  # files and folders that were passed over
    n_small: int  # pictures smaller than --min-side
    others: Mapping[str, int]  # what was passed over, by kind, the most frequent first
    without_pictures: Mapping[str, Mapping[str, int]]  # sources, and what is there, by kind
    n_refound: int  # known images that were searched for regions, for the first time or anew
    n_unfound: int  # images that these detectors have not seen: they lie elsewhere, or are missing
    seconds: float
    images_per_s: float  # embedded or searched images only
    encoder: str
    device: str
    finders: tuple[str, ...]
    stages: tuple[StageSpeed, ...]
    peak_memory_mib: float  # the most that this process has held since it began

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ReindexSummary:
    """What one run of `reindex` did."""

    space: str
    field: str | None  # None: pictures; "text": words found in them; else a table's column
    is_active: bool  # whether it is the space that is asked when none is named
    n_regions: int  # in the space now
    n_embedded: int  # in this run
    n_kept: int  # that were there and fit
    n_outdated: int  # texts that were there and are others now, or gone
    n_missing: int  # regions that the space should have and has not: their pictures are gone
    n_without_text: int  # images of the collection without a text in this field
    n_problems: int  # pictures that could not be read again
    seconds: float
    regions_per_s: float
    encoder: str
    device: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
