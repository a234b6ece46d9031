"""What a server's JSON says -> the results that the verbs return."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import numpy as np

from bilderatlas.analysis.evaluation import Comparison, Match
from bilderatlas.models.detectors import Finding
from bilderatlas.results import (
    Cluster,
    Clustering,
    ClusterShape,
    CollectionInfo,
    Copy,
    Coverage,
    Decision,
    DuplicateGroup,
    Hit,
    Hits,
    ImageFacts,
    IndexRun,
    LabelCount,
    LabelCounts,
    Labelling,
    NearCluster,
    Outcome,
    Place,
    Problem,
    Projection,
    Region,
    Run,
    RunComparison,
    Space,
    StageSpeed,
    Suggestion,
    Suggestions,
    Thumbnails,
    Verdict,
)

Json = Mapping[str, Any]
Result = TypeVar("Result")


def hits(said: Json, thumbnails: Thumbnails, asked: str | None = None) -> Hits:
    """`asked` is the id of the image that these are the neighbors of."""
    counts = (said[name] for name in ("n_likely", "n_doubtful", "n_background", "cut_off"))
    found = [_hit(row) for row in said["results"]]
    return Hits(results=tuple(found), verdict=Verdict(*counts), thumbnails=thumbnails, asked=asked)


def _hit(row: Json) -> Hit:
    regions = tuple(_made(Region, part, box=tuple(part["box"])) for part in row["regions"])
    return _made(Hit, row, regions=regions, places=_places(row))


def _places(row: Json) -> tuple[Place, ...]:
    return tuple(_made(Place, place) for place in row.get("places", ()))


def image(row: Json) -> ImageFacts:
    taken = row["taken_at"] and datetime.fromisoformat(row["taken_at"])
    paths = tuple(row["paths"])
    return _made(ImageFacts, row, taken_at=taken, paths=paths, places=_places(row))


def run(row: Json) -> Run:
    return _made(Run, row, created_at=datetime.fromisoformat(row["created_at"]))


def clustering(about: Run, said: Json, columns: Json) -> Clustering:
    """`columns` has the label and probability of every region."""
    return Clustering(
        about,
        tuple(columns["region_ids"]),
        np.array(columns["labels"], np.int32),
        np.array(columns["probabilities"], np.float32),
        tuple(_made(Cluster, row, words=tuple(row["words"])) for row in said["clusters"]),
        tuple(_made(Outcome, row) for row in said["decisions"]),
        tuple(said["notes"]),
    )


def cluster_shape(row: Json) -> ClusterShape:
    nearest = tuple(_made(NearCluster, one) for one in row["nearest"])
    return _made(ClusterShape, row, nearest=nearest)


def projection(about: Run, columns: Json) -> Projection:
    axes = [columns[axis] for axis in "xyz" if columns[axis] is not None]
    coordinates = np.array(axes, np.float32).T  # (N, 2) or (N, 3)
    return Projection(about, tuple(columns["region_ids"]), np.ascontiguousarray(coordinates))


def run_comparison(said: Json) -> RunComparison:
    compared = _made(
        Comparison,
        said,
        n_rows=said["n_shared"],
        matches=tuple(_made(Match, row) for row in said["matches"]),
        only_first=tuple(said["only_first"]),
        only_second=tuple(said["only_second"]),
    )
    return _made(RunComparison, said, comparison=compared)


def duplicate_group(row: Json) -> DuplicateGroup:
    copies = tuple(_made(Copy, copy) for copy in row["copies"])
    return _made(DuplicateGroup, row, copies=copies)


def decision(row: Json) -> Decision:
    """One that labels many images comes without their ids."""
    ids = {name: tuple(row.get(name, ())) for name in ("image_ids", "region_ids")}
    when = datetime.fromisoformat(row["when"])
    return _made(Decision, {"payload": {}, **row}, when=when, **ids)


def labelling(said: Json) -> Labelling:
    return _made(Labelling, said, decision=said["decision"] and decision(said["decision"]))


def labels(said: Json) -> LabelCounts:
    counts = [
        _made(LabelCount, row, since=datetime.fromisoformat(row["since"])) for row in said["labels"]
    ]
    return LabelCounts(
        n_images=said["n_images"], n_labelled=said["n_labelled"], labels=tuple(counts)
    )


def suggestions(said: Json) -> Suggestions:
    return Suggestions(suggestions=tuple(_made(Suggestion, row) for row in said["suggestions"]))


def problem(row: Json) -> Problem:
    return _made(Problem, row, when=datetime.fromisoformat(row["when"]))


def info(said: Json) -> CollectionInfo:
    finding = said["finding"]
    return _made(
        CollectionInfo,
        said,
        spaces=tuple(_made(Space, row) for row in said["spaces"]),
        coverage=tuple(_made(Coverage, row) for row in said["spaces"]),
        runs=tuple(run(row) for row in said["runs"]),
        sources=tuple(said["sources"]),
        exclude=tuple(said["exclude"]),
        finding=_made(Finding, finding, names=tuple(finding["names"])),
        last_index=said["last_index"] and _index_run(said["last_index"]),
    )


def _index_run(row: Json) -> IndexRun:
    return _made(
        IndexRun,
        row,
        finished_at=datetime.fromisoformat(row["finished_at"]),
        finders=tuple(row["finders"]),
        stages=tuple(_made(StageSpeed, stage) for stage in row["stages"]),
    )


def _made(kind: Callable[..., Result], row: Json, **read: Any) -> Result:
    """A result of what is said, some of it read already; newer servers may say more."""
    names = inspect.signature(kind).parameters
    return kind(**{name: value for name, value in row.items() if name in names} | read)
