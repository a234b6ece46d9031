"""One picture's turn: its bytes are read, hashed, decoded and prepared for the encoder."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Container, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image

from bilderatlas.arrays import Box, Pixels
from bilderatlas.errors import BilderatlasError, ImageProblem
from bilderatlas.indexing import images
from bilderatlas.indexing.sources import ImageRecord, held
from bilderatlas.indexing.stage_timer import StageClock
from bilderatlas.models.detectors import Detector, FoundRegion
from bilderatlas.models.encoders import Encoder
from bilderatlas.results import SMALL
from bilderatlas.storage.rows import ImageRow

Made = TypeVar("Made")

# How much of files may be in memory before it is decoded; a larger one goes alone.
LEAST_AHEAD_BYTES, BYTES_A_THREAD, MOST_AHEAD_BYTES = 256 << 20, 64 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class RegionCrop:
    """A region of a picture, and what the encoder is to see of it."""

    region: FoundRegion
    crop: Image.Image


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture on its way: with its row and pixels, or without where its content is known."""

    record: ImageRecord
    image_id: str
    row: ImageRow | None = None
    pixels: Pixels | None = None  # (3, H, W)
    parts: tuple[RegionCrop, ...] | None = None  # None where no detector looked
    find_problem: str | None = None
    left_out: str | None = None  # what of its file was not read


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A picture that cannot be had, or not all of it."""

    record: ImageRecord
    stage: str  # read, decode, embed; find, incomplete: the image is there; small
    reason: str


class _TooSmall(Exception):
    """A picture is smaller than those that are wanted."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What is done with each picture, the same for all of a run."""

    encoder: Encoder
    detectors: Sequence[Detector]
    known: Container[str]  # image ids; nothing more is to be done for these,
    unfound: Container[str]  # but for these of them, whose regions are to be found
    clock: StageClock
    min_side: int = 0  # pixels of the shorter side that a new picture must have

    def prepare(self, record: ImageRecord) -> Prepared | Unreadable:
        """Read one picture. Whatever is wrong with it is an answer, never an error."""
        stage = "read"
        try:
            with self.clock.timing("read"):
                content = record.read()
                image_id = images.image_id(content)
            if image_id in self.known and image_id not in self.unfound:
                return Prepared(record, image_id, left_out=images.passed_over(content))
            stage = "decode"
            return self._prepared(record, image_id, content)
        except _TooSmall as told:
            return Unreadable(record, SMALL, str(told))
        except Exception as error:  # noqa: BLE001  one image's turn: a million others go on
            return Unreadable(record, stage, _reason(error))

    def _prepared(self, record: ImageRecord, image_id: str, content: bytes) -> Prepared:
        whole_side = max(self.encoder.input_side, images.THUMBNAIL_SIDE)
        min_side = max(whole_side, *(detector.min_side for detector in self.detectors), 0)
        with self.clock.timing("decode"):
            picture = images.decode(content, min_side=min_side)
        if image_id not in self.known and min(picture.width, picture.height) < self.min_side:
            raise _TooSmall(
                f"{picture.width} x {picture.height} pixels; --min-side {self.min_side}"
            )
        parts, problem = self._find(picture.image) if self.detectors else (None, None)
        if image_id in self.known:
            return Prepared(
                record, image_id, parts=parts, find_problem=problem, left_out=picture.left_out
            )
        with self.clock.timing("prepare"):
            whole = images.reduced(picture.image, whole_side)
            row = ImageRow(
                image_id,
                picture.width,
                picture.height,
                picture.media_type,
                picture.taken_at,
                images.perceptual_hash(whole),
                images.thumbnail(whole),
            )
            pixels = self.encoder.prepare(whole)
        return Prepared(record, image_id, row, pixels, parts, problem, picture.left_out)

    def _find(self, image: Image.Image) -> tuple[tuple[RegionCrop, ...], str | None]:
        """The regions of one picture; a detector that fails takes nothing from the others."""
        regions: list[FoundRegion] = []
        problems: list[str] = []
        with self.clock.timing("find"):
            for detector in self.detectors:
                try:
                    regions += detector.find(image)
                except Exception as error:  # noqa: BLE001  one image's turn, which goes on
                    problems.append(f"{detector.name}: {_reason(error)}")
            side = self.encoder.input_side
            crops = (images.reduced(images.crop(image, region.box), side) for region in regions)
            parts = tuple(
                RegionCrop(region, crop) for region, crop in zip(regions, crops, strict=True)
            )
        return parts, "; ".join(problems) or None


@dataclass(frozen=True, slots=True)
class Lacking:
    """Regions of a known image that a space has no embeddings of."""

    image_id: str
    regions: tuple[tuple[str, Box], ...]  # ids and boxes; the whole image is one of its own id
    min_side: int  # pixels at which detectors saw the picture


@dataclass(frozen=True, slots=True)
class Views:
    """What the encoder is to see of a known image."""

    record: ImageRecord
    regions: tuple[tuple[str, Pixels | Image.Image], ...]  # ids; wholes are prepared already


@dataclass(frozen=True, slots=True)
class SecondTurn:
    """What is done with each known picture, for a space that lacks some of its regions."""

    encoder: Encoder
    lacking: Mapping[str, Lacking]  # by uri

    def view(self, record: ImageRecord) -> Views | Unreadable:
        """Read one picture again. Whatever is wrong with it is an answer, never an error."""
        try:
            return self._views(record, self.lacking[record.uri], record.read())
        except Exception as error:  # noqa: BLE001  one image's turn: a million others go on
            return Unreadable(record, "reindex", _reason(error))

    def _views(self, record: ImageRecord, lacking: Lacking, content: bytes) -> Views:
        if images.image_id(content) != lacking.image_id:
            raise ImageProblem("holds another picture now")
        side = self.encoder.input_side
        whole_side = max(side, images.THUMBNAIL_SIDE)  # as in its first turn
        picture = images.decode(content, min_side=max(whole_side, lacking.min_side)).image

        def view(region_id: str, box: Box) -> Pixels | Image.Image:
            if region_id == lacking.image_id:
                return self.encoder.prepare(images.reduced(picture, whole_side))
            return images.reduced(images.crop(picture, box), side)

        return Views(record, tuple((name, view(name, box)) for name, box in lacking.regions))


def _reason(error: Exception) -> str:
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, BilderatlasError):
        reason = str(error)
    elif isinstance(error, OSError) and error.strerror:
        reason = f"cannot be read: {error.strerror}"
    return reason.encode("utf-8", "backslashreplace").decode()  # names in it may be no UTF-8


class _Room:
    """Bytes that may be in memory at once."""

    def __init__(self, n_threads: int) -> None:
        self._n_bytes = min(max(LEAST_AHEAD_BYTES, n_threads * BYTES_A_THREAD), MOST_AHEAD_BYTES)
        self._n_taken = 0
        self._changed = threading.Condition()

    def take(self, n_bytes: int) -> None:
        """Wait until there is room for so many, or nothing else is there."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._n_taken or self._n_taken + n_bytes <= self._n_bytes
            )
            self._n_taken += n_bytes

    def give_back(self, n_bytes: int) -> None:
        with self._changed:
            self._n_taken -= n_bytes
            self._changed.notify_all()


def in_threads(
    work: Callable[[ImageRecord], Made],
    records: Iterable[ImageRecord],
    *,
    n_threads: int,
    n_ahead: int,
) -> Generator[Made]:
    """Map in threads, in order, `n_ahead` records ahead of who consumes them, or fewer large ones.

    Who goes away waits for nothing: a thread may be in the middle of a download.
    """
    room = _Room(n_threads)

    def worked(record: ImageRecord) -> Made:
        try:
            return work(record)
        finally:
            room.give_back(record.size or 0)

    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="read")
    ahead: deque[Future[Made]] = deque()
    try:
        for record in records:
            room.take(record.size or 0)
            ahead.append(pool.submit(worked, held(record) if record.passes_by else record))
            if len(ahead) >= n_ahead:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
