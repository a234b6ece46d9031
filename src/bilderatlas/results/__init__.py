"""What the verbs return: small frozen objects that scripts, notebooks and the server share.

Lists of things (`Hits`, `Problems`, `Images`) are sequences with `.to_dict()` (the documented
JSON), `.to_arrow()`, `.to_pandas()`, and a picture in notebooks where there is one to show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

import numpy as np

from bilderatlas.analysis.colouring import Colouring
from bilderatlas.arrays import Box, ClusterLabels, Coordinates
from bilderatlas.errors import MissingExtra, RunNotFound

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from bilderatlas.analysis.evaluation import Comparison
    from bilderatlas.models.detectors import Finding

WORDS = "text"  # the field of a space that holds the words found in pictures
Item = TypeVar("Item")
Thumbnails = Callable[[Sequence[str]], "list[bytes]"]  # image ids -> JPEGs, 320 px


def load_pandas() -> Any:
    """pandas, which the default install does not bring. Raises MissingExtra."""
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "A DataFrame needs pandas, which is not installed here. Install it with "
            "'pip install pandas', or use .to_arrow() or .to_dict()."
        ) from error
    return pandas


def image_id_of(region_id: str) -> str:
    """The image that a region is a part of: a region id is the image id, or `IMAGE_ID-N`."""
    return region_id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture that matched: the whole image, or an object or text in it."""

    region_id: str
    kind: str  # image, person, animal, vehicle, outdoor, sports, object, text
    label: str | None
    box: Box
    score: float  # cosine to the query
    text: str | None
    relevance: float  # 0..1, how surely this region answers the query
    share: float  # 0..1, of what speaks for the image; 1 in sum over its regions
    matched_by: str = "picture"  # what says the most for it; or words, meaning (of words), label


@dataclass(frozen=True, slots=True)
class Place:
    """A file where an image lies, or a row of a table that names it, and what the table says."""

    place_id: str
    path: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """One image that a search found."""

    image_id: str
    path: str
    score: float  # cosine of the best region to the query, higher is closer
    relevance: float  # 0..1, how surely this answers the query (docs/search.md)
    regions: tuple[Region, ...]  # the best first
    metadata: Mapping[str, Any] = field(default_factory=dict)
    matched_by: str = "picture"  # as of its best region
    places: tuple[Place, ...] = ()  # all where it lies; `metadata` is what they say together


class Items(Sequence[Item], Generic[Item]):
    """A frozen list of results."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = tuple(items)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)}>"

    def rows(self) -> list[dict[str, Any]]:
        """One plain dict an item, as in the JSON."""
        return [asdict(item) for item in self._items]  # type: ignore[call-overload]

    def to_arrow(self) -> pa.Table:
        """The results as an Arrow table, one row an item."""
        import pyarrow as pa

        return pa.Table.from_pylist(self.rows())

    def to_pandas(self) -> pd.DataFrame:
        """The results as a pandas DataFrame, one row an item. Raises MissingExtra."""
        frame: pd.DataFrame = load_pandas().DataFrame(self.rows())
        return frame


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


class Hits(Items[Hit]):
    """The images that a search found, closest first. A notebook shows them as a contact sheet."""

    def __init__(
        self,
        items: Sequence[Hit],
        verdict: Verdict,
        *,
        thumbnails: Thumbnails,
        asked: str | None = None,
    ) -> None:
        """`asked` is the id of the image that these are the neighbors of."""
        super().__init__(items)
        self.verdict = verdict
        self._thumbnails, self._asked = thumbnails, asked

    def to_dict(self) -> dict[str, Any]:
        return {"results": self.rows(), **asdict(self.verdict), "verdict": str(self.verdict)}

    def to_png(self) -> bytes:
        """A contact sheet with scores; of neighbors, with distances to the picture asked for."""
        from bilderatlas import figures

        first = [] if self._asked is None else [self._asked]
        captions = ["asked for"] * len(first)
        for hit in self:
            told = f"{1 - hit.score:.3f} away" if first else f"{hit.score:.2f}"
            captions.append(f"{told}  {hit.path.rsplit('/', 1)[-1]}")
        jpegs = self._thumbnails([*first, *(hit.image_id for hit in self)])
        return figures.to_png(figures.contact_sheet(jpegs, captions, n_marked=len(first)))

    def _repr_png_(self) -> bytes | None:
        return self.to_png() if self else None


OTHER, SMALL = "other", "small"  # stages of what is no problem: no picture, or not asked for
ProblemKind = Literal["problem", "other", "small", "all"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not become an image, or be searched for regions, and why."""

    uri: str
    # read, decode, embed; incomplete, find, reindex: the image is there, but not all; other, small
    stage: str
    reason: str
    when: datetime


def kind_of(reason: str) -> str:
    """The kind of a file that was passed over, in the plural, by the reason that is given."""
    return reason.partition(" are ")[0]


class Problems(Items[Problem]):
    """What was skipped, of one kind or of all."""

    def __init__(self, problems: Sequence[Problem], kinds: Mapping[str, int]) -> None:
        super().__init__(problems)
        self.kinds = kinds  # how many there are of each in the collection: problem, other, small

    def of_others(self) -> dict[str, int]:
        """How many of these are files and folders of each kind that were passed over."""
        others = Counter(kind_of(each.reason) for each in self if each.stage == OTHER)
        return dict(others.most_common())

    def to_dict(self) -> dict[str, Any]:
        rows = [row | {"when": row["when"].isoformat()} for row in self.rows()]
        kinds = {"kinds": dict(self.kinds), "others": self.of_others()}
        return {"n_problems": len(self), **kinds, "problems": rows}


class ProblemPage(Items[Problem]):
    """Some of what was skipped, and how many there are of each kind."""

    def __init__(
        self,
        problems: Sequence[Problem],
        n_problems: int,
        kinds: Mapping[str, int],
        stages: Mapping[str, int],
        reasons: Mapping[str, int],
        sources: tuple[str, ...],
    ) -> None:
        super().__init__(problems)
        self.n_problems = n_problems  # on all pages
        self.kinds = kinds  # problem, other, small: how many of each, whichever was asked for
        self.stages, self.reasons = stages, reasons  # the most frequent first
        self.sources = sources  # of those on all pages


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image of the collection and the places where it lies."""

    image_id: str
    path: str  # the first of `paths`
    width: int
    height: int
    media_type: str
    taken_at: datetime | None
    paths: tuple[str, ...]
    metadata: Mapping[str, Any]  # of all places together
    places: tuple[Place, ...] = ()  # each with its own

    def to_dict(self) -> dict[str, Any]:
        row = asdict(self)
        row["taken_at"] = self.taken_at.isoformat() if self.taken_at else None
        return row


class Images(Items[ImageFacts]):
    """Some images of the collection."""

    def to_dict(self) -> dict[str, Any]:
        return {"images": [facts.to_dict() for facts in self]}


class ImagePage(Images):
    """A stretch of a list of images."""

    def __init__(self, items: Sequence[ImageFacts], n_images: int, next: str | None) -> None:
        """`n_images` are in the whole list; `next` is the cursor behind these, None at the end."""
        super().__init__(items)
        self.n_images, self.next = n_images, next

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {"n_images": self.n_images, "next": self.next}


@dataclass(frozen=True, slots=True)
class Month:
    """A stretch of a list by date: the images that were taken in one month."""

    month: tuple[int, int] | None  # year and 1..12; None: nothing says when they were taken
    start: int  # the place of the first of them in the list
    n_images: int


@dataclass(frozen=True, slots=True)
class Beside:
    """Where an image stands in a list, and which come before and after it."""

    place: int  # from 0
    n_images: int  # in the list
    previous: str | None  # image ids
    next: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """A region of an image as its finder saw it."""

    region_id: str
    kind: str  # as of a Region
    label: str | None
    box: Box  # relative: x0, y0, x1, y1 in 0..1
    score: float  # how sure its finder is, 0..1
    text: str | None  # the words there


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that shows what the kept one of its group shows, and how that was told."""

    image_id: str
    path: str
    width: int
    height: int
    # exact (the same content), hash, embedding, "hash and embedding"; or "another copy", which is
    # like the kept one, and this one like it
    reason: str
    bits: int  # of 64 that differ between its hash and that of the kept one
    cosine: float  # of their embeddings
    likeness: float  # 0..1, how far their detail agrees
    turn: str  # how the kept one must be turned to look like it; empty: it need not


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Files that show one picture: the one to keep, why that, and the others."""

    image_id: str
    path: str
    width: int
    height: int
    why: str
    copies: tuple[Copy, ...]


class Duplicates(Items[DuplicateGroup]):
    """Copies in groups, the largest first. A notebook shows the first ones as a contact sheet."""

    def __init__(self, items: Sequence[DuplicateGroup], *, thumbnails: Thumbnails) -> None:
        super().__init__(items)
        self._thumbnails = thumbnails

    @property
    def n_copies(self) -> int:
        """How many files are copies of one that is kept."""
        return sum(len(group.copies) for group in self)

    def to_dict(self) -> dict[str, Any]:
        return {"n_groups": len(self), "n_copies": self.n_copies, "groups": self.rows()}

    def contact_sheet(self, n_groups: int = 12) -> bytes:
        """The first groups as a PNG, a row each: the picture to keep, then its copies."""
        from bilderatlas import figures

        shown = self[:n_groups]
        members = [[(group.image_id, f"keep: {group.why}"), *_captions(group)] for group in shown]
        ids = list(dict.fromkeys(image_id for row in members for image_id, _ in row))
        jpeg_of = dict(zip(ids, self._thumbnails(ids), strict=True))
        rows = [[(jpeg_of[image_id], caption) for image_id, caption in row] for row in members]
        title = f"{len(self):,} groups, {self.n_copies:,} copies"
        return figures.to_png(figures.group_sheet(rows, title=title))

    def _repr_png_(self) -> bytes | None:
        return self.contact_sheet() if self else None


_N_COPIES_SHOWN = 5


def _captions(group: DuplicateGroup) -> list[tuple[str, str]]:
    """Copies with another content: exact ones look the same."""
    near = [copy for copy in group.copies if copy.reason != "exact"] or list(group.copies)
    return [
        (copy.image_id, " ".join([copy.reason, copy.turn or f"{copy.width} x {copy.height}"]))
        for copy in near[:_N_COPIES_SHOWN]
    ]


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
    n_unfound: int  # images that these finders have not seen: they lie elsewhere, or are missing
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
class Run:
    """One clustering, projection or classification that the collection remembers."""

    run: str  # its name, for instance "hdbscan-1"
    verb: str  # cluster, project, classify
    method: str
    parameters: Mapping[str, Any]
    seed: int
    space: str
    kind: str  # the kind of region it is over
    created_at: datetime
    n_regions: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster of a run."""

    cluster: int
    name: str
    size: int
    confidence: float = 0.0  # 0..1, in the name (docs/naming.md)
    source: str = "number"  # of the name: vocabulary, words, column NAME, label, llm, person
    words: tuple[str, ...] = ()  # what else programs read in it, the best first


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a decision in a run."""

    decision: str  # its id
    verb: str
    status: str  # applied; carried; fulfilled: it is so anyway; lost, overruled: see the reason
    about: str  # what was decided, in words
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Clustering:
    """A run of `cluster`: a label for every region, and the clusters, largest first."""

    about: Run
    region_ids: tuple[str, ...]  # (N,)
    labels: ClusterLabels  # (N,), -1 = noise
    probabilities: NDArray[Any]  # (N,), how firmly a region sits in its cluster
    clusters: tuple[Cluster, ...]
    outcomes: tuple[Outcome, ...] = ()  # of what people decided
    notes: tuple[str, ...] = ()  # what a person should know of the names

    @property
    def run(self) -> str:
        return self.about.run

    @property
    def n_noise(self) -> int:
        return int((self.labels == -1).sum())

    @property
    def not_carried(self) -> tuple[Outcome, ...]:
        """The decisions that this run does not honour."""
        return tuple(o for o in self.outcomes if o.status in ("lost", "overruled"))

    def members(self, cluster: int) -> NDArray[Any]:
        """Where a cluster's members stand in `region_ids`, (M,), the firmest first; -1 for noise.

        Raises RunNotFound where the run has no such cluster.
        """
        places = np.flatnonzero(self.labels == cluster)
        if len(places) == 0 and cluster != -1:
            raise RunNotFound(f"Run {self.run!r} has no cluster {cluster}.")
        return places[np.argsort(-self.probabilities[places], kind="stable")]

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "method": self.about.method,
            "parameters": dict(self.about.parameters),
            "n_clusters": len(self.clusters),
            "n_noise": self.n_noise,
            "clusters": [asdict(cluster) for cluster in self.clusters],
            "decisions": [asdict(outcome) for outcome in self.outcomes],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Member:
    """A region in a cluster, and how near to its middle."""

    region_id: str
    image_id: str
    kind: str
    box: Box
    closeness: float  # cosine to the centre of the cluster; 0 in the noise
    probability: float  # how firmly it sits there


class Members(Items[Member]):
    """Some members of a cluster, from its core to its edge."""

    def __init__(self, items: Sequence[Member], *, n_all: int) -> None:
        super().__init__(items)
        self.n_all = n_all  # of the whole cluster, as far as they are still here


@dataclass(frozen=True, slots=True)
class NearCluster:
    """A cluster beside another."""

    cluster: int
    closeness: float  # cosine of their centres


@dataclass(frozen=True, slots=True)
class ClusterShape:
    """How close together a cluster lies, and which lie beside it."""

    cluster: int
    tightness: float  # mean cosine of its members to its centre
    nearest: tuple[NearCluster, ...]  # the nearest first


class ClusterShapes(Items[ClusterShape]):
    """How the clusters of a run lie, by their numbers."""

    def __init__(self, items: Sequence[ClusterShape], *, run: str) -> None:
        super().__init__(items)
        self.run = run

    def to_dict(self) -> dict[str, Any]:
        return {"run": self.run, "clusters": self.rows()}


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Two runs of `cluster` over the regions that both know."""

    first: str
    second: str
    comparison: Comparison
    n_only_first: int  # regions
    n_only_second: int

    def to_dict(self) -> dict[str, Any]:
        row: dict[str, Any] = asdict(self)
        compared: dict[str, Any] = row.pop("comparison")
        return row | {"n_shared": compared.pop("n_rows")} | compared


@dataclass(frozen=True, slots=True)
class Exchange:
    """What became of a cluster of one run in one of another: some region ids, the firmest first."""

    first: int
    second: int
    stayed: tuple[str, ...]
    left: tuple[str, ...]  # of the first, that are elsewhere in the second run
    came: tuple[str, ...]  # of the second, that were elsewhere in the first run


@dataclass(frozen=True, slots=True)
class MapPoints:
    """The points of a map that are drawn, in a random order: the first ones show the whole."""

    about: Run
    n_all: int  # points that the map has; of too many, some of the crowded places are left out
    region_ids: list[str]  # (M,)
    coordinates: Coordinates  # (M, 2) or (M, 3)


@dataclass(frozen=True, slots=True)
class MapColours:
    """What the points of a map are coloured by."""

    of_all: Colouring
    labels: ClusterLabels  # (M,) of those that are drawn, as in `MapPoints`


@dataclass(frozen=True, slots=True)
class Projection:
    """A run of `project`: coordinates for every region."""

    about: Run
    region_ids: tuple[str, ...]  # (N,)
    coordinates: Coordinates  # (N, 2) or (N, 3)

    @property
    def run(self) -> str:
        return self.about.run

    @property
    def dims(self) -> int:
        return int(self.coordinates.shape[1])

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "method": self.about.method,
            "parameters": dict(self.about.parameters),
            "dims": self.dims,
            "n_regions": len(self.region_ids),
        }


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many regions a classification gave a label as their likeliest."""

    label: str | None  # None: none of the labels
    n_regions: int
    probability: float  # the mean of theirs


@dataclass(frozen=True, slots=True)
class Classification:
    """A run of `classify`: for every region the T labels that are the likeliest."""

    about: Run
    region_ids: tuple[str, ...]  # (N,)
    names: tuple[str, ...]  # (C,) of the labels that occur
    labels: NDArray[Any]  # (N, T) places in `names`, the likeliest first; -1 = none of them
    probabilities: NDArray[Any]  # (N, T)

    @property
    def run(self) -> str:
        return self.about.run

    @property
    def counts(self) -> tuple[ClassCount, ...]:
        """The labels by how many regions they are the likeliest of, most first."""
        first, probabilities = self.labels[:, 0], self.probabilities[:, 0]
        numbers, places, sizes = np.unique(first, return_inverse=True, return_counts=True)
        sums = np.bincount(places, weights=probabilities)
        order = np.argsort(-sizes, kind="stable")
        return tuple(
            ClassCount(
                self.names[numbers[i]] if numbers[i] >= 0 else None,
                int(sizes[i]),
                float(sums[i] / sizes[i]),
            )
            for i in order
        )

    def members(self, label: str | None) -> NDArray[Any]:
        """Where the regions of a label stand in `region_ids`, (M,), the surest first.

        Raises RunNotFound where no region has it as its likeliest.
        """
        number = -1 if label is None else self.names.index(label) if label in self.names else -2
        places = np.flatnonzero(self.labels[:, 0] == number)
        if not len(places):
            raise RunNotFound(f"Run {self.run!r} calls no region {label!r}.")
        return places[np.argsort(-self.probabilities[places, 0], kind="stable")]

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "method": self.about.method,
            "space": self.about.space,
            "kind": self.about.kind,
            "n_regions": len(self.region_ids),
            "top": self.labels.shape[1],
            "labels": [asdict(each) for each in self.counts],
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: one row of a log that only grows (docs/decisions.md)."""

    decision: str  # its id
    verb: str
    image_ids: tuple[str, ...]  # what it is about
    region_ids: tuple[str, ...]
    payload: Mapping[str, Any]
    who: str
    when: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was kept, and the clustering as it stands with it."""

    decision: Decision
    clustering: Clustering | None  # None where there is none

    def to_dict(self) -> dict[str, Any]:
        decision = asdict(self.decision)
        decision["when"] = self.decision.when.isoformat()
        return {"decision": decision} | (self.clustering.to_dict() if self.clustering else {})


class Decisions(Items[Decision]):
    """What people decided, oldest first."""

    def to_dict(self) -> dict[str, Any]:
        rows = [row | {"when": row["when"].isoformat()} for row in self.rows()]
        return {"n_decisions": len(self), "decisions": rows}


@dataclass(frozen=True, slots=True)
class Labelling:
    """What became of giving images a label, or taking it from them."""

    verb: str  # label, unlabel
    label: str
    decision: Decision | None  # None where it was so already
    n_regions: int  # that have it now and had it not before, or the other way round

    def to_dict(self) -> dict[str, Any]:
        """Without the ids of the images, which may be a hundred thousand."""
        return {
            "verb": self.verb,
            "label": self.label,
            "n_regions": self.n_regions,
            "decision": self.decision
            and {
                "decision": self.decision.decision,
                "verb": self.verb,
                "who": self.decision.who,
                "when": self.decision.when.isoformat(),
            },
        }


@dataclass(frozen=True, slots=True)
class ImportedLabels:
    """What an import of labels kept, and which names in it are of no image here."""

    source: str
    labels: tuple[Labelling, ...]
    unknown: tuple[str, ...]

    @property
    def n_new(self) -> int:
        """How many labels images have now that they had not before."""
        return sum(each.n_regions for each in self.labels)

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "n_new": self.n_new,
            "labels": [each.to_dict() for each in self.labels],
            "unknown": list(self.unknown),
        }


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A label that an image may have, by the labelled images that look like it."""

    image_id: str
    label: str | None  # None where nothing is labelled yet
    confidence: float  # 0..1, the probability of the label
    margin: float  # how much more likely it is than the second one; unsure below 0.2


class Suggestions(Items[Suggestion]):
    """Labels for images to be labelled next, in the order asked for."""

    def to_dict(self) -> dict[str, Any]:
        return {"suggestions": self.rows()}


@dataclass(frozen=True, slots=True)
class LabelCount:
    """A label that people gave, and how many images have it, as a whole or in a part."""

    label: str
    n_images: int
    since: datetime  # when it was given first


class LabelCounts(Items[LabelCount]):
    """The labels that people gave, those of the most images first."""

    def __init__(self, items: Sequence[LabelCount], *, n_labelled: int, n_images: int) -> None:
        super().__init__(items)
        self.n_labelled, self.n_images = n_labelled, n_images  # that have one; of the collection

    def to_dict(self) -> dict[str, Any]:
        rows = [row | {"since": row["since"].isoformat()} for row in self.rows()]
        return {"n_images": self.n_images, "n_labelled": self.n_labelled, "labels": rows}


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
