"""The bodies of `duplicates` and `not_duplicates`: copies in groups, and what people said."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image

from bilderatlas.analysis import cancellation, duplicates
from bilderatlas.analysis.duplicates import TURNS, Pairs
from bilderatlas.arrays import Embeddings
from bilderatlas.collection import images
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import DecisionError, QueryError
from bilderatlas.results import Copy, Decision, DuplicateGroup
from bilderatlas.storage import Store, decisions, place_rows

NOT_DUPLICATE = "not-duplicate"
N_THUMBNAILS = 1000  # read at once
TELLING_BITS = 20  # of 64; hashes of unrelated pictures differ in 32, in the best of 8 turns in 24


@dataclass(frozen=True, slots=True)
class _File:
    """One place of an image."""

    path: str
    since: float  # seconds; when the picture was taken, else when the file was changed last


@dataclass(frozen=True, slots=True)
class _Picture:
    """One image and its places, the oldest first."""

    image_id: str
    width: int
    height: int
    files: tuple[_File, ...]

    @property
    def rank(self) -> tuple[int, float, str]:
        """The smaller the better to keep: the largest, then the oldest, then by name."""
        return -self.width * self.height, self.files[0].since, self.files[0].path


def find(
    store: Store, space: OpenSpace, *, max_bits: int, min_cosine: float, min_likeness: float
) -> list[DuplicateGroup]:
    """Files that show the same picture, in groups; the largest groups first."""
    _check(max_bits, min_cosine, min_likeness)
    catalogue = space.catalogue
    ids, vectors = catalogue.embeddings_of("image")
    pictures, hashes = _pictures(store, catalogue.versions, ids)
    pairs = duplicates.candidates(hashes, vectors, max_bits=max_bits, min_cosine=min_cosine)
    likeness = _likeness(space, ids, pairs, max_bits).values
    are_copies = likeness >= min_likeness
    pairs, likeness = pairs.where(are_copies), likeness[are_copies]
    apart = _parted(store, {image_id: row for row, image_id in enumerate(ids)})
    rows = [
        sorted(group, key=lambda row: pictures[row].rank)
        for group in duplicates.groups(pairs.left, pairs.right, likeness, apart=apart)
    ]
    made = _near_groups(space, pictures, rows, hashes, vectors, (max_bits, min_cosine))
    in_groups = {row for group in rows for row in group}
    made += [
        _group([picture], [])
        for row, picture in enumerate(pictures)
        if len(picture.files) > 1 and row not in in_groups
    ]
    return sorted(made, key=lambda group: (-len(group.copies), group.path))


def part(store: Store, space: OpenSpace, one: str, other: str, who: str | None) -> Decision:
    """Write down that two images are no duplicates of each other."""
    catalogue = space.catalogue
    ids = [catalogue.image_ids[space.number_of(image)].as_py() for image in (one, other)]
    if ids[0] == ids[1]:
        raise DecisionError(
            f"{one} and {other} are one image: their files have the same content. Name two images."
        )
    return decisions.append(store, NOT_DUPLICATE, image_ids=ids, who=who)


def _check(max_bits: int, min_cosine: float, min_likeness: float) -> None:
    if not 0 <= max_bits <= 20:
        raise QueryError(f"max_bits is {max_bits}; hashes of copies differ in 0 to 20 of 64 bits.")
    for name, value in (("min_cosine", min_cosine), ("min_likeness", min_likeness)):
        if not 0 < value <= 1:
            raise QueryError(f"{name} is {value:g}; expected more than 0 and at most 1.")


def _pictures(
    store: Store, versions: Mapping[str, int], ids: Sequence[str]
) -> tuple[list[_Picture], NDArray[np.uint64]]:
    """What is known of each image (N,) in these versions of the tables, and its hash (N,)."""
    columns = ["image_id", "width", "height", "taken_at", "perceptual_hash"]
    rows = store.read("images", columns, version=versions["images"])
    rows = rows.take(pc.index_in(pa.array(ids, pa.string()), value_set=rows["image_id"]))
    files: dict[str, dict[str, _File]] = {}
    columns = ["image_id", "uri", "source", "mtime"]
    lies_at = store.read("places", columns, version=versions["places"])
    taken = dict(zip(ids, rows["taken_at"].to_pylist(), strict=True))
    for place, path in zip(lies_at.to_pylist(), place_rows.paths(lies_at), strict=True):
        since = _since(taken.get(place["image_id"]), place["mtime"])
        its_files = files.setdefault(place["image_id"], {})
        its_files.setdefault(path, _File(path, since))
    pictures = [
        _Picture(
            row["image_id"],
            row["width"],
            row["height"],
            tuple(
                sorted(files[row["image_id"]].values(), key=lambda file: (file.since, file.path))
            ),
        )
        for row in rows.to_pylist()
    ]
    return pictures, rows["perceptual_hash"].to_numpy()


def _since(taken_at: datetime | None, mtime: float | None) -> float:
    if taken_at is not None:
        return taken_at.replace(tzinfo=UTC).timestamp()
    return float("inf") if mtime is None else mtime


@dataclass(frozen=True, slots=True)
class _Likeness:
    """How far each pair (P,) agrees in detail, and turned how."""

    values: NDArray[np.float32]
    turns: NDArray[np.uint8]


def _likeness(space: OpenSpace, ids: Sequence[str], pairs: Pairs, max_bits: int) -> _Likeness:
    needed = np.unique(np.concatenate([pairs.left, pairs.right])).tolist()
    grey = _greys(space, ids, needed)

    def measure(left: int, right: int, bits: int, turn: int) -> tuple[float, int]:
        # Hashes that differ in more bits do not tell the turn: upright is likelier.
        turns = [turn] if bits <= max_bits else {0, turn if bits <= TELLING_BITS else 0}
        return max(
            (duplicates.likeness(grey[left], grey[right], turn=each), each) for each in turns
        )

    columns = (pairs.left, pairs.right, pairs.bits, pairs.turns)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = list(threads.map(measure, *(column.tolist() for column in columns)))
    return _Likeness(
        np.array([value for value, _ in found], np.float32),
        np.array([turn for _, turn in found], np.uint8),
    )


def _greys(space: OpenSpace, ids: Sequence[str], rows: Sequence[int]) -> dict[int, duplicates.Grey]:
    grey: dict[int, duplicates.Grey] = {}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(rows), N_THUMBNAILS):
            cancellation.check()
            some = rows[start : start + N_THUMBNAILS]
            jpegs = images.thumbnails(space, [ids[row] for row in some])
            grey |= dict(zip(some, threads.map(_grey, jpegs), strict=True))
    return grey


def _grey(jpeg: bytes) -> duplicates.Grey:
    whole = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"))
    picture = Image.fromarray(duplicates.without_frame(whole))
    scale = duplicates.SIDE / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return np.asarray(picture.resize(size, Image.Resampling.BOX))


def _parted(store: Store, row_of: dict[str, int]) -> list[tuple[int, int]]:
    said = (decision.image_ids for decision in decisions.read(store, NOT_DUPLICATE))
    return [
        (row_of[one], row_of[other]) for one, other in said if one in row_of and other in row_of
    ]


def _near_groups(
    space: OpenSpace,
    pictures: Sequence[_Picture],
    groups: Sequence[Sequence[int]],
    hashes: NDArray[np.uint64],
    vectors: Embeddings,
    limits: tuple[int, float],
) -> list[DuplicateGroup]:
    """Say of every copy how it compares with the one that is kept, the first of its group."""
    left = np.array([group[0] for group in groups for _ in group[1:]], np.intp)
    right = np.array([row for group in groups for row in group[1:]], np.intp)
    pairs = duplicates.compared(hashes, vectors, left, right)
    ids = [picture.image_id for picture in pictures]
    likeness = _likeness(space, ids, pairs, limits[0])
    copies = iter(
        _copy(pictures[row], int(bits), float(cosine), float(value), int(turn), limits)
        for row, bits, cosine, value, turn in zip(
            right, pairs.bits, pairs.cosines, likeness.values, likeness.turns, strict=True
        )
    )
    return [
        _group([pictures[row] for row in group], [next(copies) for _ in group[1:]])
        for group in groups
    ]


def _copy(
    picture: _Picture,
    bits: int,
    cosine: float,
    likeness: float,
    turn: int,
    limits: tuple[int, float],
) -> Copy:
    ways = [("hash", bits <= limits[0]), ("embedding", cosine >= limits[1])]
    reason = " and ".join(way for way, found in ways if found) or "another copy"
    return Copy(
        picture.image_id,
        picture.files[0].path,
        picture.width,
        picture.height,
        reason,
        bits,
        cosine,
        likeness,
        TURNS[turn],
    )


def _group(pictures: Sequence[_Picture], near: Sequence[Copy]) -> DuplicateGroup:
    """A group whose first picture is kept; `near` has one entry for each of the others."""
    kept, others = pictures[0], pictures[1:]
    copies = _exact(kept)
    for picture, copy in zip(others, near, strict=True):
        copies += [copy, *_exact(picture)]
    return DuplicateGroup(
        kept.image_id,
        kept.files[0].path,
        kept.width,
        kept.height,
        _why(kept, others),
        tuple(copies),
    )


def _exact(picture: _Picture) -> list[Copy]:
    """The further files of an image."""
    return [
        Copy(picture.image_id, file.path, picture.width, picture.height, "exact", 0, 1.0, 1.0, "")
        for file in picture.files[1:]
    ]


def _why(kept: _Picture, others: Sequence[_Picture]) -> str:
    """The fact that speaks for keeping a picture."""
    area, since, _ = kept.rank
    if others and all(other.rank[0] > area for other in others):
        return f"the largest: {kept.width} x {kept.height}"
    rivals = [other.files[0].since for other in others if other.rank[0] == area]
    rivals += [file.since for file in kept.files[1:]]
    if all(rival > since for rival in rivals):
        return f"the oldest: {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M}"
    return "the first by name: size and age are the same"
