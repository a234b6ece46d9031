"""One picture's turn: its bytes are read, hashed, decoded and prepared for the encoder."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from bilderatlas import images
from bilderatlas.arrays import Pixels
from bilderatlas.encoders import Encoder
from bilderatlas.errors import BilderatlasError
from bilderatlas.sources import ImageRecord
from bilderatlas.store import ImageRow

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture on its way: with its row and pixels, or without where its content is known."""

    record: ImageRecord
    image_id: str
    row: ImageRow | None
    pixels: Pixels | None  # (3, H, W)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A picture that cannot be had."""

    record: ImageRecord
    stage: str  # read, decode
    reason: str


def prepare(record: ImageRecord, encoder: Encoder, known: Container[str]) -> Prepared | Unreadable:
    """Read one picture. Whatever is wrong with it is an answer, never an error."""
    stage = "read"
    try:
        content = record.read()
        image_id = images.image_id(content)
        if image_id in known:
            return Prepared(record, image_id, row=None, pixels=None)
        stage = "decode"
        return _prepared(record, image_id, content, encoder)
    except Exception as error:  # noqa: BLE001  one image's turn: a million others go on
        return Unreadable(record, stage, _reason(error))


def _prepared(record: ImageRecord, image_id: str, content: bytes, encoder: Encoder) -> Prepared:
    min_side = max(encoder.input_side, images.THUMBNAIL_SIDE)
    picture = images.decode(content, min_side=min_side)
    row = ImageRow(
        image_id,
        picture.width,
        picture.height,
        picture.media_type,
        picture.taken_at,
        images.perceptual_hash(picture.image),
        images.thumbnail(picture.image),
    )
    return Prepared(record, image_id, row, encoder.prepare(picture.image))


def _reason(error: Exception) -> str:
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, BilderatlasError):
        reason = str(error)
    elif isinstance(error, OSError) and error.strerror:
        reason = f"cannot be read: {error.strerror}"
    return reason.encode("utf-8", "backslashreplace").decode()  # names in it may be no UTF-8


def in_threads(
    work: Callable[[Given], Made], items: Iterable[Given], *, n_threads: int
) -> Generator[Made]:
    """Map in threads, in order, a few items ahead of who consumes them."""
    with ThreadPoolExecutor(n_threads, thread_name_prefix="read") as pool:
        ahead: deque[Future[Made]] = deque()
        try:
            for item in items:
                ahead.append(pool.submit(work, item))
                if len(ahead) >= 8 * n_threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
