"""Index sources on this machine: threads read and decode while the encoder runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import numpy as np

from bilderatlas.arrays import Embeddings
from bilderatlas.encoders import Encoder, ImageEmbeddings
from bilderatlas.errors import SourceError
from bilderatlas.indexing.places import SourcePlaces, Tally
from bilderatlas.indexing.reading import Prepared, Unreadable, in_threads, prepare
from bilderatlas.results import IndexSummary, Progress
from bilderatlas.sources import Source
from bilderatlas.store import ImageRow, PlaceRow, ProblemRow, Store

BATCH_SIZE = 16  # pictures in one pass of the encoder
COMMIT_EVERY = 256  # places written at once; as many are read again after a kill
COMMIT_SECONDS = 20.0


def index(
    store: Store,
    encoder: Encoder,
    sources: Sequence[Source],
    *,
    prune: bool = False,
    batch_size: int = BATCH_SIZE,
    n_threads: int | None = None,
) -> Iterator[Progress | IndexSummary]:
    """Bring the collection up to date with its sources; the last item is the summary.

    May be stopped at any moment: what is written stays, and the next run goes on from there.
    Raises SourceError where a source has no pictures, StoreError when the disk refuses.
    """
    started = time.monotonic()
    tally = Tally()
    with store.writing():
        store.add_space(encoder)
        store.repair()
        for source in sources:
            turn = _SourceTurn(store, encoder, source, tally)
            yield from turn.run(batch_size, n_threads or os.cpu_count() or 2)
            turn.settle(prune=prune)
        store.tidy()
    yield _summary(store, encoder, tally, time.monotonic() - started)


@dataclass(slots=True)
class _Pending:
    """What is embedded but not yet written."""

    images: list[ImageRow] = field(default_factory=list)
    embeddings: list[ImageEmbeddings] = field(default_factory=list)
    places: list[PlaceRow] = field(default_factory=list)
    problems: list[ProblemRow] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        n = len(self.places) + len(self.problems)
        return n >= COMMIT_EVERY or (n > 0 and time.monotonic() - self.since > COMMIT_SECONDS)


class _SourceTurn:
    """One source on its way into the store."""

    def __init__(self, store: Store, encoder: Encoder, source: Source, tally: Tally) -> None:
        self.store, self.encoder, self.source, self.tally = store, encoder, source, tally
        self.places = SourcePlaces(store, source.name, tally)
        self.known = set(store.read("images", ["image_id"])["image_id"].to_pylist())
        self.old_problems = store.problem_uris(source.name)
        self.after_a_stop = store.is_unfinished
        self.pending = _Pending()

    def run(self, batch_size: int, n_threads: int) -> Iterator[Progress]:
        """Read what is new or changed, embed it in batches, write it in larger ones."""
        self.store.mark_unfinished(True)
        n_total, n_before = self.source.count(), self.tally.n_seen
        records = (r for r in self.source.records() if not self.places.is_unchanged(r))
        work = partial(prepare, encoder=self.encoder, known=self.known)
        with closing(in_threads(work, records, n_threads=n_threads)) as outcomes:
            try:
                for batch in _batches(outcomes, batch_size):
                    self._take(batch)
                    if self.pending.is_due():
                        self._write()
                    n_done = self.tally.n_seen - n_before
                    yield Progress(n_done, n_total, self.tally.n_embedded, self.tally.n_problems)
            finally:  # after Ctrl-C too: what is embedded is kept
                self._write()
        self.tally.n_other += self.source.n_other
        if self.tally.n_seen == n_before:
            self.store.mark_unfinished(self.after_a_stop)
            raise SourceError(_no_pictures(self.source))

    def settle(self, *, prune: bool) -> None:
        """Once all of the source was seen: moved and missing files, problems that are no more."""
        spared = prune and self.places.is_out_of_reach()
        self.places.settle(prune=prune and not spared, after_a_stop=self.after_a_stop)
        self.store.replace_problems(sorted(self.old_problems), [])
        self.store.mark_unfinished(False)
        if spared:
            raise SourceError(
                f"Nothing of {self.source.name} could be read, so nothing was pruned. "
                "Is the disk of its pictures there? 'bilderatlas problems' says what is wrong."
            )

    def _take(self, batch: Sequence[Prepared | Unreadable]) -> None:
        fresh: dict[str, Prepared] = {}  # a batch may hold the same content twice
        for outcome in batch:
            if isinstance(outcome, Prepared) and outcome.image_id not in self.known:
                fresh.setdefault(outcome.image_id, outcome)
        embedded = self._embed(list(fresh.values()))
        for outcome in batch:
            if isinstance(outcome, Unreadable):
                self._note_problem(outcome)
            elif outcome.image_id in self.known:
                is_new = embedded.pop(outcome.image_id, False)
                self.pending.places.append(
                    self.places.take(outcome.record, outcome.image_id, is_new_image=is_new)
                )
            else:
                reason = "the encoder made no finite numbers of it"
                self._note_problem(Unreadable(outcome.record, "embed", reason))

    def _embed(self, fresh: list[Prepared]) -> dict[str, bool]:
        """Embed new pictures and mark them known; those without finite numbers stay unknown."""
        if not fresh:
            return {}
        pixels = np.stack([prepared.pixels for prepared in fresh if prepared.pixels is not None])
        made = self.encoder.embed_images(pixels)
        sound = np.asarray(np.isfinite(made.vectors).all(axis=1))  # (B,)
        rows = [p.row for p, fine in zip(fresh, sound, strict=True) if fine and p.row]
        joint = None if made.joint is None else made.joint[sound]
        self.pending.images += rows
        self.pending.embeddings.append(ImageEmbeddings(made.vectors[sound], joint))
        self.known.update(row.image_id for row in rows)
        self.tally.n_embedded += len(rows)
        return {row.image_id: True for row in rows}

    def _note_problem(self, problem: Unreadable) -> None:
        record = problem.record
        self.places.lose(record)
        self.old_problems.discard(record.uri)
        self.pending.problems.append(
            ProblemRow(record.uri, record.source, problem.stage, problem.reason, datetime.now(UTC))
        )

    def _write(self) -> None:
        pending, self.pending = self.pending, _Pending()
        space = self.store.active_space
        assert space is not None, "add_space made one"
        self.store.append(space.space, pending.images, _joined(pending.embeddings), pending.places)
        self.store.replace_problems([], pending.problems)


def _batches(
    outcomes: Iterable[Prepared | Unreadable], batch_size: int
) -> Iterator[list[Prepared | Unreadable]]:
    """Outcomes in groups with at most `batch_size` pictures to embed."""
    batch: list[Prepared | Unreadable] = []
    n_pixels = 0
    for outcome in outcomes:
        batch.append(outcome)
        n_pixels += isinstance(outcome, Prepared) and outcome.pixels is not None
        if n_pixels == batch_size or len(batch) >= COMMIT_EVERY:
            yield batch
            batch, n_pixels = [], 0
    if batch:
        yield batch


def _joined(made: Sequence[ImageEmbeddings]) -> ImageEmbeddings:
    def stack(parts: list[Embeddings]) -> Embeddings:
        return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)

    has_joint = any(part.joint is not None for part in made)
    joint = stack([part.joint for part in made if part.joint is not None]) if has_joint else None
    return ImageEmbeddings(stack([part.vectors for part in made]), joint)


def _no_pictures(source: Source) -> str:
    passed = f"; {source.n_other:,} other files were looked at" if source.n_other else ""
    return (
        f"No pictures in {source.name}{passed}. What the collection knows of it stays. "
        "Give a folder, table or archive that holds JPEG, PNG, WebP, GIF, BMP or TIFF pictures."
    )


def _summary(store: Store, encoder: Encoder, tally: Tally, seconds: float) -> IndexSummary:
    return IndexSummary(
        n_images=store.count("images"),
        n_new=tally.n_new,
        n_unchanged=tally.n_unchanged,
        n_moved=tally.n_moved,
        n_copies=tally.n_copies,
        n_changed=tally.n_changed,
        n_missing=tally.n_missing,
        n_pruned=tally.n_pruned,
        n_problems=tally.n_problems,
        n_other=tally.n_other,
        seconds=round(seconds, 3),
        images_per_s=round(tally.n_embedded / max(seconds, 1e-9), 2),
        encoder=encoder.name,
        device=encoder.device,
    )
