"""Embed the pictures of a collection again: a second space, from the places where they lie.

What a space lacks is seen by comparing its region ids with those of the collection. So a run that
was killed, one that found pictures gone, and one after new images came are all completed by the
same call.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image

from bilderatlas.arrays import Pixels
from bilderatlas.errors import SourceError
from bilderatlas.indexing.prepare import Lacking, SecondTurn, Unreadable, Views, in_threads
from bilderatlas.indexing.sources import Headers, records_of
from bilderatlas.models.detectors import min_side_of
from bilderatlas.models.encoders import Encoder, ImageEmbeddings
from bilderatlas.results import Progress, ReindexSummary, Space
from bilderatlas.storage import Store
from bilderatlas.storage.rows import ProblemRow

BATCH_SIZE = 16  # regions in one pass of the encoder
COMMIT_EVERY = 256  # regions written at once; as many are embedded again after a kill
COMMIT_SECONDS = 20.0
MIN_SHARE = 0.5  # of the collection's regions; a space that has fewer is not made the active one
NOT_FINITE = "the encoder made no finite numbers of it"


def reindex(
    store: Store,
    encoder: Encoder,
    *,
    headers: Headers | None = None,
    n_threads: int | None = None,
) -> Generator[Progress | ReindexSummary]:
    """Bring an encoder's space up to date and make it the active one; last comes the summary.

    Every place of an image is tried until one still shows it; an image that none shows is a row in
    `problems`. May be stopped at any moment: what is written stays, the active space stays what it
    was, and the next run goes on from there.

    Raises EncoderMismatch where the space was made with other weights, SourceError where fewer than
    half of the regions could be had. `headers` go to the servers of pictures on the web.
    """
    started = time.monotonic()
    with store.writing():
        store.repair()
        space = store.space_for(encoder)
        run = _Run(store, encoder, space)
        yield from run.read_again(headers, n_threads or os.cpu_count() or 2)
        run.refuse_half_a_space()
        store.activate(space.space)
        store.tidy()
        summary = run.summary(time.monotonic() - started)
    yield summary


def complete(store: Store, encoder: Encoder, space: Space) -> Iterator[Progress]:
    """Embed what a space of pictures lacks, and leave the active space what it is."""
    with store.writing():
        store.repair()
        yield from _Run(store, encoder, space).read_again(None, os.cpu_count() or 2)


class _Run:
    """One run of `reindex`. Takes the memory of one uri and a few numbers an image."""

    def __init__(self, store: Store, encoder: Encoder, space: Space) -> None:
        self.store, self.encoder, self.space = store, encoder, space
        self.before = store.count(f"embeddings/{space.space}")
        self.lacking = _LackingImages(store, space.space)
        self.pending = _Pending()
        self.reasons: dict[int, tuple[str, str, str]] = {}  # image -> uri, source, what is wrong
        self.n_done = self.n_embedded = 0

    def read_again(self, headers: Headers | None, n_threads: int) -> Iterator[Progress]:
        """Read the pictures of what the space lacks, embed them and write that down."""
        for places in self.lacking.rounds():
            lacking = {uri: self.lacking.of(image) for uri, (image, _) in places.items()}
            turn = SecondTurn(self.encoder, lacking)
            records = records_of(places, headers)
            outcomes = in_threads(turn.view, records, n_threads=n_threads, n_ahead=n_threads * 4)
            with closing(outcomes):
                try:
                    for outcome in outcomes:
                        self._take(outcome, *places[outcome.record.uri])
                        yield self._progress()
                finally:  # after Ctrl-C too: what is embedded is kept
                    self._embed(self.pending.views)
                    self._write()
        self._note_problems()

    def _take(self, outcome: Views | Unreadable, image: int, source: str) -> None:
        uri = outcome.record.uri
        if isinstance(outcome, Unreadable):
            self.reasons[image] = uri, source, outcome.reason
            return
        self.reasons.pop(image, None)
        self.lacking.is_open[image] = False
        self.n_done += 1
        self.pending.views += [_View(image, uri, source, *one) for one in outcome.regions]
        while len(self.pending.views) >= BATCH_SIZE:
            self._embed(self.pending.views[:BATCH_SIZE])
            if self.pending.is_due():
                self._write()

    def _embed(self, views: list[_View]) -> None:
        self.pending.views = self.pending.views[len(views) :]
        if not views:
            return
        pixels = [v.seen if isinstance(v.seen, np.ndarray) else self._prepare(v) for v in views]
        made = self.encoder.embed_images(np.stack(pixels))
        sound = made.are_finite()  # (B,)
        kept = [view for view, fine in zip(views, sound, strict=True) if fine]
        lost = [view for view, fine in zip(views, sound, strict=True) if not fine]
        self.reasons |= {view.image: (view.uri, view.source, NOT_FINITE) for view in lost}
        self.pending.region_ids += [view.region_id for view in kept]
        self.pending.embeddings.append(made.rows(sound))

    def _prepare(self, view: _View) -> Pixels:
        assert isinstance(view.seen, Image.Image), "wholes are prepared where they are read"
        return self.encoder.prepare(view.seen)

    def _write(self) -> None:
        pending, self.pending = self.pending, _Pending(views=self.pending.views)
        if pending.region_ids:
            joined = ImageEmbeddings.joined(pending.embeddings)
            self.store.add_embeddings(self.space.space, pending.region_ids, joined)
            self.n_embedded += len(pending.region_ids)

    def _progress(self) -> Progress:
        n_total = len(self.lacking.image_ids)
        return Progress(self.n_done, n_total, self.n_embedded, len(self.reasons), what="Embedding")

    def _note_problems(self) -> None:
        """Say which pictures this space lacks, in the place of what the last run said."""
        old = self.store.read("problems", ["uri"], "stage = 'reindex'")["uri"].to_pylist()
        prefix, now = f"not in space '{self.space.space}': ", datetime.now(UTC)
        problems = [
            ProblemRow(uri, source, "reindex", prefix + reason, now)
            for uri, source, reason in self.reasons.values()
        ]
        self.store.replace_problems(old, problems, of_reindex=True)

    def refuse_half_a_space(self) -> None:
        """Nobody is served by a switch to a space that has little of the collection."""
        n_there, n_all = self.before + self.n_embedded, self.store.count("regions")
        if n_there < MIN_SHARE * n_all:
            active = self.store.active_space
            raise SourceError(
                f"Only {n_there:,} of {n_all:,} regions could be embedded for space "
                f"'{self.space.space}': the pictures are not where they were. Is their disk there? "
                "'bilderatlas problems' says what is wrong. What was embedded is kept, and "
                f"'{active.space if active else ''}' stays the active space."
            )

    def summary(self, seconds: float) -> ReindexSummary:
        name = self.space.space
        return ReindexSummary(
            space=name,
            field=None,
            is_active=True,
            n_regions=self.before + self.n_embedded,
            n_embedded=self.n_embedded,
            n_kept=self.before,
            n_outdated=0,
            n_missing=len(self.store.absent(name)),
            n_without_text=0,
            n_problems=len(self.reasons),
            seconds=round(seconds, 3),
            regions_per_s=round(self.n_embedded / max(seconds, 1e-9), 2),
            encoder=self.encoder.name,
            device=self.encoder.device,
        )


@dataclass(frozen=True, slots=True)
class _View:
    """A region on its way to the encoder."""

    image: int
    uri: str
    source: str
    region_id: str
    seen: Pixels | Image.Image


@dataclass(slots=True)
class _Pending:
    """What is not yet written."""

    views: list[_View] = field(default_factory=list)
    region_ids: list[str] = field(default_factory=list)
    embeddings: list[ImageEmbeddings] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        n = len(self.region_ids)
        return n >= COMMIT_EVERY or (n > 0 and time.monotonic() - self.since > COMMIT_SECONDS)


class _LackingImages:
    """The images that a space lacks regions of, numbered from 0, and where they lie."""

    def __init__(self, store: Store, space: str) -> None:
        self._regions = store.absent(space).sort_by([("image_id", "ascending")])
        owners = self._regions["image_id"].combine_chunks()
        self.image_ids = pc.unique(owners)  # (M,), sorted
        numbers = pc.index_in(owners, value_set=self.image_ids).to_numpy(zero_copy_only=False)
        self._starts = np.searchsorted(numbers, np.arange(len(self.image_ids) + 1))
        self._min_sides = _min_sides(store, self.image_ids)
        self._places = _places(store, self.image_ids)
        self.is_open = np.ones(len(self.image_ids), dtype=bool)

    def of(self, image: int) -> Lacking:
        """The regions of an image that are to be embedded."""
        start, stop = self._starts[image], self._starts[image + 1]
        rows = self._regions.slice(start, stop - start).to_pylist()
        return Lacking(
            self.image_ids[image].as_py(),
            tuple((row["region_id"], tuple(row["box"])) for row in rows),
            int(self._min_sides[image]),
        )

    def rounds(self) -> Iterator[dict[str, tuple[int, str]]]:
        """uri -> image, source: the first place of each image, then the second of those left."""
        images = self._places["image"].to_numpy()
        rank = np.arange(len(images)) - np.searchsorted(images, images)
        for number in range(int(rank.max(initial=-1)) + 1):
            rows = self._places.take(np.flatnonzero((rank == number) & self.is_open[images]))
            columns = (rows[name].to_pylist() for name in ("uri", "image", "source"))
            yield {uri: (image, source) for uri, image, source in zip(*columns, strict=True)}


def _min_sides(store: Store, image_ids: pa.Array) -> NDArray[np.int64]:
    """(M,) pixels at which detectors saw each picture."""
    images = store.read("images", ["image_id", "finding"])
    rows = pc.index_in(image_ids, value_set=images["image_id"].combine_chunks())
    stamps = images["finding"].combine_chunks().take(rows).dictionary_encode()
    sides = np.array([min_side_of(stamp.as_py()) for stamp in stamps.dictionary] + [0])
    of_images: NDArray[np.int64] = sides[pc.fill_null(stamps.indices, -1).to_numpy()]
    return of_images


def _places(store: Store, image_ids: pa.Array) -> pa.Table:
    """Where these images lie: uri, source, image (its number), by image and uri."""
    places = store.read("places", ["uri", "source", "image_id"])
    numbers = pc.index_in(places["image_id"], value_set=image_ids)
    placed = places.append_column("image", numbers).filter(pc.is_valid(numbers))
    return placed.sort_by([("image", "ascending"), ("uri", "ascending"), ("source", "ascending")])
