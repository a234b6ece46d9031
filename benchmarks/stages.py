"""What each stage of indexing costs by itself, one picture after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bilderatlas.indexing import images
from bilderatlas.indexing.index import BATCH_SIZE
from bilderatlas.models.encoders import Encoder

FULL = "decode, full (plain way)"


def processor_ms(encoder: Encoder, paths: Sequence[Path]) -> dict[str, float]:
    """Milliseconds of the processor an image, of all its threads."""
    took: dict[str, float] = {}

    def each(stage: str, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        started = time.process_time()
        made = [work(item) for item in items]
        took[stage] = (time.process_time() - started) * 1e3 / len(paths)
        return made

    side = max(encoder.input_side, images.THUMBNAIL_SIDE)
    contents = each("read", Path.read_bytes, paths)
    each("hash the content", images.image_id, contents)
    pictures = each("decode, reduced", lambda c: images.decode(c, min_side=side).image, contents)
    each(FULL, lambda content: images.decode(content).width, contents)
    each("thumbnail", images.thumbnail, pictures)
    each("perceptual hash", images.perceptual_hash, pictures)
    prepared = each("prepare for the model", encoder.prepare, pictures)
    starts = range(0, len(prepared), BATCH_SIZE)
    batches = [np.stack(prepared[start : start + BATCH_SIZE]) for start in starts]
    encoder.embed_images(batches[0][:1])
    each(f"model, batches of {BATCH_SIZE}", encoder.embed_images, batches)
    return took
