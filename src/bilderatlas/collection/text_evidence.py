"""What is read in regions, asked by words: text by its words and by its meaning, and labels."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import calibration, search
from bilderatlas.analysis.calibration import Background
from bilderatlas.analysis.search import Evidence
from bilderatlas.arrays import Embeddings, Scores, to_unit_length
from bilderatlas.collection.cache import Cache
from bilderatlas.collection.queries import Term
from bilderatlas.collection.space import OpenSpace
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder
from bilderatlas.storage.catalogue import Catalogue

FLOOR = 3.5  # spreads over the mean of unrelated words; measured in docs/log.md


class Readings:
    """The texts and labels of regions, ready to be asked. Safe from several threads."""

    def __init__(self, words: OpenSpace | None) -> None:
        """`words` is the space of the words found in pictures, where there is one."""
        self.words = words
        self._lock = threading.RLock()
        self._encoder: Encoder | None = None
        self._background: Background | None = None
        self._labels: dict[str, Embeddings] = {}  # embedded once
        self._rows: Cache[None, NDArray[np.int64]] = Cache(1)

    def speak_for(self, terms: Sequence[Term], catalogue: Catalogue) -> list[Evidence]:
        """What speaks for regions of a catalogue by the words of a query that count for it."""
        wanted = [term for term in terms if term.words and term.weight > 0]
        if not wanted:
            return []
        evidence = [_by_words(wanted, catalogue)] if len(catalogue.read_rows) else []
        labels, _, _ = catalogue.labels
        if labels or (self.words and len(self.words.catalogue.vectors)):
            query = self._embed(wanted)
            evidence += self._by_label(query, catalogue) + self._by_meaning(query, catalogue)
        return evidence

    def _by_meaning(self, query: Embeddings, catalogue: Catalogue) -> list[Evidence]:
        """Texts that mean something like the query (D,)."""
        if not self.words:
            return []
        ours, rows = self._rows_in(catalogue)
        relevance = self._judge(search.cosines(query, ours.vectors), ours.image_of)
        is_there = rows >= 0
        return [Evidence("meaning", rows[is_there], relevance[is_there])]

    def _by_label(self, query: Embeddings, catalogue: Catalogue) -> list[Evidence]:
        """Objects whose label means something like the query, as sure as the detector is."""
        labels, rows, numbers = catalogue.labels
        if not labels:
            return []
        scores = search.cosines(query, self._embed_labels(labels))  # (L,)
        relevance = self._judge(scores, np.arange(len(labels)))[numbers]
        return [Evidence("label", rows, relevance * catalogue.detector_scores[rows])]

    def _rows_in(self, catalogue: Catalogue) -> tuple[Catalogue, NDArray[np.int64]]:
        """The space of words, and where each of its rows stands in a catalogue; -1 nowhere."""
        assert self.words, "who asks has seen to it"
        ours = self.words.catalogue
        between = ours, catalogue
        ids = ours.regions["region_id"]
        return ours, self._rows.get(None, between, lambda: catalogue.rows_of(ids))

    def _judge(self, scores: Scores, image_of: NDArray[np.integer]) -> NDArray[np.float64]:
        kinds = np.zeros(len(scores), dtype=np.int8)
        judged = calibration.judge(scores, kinds, image_of, self._unrelated())
        return np.asarray(judged.relevance, dtype=np.float64)

    # -- the encoder of texts

    def _loaded(self) -> Encoder:
        with self._lock:
            if self._encoder is None:
                name = encoders.best_for_texts()
                self._encoder = self.words.encoder() if self.words else encoders.load(name)
            return self._encoder

    def _embed(self, terms: Sequence[Term]) -> Embeddings:
        """One query (D,) for some words, each counting by its weight."""
        vectors = self._loaded().embed_texts([term.words or "" for term in terms])  # (Q, D)
        weights = np.array([term.weight for term in terms], dtype=np.float32)
        query: Embeddings = to_unit_length((weights @ vectors)[np.newaxis])[0]
        return query

    def _embed_labels(self, labels: Sequence[str]) -> Embeddings:
        with self._lock:
            for label in labels:
                if label not in self._labels:
                    self._labels[label] = self._loaded().embed_texts([label])[0]
            return np.stack([self._labels[label] for label in labels])

    def _unrelated(self) -> Background:
        """What words score that have nothing to do with each other."""
        with self._lock:
            if self._background is None:
                probes = self._loaded().embed_texts(calibration.PROBES)  # (P, D)
                numbers = np.arange(len(probes))
                self._background = calibration.measure(
                    probes, probes, numbers, numbers * 0, floor=FLOOR, owners=numbers
                )
            return self._background


def _by_words(terms: Sequence[Term], catalogue: Catalogue) -> Evidence:
    """Texts that hold words of the query."""
    matches = catalogue.full_text.find(" ".join(map(_in_full_text, terms)))
    return Evidence("words", catalogue.read_rows[matches.texts], matches.relevance)


def _in_full_text(term: Term) -> str:
    """A term as full text is asked for it: a phrase in double quotes, with none in it."""
    words = term.words or ""
    return '"' + words.replace('"', " ") + '"' if term.is_phrase else words
