"""What became of the places of one source since the last time: unchanged, changed, moved, gone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bilderatlas.indexing.sources import SINGLE_FILES, ImageRecord, path_of
from bilderatlas.storage import Store
from bilderatlas.storage.rows import PlaceRow

Fingerprint = tuple[int | None, float | None, str]  # size, mtime, metadata as JSON


@dataclass(slots=True)
class Tally:
    """What happened so far in a run of `index`, over all its sources."""

    n_seen: int = 0
    n_embedded: int = 0
    n_refound: int = 0
    n_new: int = 0
    n_unchanged: int = 0
    n_moved: int = 0
    n_copies: int = 0
    n_changed: int = 0
    n_missing: int = 0
    n_pruned: int = 0
    n_problems: int = 0
    n_small: int = 0
    others: Counter[str] = field(default_factory=Counter)  # what was passed over, by kind
    without_pictures: dict[str, Mapping[str, int]] = field(default_factory=dict)  # sources


class SourcePlaces:
    """The places of one source: those that the collection knows, and those met in this run.

    Takes the memory of one uri and three numbers a place of this source, about 300 bytes.
    """

    def __init__(self, store: Store, source: str, tally: Tally) -> None:
        self._store, self._source, self._tally = store, source, tally
        rows = store.place_rows(source).to_pylist()
        self._known = {
            row["uri"]: (row["image_id"], (row["size"], row["mtime"], row["metadata"]))
            for row in rows
        }
        self._unmet = set(self._known)
        self._gained: dict[str, str] = {}  # uri -> image_id, known pictures at new places
        self._n_met = self._n_lost = 0
        self._lost: set[str] = set()  # places, folders and archives that could not be read
        self._left: set[str] = set()  # image_ids that a changed place showed before

    def is_unchanged(self, record: ImageRecord, *, unless: Container[str]) -> bool:
        """Meet a record again; says whether its place is known and looks as it did.

        Places of the images in `unless` are to be read again, whatever they look like.
        """
        self._tally.n_seen += 1
        self._n_met += 1
        if record.uri not in self._known:
            return False
        self._unmet.discard(record.uri)
        image_id, before = self._known[record.uri]
        unchanged = before == fingerprint(record) and image_id not in unless
        self._tally.n_unchanged += unchanged
        return unchanged

    def take(self, record: ImageRecord, image_id: str, *, is_new_image: bool) -> PlaceRow:
        """Count what a place that was read turned out to be, and make its row."""
        before = self._known.get(record.uri)
        if before is None and is_new_image:
            self._tally.n_new += 1
        elif before is None:
            self._tally.n_copies += 1
            self._gained[record.uri] = image_id
        elif before[0] == image_id:  # touched, not changed
            self._tally.n_unchanged += 1
        else:
            self._tally.n_changed += 1
            self._left.add(before[0])
        size, mtime, metadata = fingerprint(record)
        return PlaceRow(record.uri, record.source, image_id, size, mtime, record.position, metadata)

    def lose(self, record: ImageRecord) -> None:
        """A place that was read before and no longer can be."""
        self._n_lost += 1
        self._lost.add(record.uri.rstrip("/"))
        if record.uri in self._known:
            self._unmet.add(record.uri)

    def is_out_of_reach(self) -> bool:
        """Whether nothing at all of the source could be read: its disk may be away."""
        return self._n_lost > 0 and self._n_lost == self._n_met

    def pass_over(self, record: ImageRecord) -> None:
        """A place whose picture is not wanted, though it can be read."""
        if record.uri in self._known:
            self._unmet.add(record.uri)

    def settle(self, *, prune: bool, after_a_stop: bool, is_whole: bool) -> None:
        """Follow moved files, let go of changed ones, count the missing and prune them if asked.

        A place is moved when it was not met, or its whole source is gone, and its picture turned
        up elsewhere in this run, or, after a run that was stopped, elsewhere at all. Of a source
        that is not looked at as a whole, only what was looked at can be missing.
        """
        found = set(self._gained.values())
        if after_a_stop:
            found |= {i for uri, (i, _) in self._known.items() if uri not in self._unmet}
        unmet = {uri for uri in self._unmet if not self._is_out_of_sight(uri)}
        if not is_whole:
            unmet &= self._lost
        moved = sorted(uri for uri in unmet if self._known[uri][0] in found)
        missing = sorted(unmet.difference(moved))
        self._tally.n_moved += len(moved)
        self._tally.n_copies -= min(len(moved), len(self._gained))
        self._tally.n_missing += len(missing)
        gone = [*moved, *missing] if prune else moved
        self._store.delete_places(self._source, gone)
        self._follow_renamed_sources(found)
        self._store.drop_placeless(sorted(self._left))
        if prune:
            pruned = sorted({self._known[uri][0] for uri in missing})
            self._tally.n_pruned += self._store.drop_placeless(pruned)

    def _follow_renamed_sources(self, found: set[str]) -> None:
        """Drop the places of found images in sources that are no longer there under their name."""
        if not found:
            return
        named = self._store.read("places", ["source"])["source"].unique().to_pylist()
        for source in named:
            if source in (self._source, SINGLE_FILES) or path_of(source).exists():
                continue
            rows = self._store.place_rows(source).to_pylist()
            moved = sorted(row["uri"] for row in rows if row["image_id"] in found)
            self._tally.n_moved += len(moved)
            self._tally.n_copies -= min(len(moved), self._tally.n_copies)
            self._store.delete_places(source, moved)

    def _is_out_of_sight(self, uri: str) -> bool:
        """Whether its folder or archive could not be read, so that nobody knows what is there."""
        return any(str(parent) in self._lost for parent in PurePosixPath(uri).parents)


def fingerprint(record: ImageRecord) -> Fingerprint:
    """What tells, without reading it, that a file is as it was."""
    metadata = json.dumps(dict(record.metadata), ensure_ascii=False, allow_nan=False)
    return record.size, record.mtime, metadata
