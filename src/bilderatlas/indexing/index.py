"""Index sources on this machine: threads read and decode while the encoder runs."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bilderatlas.errors import SourceError
from bilderatlas.indexing import texts
from bilderatlas.indexing.places import SourcePlaces, Tally
from bilderatlas.indexing.prepare import Prepared, Turn, Unreadable, in_threads
from bilderatlas.indexing.sources import ImageRecord, Other, Source, counted, records_of
from bilderatlas.indexing.stage_timer import StageClock, peak_memory_mib
from bilderatlas.models.detectors import Detector, Finding, FoundRegion, load_detectors, stamp_of
from bilderatlas.models.encoders import Encoder, ImageEmbeddings
from bilderatlas.results import OTHER, SMALL, WORDS, IndexRun, IndexSummary, Progress
from bilderatlas.storage import Store
from bilderatlas.storage.rows import ImageRow, Parts, PlaceRow, ProblemRow, RegionRow

BATCH_SIZE = 16  # pictures in one pass of the encoder
COMMIT_EVERY = 256  # places written at once; as many are read again after a kill
COMMIT_SECONDS = 20.0


def index(  # noqa: PLR0913  an option is an argument
    store: Store,
    encoder: Encoder,
    sources: Sequence[Source],
    *,
    finding: Finding | None = None,
    word_encoders: Sequence[Encoder] = (),
    exclude: Sequence[str] | None = None,
    min_side: int | None = None,
    columns: Mapping[str, str] | None = None,
    prune: bool = False,
    batch_size: int = BATCH_SIZE,
    n_threads: int | None = None,
) -> Generator[Progress | IndexSummary]:
    """Bring the collection up to date with its sources; the last item is the summary.

    Detectors look at every new picture, and again at known ones whose regions other detectors, or
    none, have found; where nothing is to be found regions stay as they are. `finding` is that of
    the last time where it is not said. `word_encoders` embed the words found in pictures, each as
    a space of its own. `exclude`, what the sources were opened with, and `min_side`, which new
    pictures must have, are remembered where they are said, and so are the `columns` of tables.

    May be stopped at any moment: what is written stays, and the next run goes on from there.
    Raises DetectorError, SourceError where no source has pictures, and StoreError when the disk
    refuses.
    """
    started = time.monotonic()
    tally = Tally()
    finding = finding or store.finding
    detectors = load_detectors(finding)
    n_threads = n_threads or os.cpu_count() or 2
    clock = StageClock(n_threads)
    with store.writing():
        store.remember_finding(finding)
        store.remember_choice(exclude, min_side)
        for source in sources:
            store.remember_columns(source.name, columns or {})
        store.add_space(encoder)
        store.repair()
        empty: list[_OnlyOthers] = []
        for source in sources:
            turn = _SourceTurn(store, encoder, detectors, source, tally, clock)
            yield from turn.run(batch_size, n_threads)
            if turn.has_pictures:
                turn.settle(prune=prune)
            else:
                empty.append(turn.only_others())
        if empty and len(empty) == len(sources):
            raise SourceError(_no_pictures(tally))
        for each in empty:
            store.replace_problems(each.gone, each.noted)
        for word_encoder in word_encoders:
            yield from texts.complete(store, word_encoder, WORDS)
        store.tidy()
        summary = _summary(store, encoder, detectors, tally, clock, time.monotonic() - started)
        if tally.n_embedded or tally.n_refound:
            store.remember_index(_run_of(summary))
    yield summary


def read_again(
    store: Store, encoder: Encoder, places: Sequence[Mapping[str, Any]], *, n_threads: int = 2
) -> Iterator[Progress]:
    """Take in pictures that the collection has lost, from rows of where they lay.

    What cannot be read is a row in `problems`. Raises DetectorError, StoreError.
    """
    detectors = load_detectors(store.finding)
    by_source: dict[str, dict[str, Mapping[str, Any]]] = {}
    for place in places:
        by_source.setdefault(place["source"], {})[place["uri"]] = place
    with store.writing():
        store.add_space(encoder)
        for name, its in by_source.items():
            source = _Known(name, its)
            turn = _SourceTurn(store, encoder, detectors, source, Tally(), StageClock(n_threads))
            yield from turn.run(BATCH_SIZE, n_threads)
            store.mark_unfinished(turn.after_a_stop)


@dataclass(slots=True)
class _Known:
    """Some places of a source, by the rows that were kept of them."""

    name: str
    places: Mapping[str, Mapping[str, Any]]
    is_whole: bool = False
    others: list[Other] = field(default_factory=list)

    def count(self) -> int:
        return len(self.places)

    def records(self) -> Iterator[ImageRecord]:
        for record in records_of(self.places):
            row = self.places[record.uri]
            yield replace(
                record,
                source=self.name,
                position=row["position"],
                size=row["size"],
                mtime=row["mtime"],
                metadata=json.loads(row["metadata"]),
            )


@dataclass(slots=True)
class _Crops:
    """Regions of some images, embedded row by row."""

    image_ids: list[str] = field(default_factory=list)
    rows: list[RegionRow] = field(default_factory=list)
    embeddings: list[ImageEmbeddings] = field(default_factory=list)

    def parts(self, stamp: str) -> Parts:
        return Parts(self.rows, ImageEmbeddings.joined(self.embeddings), stamp)


@dataclass(slots=True)
class _Pending:
    """What is embedded but not yet written."""

    images: list[ImageRow] = field(default_factory=list)
    embeddings: list[ImageEmbeddings] = field(default_factory=list)
    found: _Crops = field(default_factory=_Crops)  # in new images
    refound: _Crops = field(default_factory=_Crops)  # in known ones
    places: list[PlaceRow] = field(default_factory=list)
    problems: list[ProblemRow] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        n = len(self.places) + len(self.problems)
        return n >= COMMIT_EVERY or (n > 0 and time.monotonic() - self.since > COMMIT_SECONDS)


@dataclass(frozen=True, slots=True)
class _OnlyOthers:
    """The problems of a source without pictures: those that are no more, and new ones."""

    gone: Sequence[str]
    noted: Sequence[ProblemRow]


class _SourceTurn:
    """One source on its way into the store."""

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        detectors: Sequence[Detector],
        source: Source,
        tally: Tally,
        clock: StageClock,
    ) -> None:
        self.store, self.encoder, self.source, self.tally = store, encoder, source, tally
        self.clock = clock
        self.detectors, self.stamp = detectors, stamp_of(detectors)
        self.places = SourcePlaces(store, source.name, tally)
        self.known = set(store.read("images", ["image_id"])["image_id"].to_pylist())
        self.unfound = store.unfound(self.stamp) if self.stamp else set()
        self.old_problems = store.problem_rows(source.name)
        self.looked_at: set[str] = set()  # places of a source that is not looked at as a whole
        self.others: Counter[str] = Counter()  # by kind
        self.after_a_stop = store.is_unfinished
        self.n_before = tally.n_seen
        self.pending = _Pending()

    @property
    def has_pictures(self) -> bool:
        return self.tally.n_seen > self.n_before

    def run(self, batch_size: int, n_threads: int) -> Iterator[Progress]:
        """Read what is new or changed, embed it in batches, write it in larger ones."""
        self.store.mark_unfinished(True)
        n_total = self.source.count()
        records = (record for record in self.source.records() if not self._is_done(record))
        turn = Turn(
            self.encoder, self.detectors, self.known, self.unfound, self.clock, self.store.min_side
        )
        # Pictures with their crops are large; finding takes so long that few need to wait.
        n_ahead = n_threads * (2 if self.detectors else 8)
        with closing(
            in_threads(turn.prepare, records, n_threads=n_threads, n_ahead=n_ahead)
        ) as outcomes:
            try:
                for batch in _batches(outcomes, batch_size):
                    self._take(batch)
                    self._pass_over_others()
                    if self.pending.is_due():
                        self._write()
                    yield self._progress(n_total)
                self._pass_over_others()
            finally:  # after Ctrl-C too: what is embedded is kept
                if self.has_pictures:
                    self._write()
        if not self.has_pictures:
            self.tally.without_pictures[self.source.name] = dict(self.others.most_common())
            self.store.mark_unfinished(self.after_a_stop)

    def _progress(self, n_total: int | None) -> Progress:
        tally = self.tally
        n_done, n_embedded = tally.n_seen - self.n_before, tally.n_embedded + tally.n_refound
        return Progress(n_done, n_total, n_embedded, tally.n_problems, len(self.unfound))

    def settle(self, *, prune: bool) -> None:
        """Once all of the source was seen: moved and missing files, problems that are no more."""
        spared = prune and self.places.is_out_of_reach()
        self.places.settle(
            prune=prune and not spared,
            after_a_stop=self.after_a_stop,
            is_whole=self.source.is_whole,
        )
        self._forget_solved()
        self.store.mark_unfinished(False)
        if spared:
            raise SourceError(
                f"Nothing of {self.source.name} could be read, so nothing was pruned. "
                "Is the disk of its pictures there? 'bilderatlas problems' says what is wrong."
            )

    def only_others(self) -> _OnlyOthers:
        """What is to be written of a source that has no pictures."""
        gone = [uri for uri, (stage, _) in self.old_problems.items() if stage == OTHER]
        return _OnlyOthers(gone if self.source.is_whole else [], self.pending.problems)

    def _forget_solved(self) -> None:
        """Problems that did not come up again; of single files, those of the ones named."""
        solved = set(self.old_problems)
        if not self.source.is_whole:
            solved &= self.looked_at
        self.store.replace_problems(sorted(solved), [])

    def _is_done(self, record: ImageRecord) -> bool:
        """Whether nothing is to be done for a place. What its image lacks stays a problem."""
        if not self.source.is_whole:
            self.looked_at.add(record.uri)
        is_done = self.places.is_unchanged(record, unless=self.unfound)
        stage, _ = self.old_problems.get(record.uri, ("", ""))
        if is_done and stage in ("find", "incomplete"):
            del self.old_problems[record.uri]
        return is_done

    def _pass_over_others(self) -> None:
        """Note what the source has passed over since the last time; what is noted already stays."""
        for other in self.source.others:
            self.others[other.kind] += 1
            self.tally.others[other.kind] += 1
            if self.old_problems.pop(other.uri, None) != (OTHER, other.reason):
                self.pending.problems.append(
                    ProblemRow(other.uri, self.source.name, OTHER, other.reason, datetime.now(UTC))
                )
        self.source.others.clear()

    def _take(self, batch: Sequence[Prepared | Unreadable]) -> None:
        turns: dict[str, Prepared] = {}  # a batch may hold the same content twice
        for outcome in batch:
            if isinstance(outcome, Prepared):
                turns.setdefault(outcome.image_id, outcome)
        fresh = [p for p in turns.values() if p.image_id not in self.known]
        unfound = [p for p in turns.values() if p.image_id in self.unfound]
        with self.clock.timing("embed", len(fresh) + len(unfound)):
            embedded = self._embed(fresh)
            self._embed_parts([p for p in fresh if p.image_id in embedded], self.pending.found)
            self._embed_parts(unfound, self.pending.refound)
        self.unfound.difference_update(p.image_id for p in unfound)
        self.tally.n_refound += len(unfound)
        for outcome in batch:
            if isinstance(outcome, Unreadable):
                self._lose(outcome)
            elif outcome.image_id in self.known:
                is_new = embedded.pop(outcome.image_id, False)
                self.pending.places.append(
                    self.places.take(outcome.record, outcome.image_id, is_new_image=is_new)
                )
                if outcome.left_out:
                    problem = Unreadable(outcome.record, "incomplete", outcome.left_out)
                    self._note_problem(problem)
            else:
                reason = "the encoder made no finite numbers of it"
                self._lose(Unreadable(outcome.record, "embed", reason))

    def _embed(self, fresh: list[Prepared]) -> dict[str, bool]:
        """Embed new pictures and mark them known; those without finite numbers stay unknown."""
        if not fresh:
            return {}
        pixels = np.stack([prepared.pixels for prepared in fresh if prepared.pixels is not None])
        made = self.encoder.embed_images(pixels)
        sound = made.are_finite()  # (B,)
        rows = [p.row for p, fine in zip(fresh, sound, strict=True) if fine and p.row]
        self.pending.images += rows
        self.pending.embeddings.append(made.rows(sound))
        self.known.update(row.image_id for row in rows)
        self.tally.n_embedded += len(rows)
        return {row.image_id: True for row in rows}

    def _embed_parts(self, turns: Sequence[Prepared], crops: _Crops) -> None:
        """Embed what detectors found in some pictures, and note where they failed."""
        crops.image_ids += [prepared.image_id for prepared in turns]
        for prepared in turns:
            if prepared.find_problem:
                self._note_problem(Unreadable(prepared.record, "find", prepared.find_problem))
        parts = [
            (_region_row(prepared.image_id, number, part.region), part.crop)
            for prepared in turns
            for number, part in enumerate(prepared.parts or (), start=1)
        ]
        for start in range(0, len(parts), BATCH_SIZE):
            some = parts[start : start + BATCH_SIZE]
            made = self.encoder.embed_images(np.stack([self.encoder.prepare(c) for _, c in some]))
            sound = made.are_finite()
            crops.rows += [row for (row, _), fine in zip(some, sound, strict=True) if fine]
            crops.embeddings.append(made.rows(sound))

    def _lose(self, problem: Unreadable) -> None:
        if problem.stage == SMALL:
            self.places.pass_over(problem.record)
        else:
            self.places.lose(problem.record)
        self._note_problem(problem)

    def _note_problem(self, problem: Unreadable) -> None:
        record = problem.record
        self.tally.n_small += problem.stage == SMALL
        self.tally.n_problems += problem.stage != SMALL
        self.old_problems.pop(record.uri, None)
        self.pending.problems.append(
            ProblemRow(record.uri, record.source, problem.stage, problem.reason, datetime.now(UTC))
        )

    def _write(self) -> None:
        pending, self.pending = self.pending, _Pending()
        space = self.store.active_space
        assert space is not None, "add_space made one"
        parts = pending.found.parts(self.stamp) if self.stamp else None
        refound = pending.refound
        with self.clock.timing("write", len(pending.images) + len(refound.image_ids)):
            if self.stamp and refound.image_ids:
                self.store.replace_parts(space.space, refound.image_ids, refound.parts(self.stamp))
            embeddings = ImageEmbeddings.joined(pending.embeddings)
            self.store.append(space.space, pending.images, embeddings, pending.places, parts)
            self.store.replace_problems([], pending.problems)


def _region_row(image_id: str, number: int, found: FoundRegion) -> RegionRow:
    return RegionRow(
        f"{image_id}-{number}",
        image_id,
        found.kind,
        found.label,
        found.box,
        found.score,
        found.text,
    )


def _batches(
    outcomes: Iterable[Prepared | Unreadable], batch_size: int
) -> Iterator[list[Prepared | Unreadable]]:
    """Outcomes in groups with at most `batch_size` pictures to embed, or about as many crops."""
    batch: list[Prepared | Unreadable] = []
    n_pixels = n_crops = 0
    for outcome in outcomes:
        batch.append(outcome)
        if isinstance(outcome, Prepared):
            n_pixels += outcome.pixels is not None
            n_crops += len(outcome.parts or ())
        if n_pixels == batch_size or n_crops >= batch_size or len(batch) >= COMMIT_EVERY:
            yield batch
            batch, n_pixels, n_crops = [], 0, 0
    if batch:
        yield batch


def _no_pictures(tally: Tally) -> str:
    sources = tally.without_pictures.items()
    return (
        f"No pictures in {', '.join(f'{name} ({counted(kinds)})' for name, kinds in sources)}. "
        "What the collection knows of it stays. "
        "Give a folder, table or archive that holds JPEG, PNG, WebP, GIF, BMP or TIFF pictures."
    )


def _summary(
    store: Store,
    encoder: Encoder,
    detectors: Sequence[Detector],
    tally: Tally,
    clock: StageClock,
    seconds: float,
) -> IndexSummary:
    stamp = stamp_of(detectors)
    return IndexSummary(
        n_images=store.count("images"),
        n_regions=store.count("regions"),
        n_new=tally.n_new,
        n_unchanged=tally.n_unchanged,
        n_moved=tally.n_moved,
        n_copies=tally.n_copies,
        n_changed=tally.n_changed,
        n_missing=tally.n_missing,
        n_pruned=tally.n_pruned,
        n_problems=tally.n_problems,
        n_other=tally.others.total(),
        n_small=tally.n_small,
        others=dict(tally.others.most_common()),
        without_pictures=tally.without_pictures,
        n_refound=tally.n_refound,
        n_unfound=len(store.unfound(stamp)) if stamp else 0,
        seconds=round(seconds, 3),
        images_per_s=round((tally.n_embedded + tally.n_refound) / max(seconds, 1e-9), 2),
        encoder=encoder.name,
        device=encoder.device,
        finders=tuple(detector.name for detector in detectors),
        stages=clock.speeds(),
        peak_memory_mib=round(peak_memory_mib(), 1),
    )


def _run_of(summary: IndexSummary) -> IndexRun:
    return IndexRun(
        finished_at=datetime.now(UTC),
        encoder=summary.encoder,
        device=summary.device,
        finders=summary.finders,
        seconds=summary.seconds,
        images_per_s=summary.images_per_s,
        stages=summary.stages,
        peak_memory_mib=summary.peak_memory_mib,
    )
