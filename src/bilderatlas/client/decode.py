"""What a server's JSON says -> the results that the verbs return."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bilderatlas.results import (
    Cluster,
    Clustering,
    CollectionInfo,
    Hit,
    Hits,
    Outcome,
    Projection,
    Run,
    Thumbnails,
    Verdict,
)

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Json = Mapping[str, Any]
Result = TypeVar("Result")


def read(kind: type[Result], said: Any) -> Result:
    """A result of what is said; newer servers may say more."""
    result: Result = _adapter(kind).validate_python(said)  # type: ignore[arg-type]  # classes have hashes
    return result


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def hits(said: Json, thumbnails: Thumbnails, asked: str | None = None) -> Hits:
    """`asked` is the id of the image that these are the neighbors of."""
    results, verdict = read(tuple[Hit, ...], said["results"]), read(Verdict, said)
    return Hits(results=results, verdict=verdict, thumbnails=thumbnails, asked=asked)


def clustering(about: Run, said: Json, columns: Json) -> Clustering:
    """`columns` has the label and probability of every region."""
    return Clustering(
        about,
        tuple(columns["region_ids"]),
        np.array(columns["labels"], np.int32),
        np.array(columns["probabilities"], np.float32),
        read(tuple[Cluster, ...], said["clusters"]),
        read(tuple[Outcome, ...], said["decisions"]),
        tuple(said["notes"]),
    )


def projection(about: Run, columns: Json) -> Projection:
    axes = [columns[axis] for axis in "xyz" if columns[axis] is not None]
    coordinates = np.array(axes, np.float32).T  # (N, 2) or (N, 3)
    return Projection(about, tuple(columns["region_ids"]), np.ascontiguousarray(coordinates))


def info(said: Json) -> CollectionInfo:
    """JSON says of each space what it is and how much it has, at once."""
    return read(CollectionInfo, {**said, "coverage": said["spaces"]})
