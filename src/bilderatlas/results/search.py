"""What a search finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from bilderatlas.results.images import Place
from bilderatlas.results.items import HIDDEN, Items, Thumbnails, no_thumbnails
from bilderatlas.results.regions import Region


@dataclass(frozen=True, slots=True)
class Hit:
    """One image that a search found."""

    image_id: str
    path: str
    score: float  # cosine of the best region to the query, higher is closer
    relevance: float  # 0..1, how surely this answers the query (docs/search.md)
    regions: tuple[Region, ...]  # the best first
    metadata: Mapping[str, Any] = field(metadata={"description": "of all places together"})
    matched_by: str  # as of its best region
    places: tuple[Place, ...]  # all where it lies


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many of all images that were searched answer the query, each by its best region."""

    n_likely: int  # relevance 0.5 and more
    n_doubtful: int  # below that, but not below the cut-off
    n_background: int
    cut_off: float  # the score that a whole picture has at the cut-off, relevance 0.25

    def __str__(self) -> str:
        if self.n_likely:
            return f"{self.n_likely:,} likely, {self.n_doubtful:,} doubtful"
        if self.n_doubtful:
            return f"nothing certain, {self.n_doubtful:,} doubtful"
        return "nothing here matches"


@dataclass(frozen=True, kw_only=True, repr=False)
class Hits(Items[Hit]):
    """The images that a search found, closest first. A notebook shows them as a contact sheet."""

    LIST: ClassVar = "results"

    results: tuple[Hit, ...]
    verdict: Verdict
    thumbnails: Thumbnails = field(default=no_thumbnails, compare=False, metadata=HIDDEN)
    asked: str | None = field(default=None, metadata=HIDDEN)  # whose neighbors these are

    def to_dict(self) -> dict[str, Any]:
        return {"results": self.rows(), **asdict(self.verdict), "verdict": str(self.verdict)}

    def to_png(self) -> bytes:
        """A contact sheet with scores; of neighbors, with distances to the picture asked for."""
        from bilderatlas import figures

        first = [] if self.asked is None else [self.asked]
        captions = ["asked for"] * len(first)
        for hit in self:
            told = f"{1 - hit.score:.3f} away" if first else f"{hit.score:.2f}"
            captions.append(f"{told}  {hit.path.rsplit('/', 1)[-1]}")
        jpegs = self.thumbnails([*first, *(hit.image_id for hit in self)])
        return figures.to_png(figures.contact_sheet(jpegs, captions, n_marked=len(first)))

    def _repr_png_(self) -> bytes | None:
        return self.to_png() if self else None
