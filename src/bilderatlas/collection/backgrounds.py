"""What unrelated queries score in one version of a space, measured when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis import calibration
from bilderatlas.analysis.calibration import Background
from bilderatlas.arrays import Embeddings
from bilderatlas.models.detectors import KINDS
from bilderatlas.storage.catalogue import Catalogue


class Backgrounds:
    """The backgrounds of words and of pictures in one half of a space; kept once measured."""

    def __init__(self, catalogue: Catalogue, *, in_joint: bool) -> None:
        self.catalogue = catalogue
        self.in_joint = in_joint  # the half that words are compared with
        self._lock = threading.Lock()
        self.words: Background | None = None
        self.pictures: Background | None = None

    @property
    def embeddings(self) -> Embeddings:
        return self.catalogue.embeddings(in_joint=self.in_joint)

    def of_words(self, probes: Callable[[], Embeddings]) -> Background:
        """By words that have nothing to do with the pictures: `calibration.PROBES`, embedded."""
        with self._lock:
            if self.words is None:
                self.words = calibration.measure(
                    probes(),
                    self.embeddings,
                    self.catalogue.image_of,
                    self.catalogue.kind_numbers,
                    floor=calibration.WORDS_FLOOR,
                )
            return self.words

    def of_pictures(self) -> Background:
        """By pictures of the collection itself, at even distances."""
        with self._lock:
            if self.pictures is None:
                chosen = self._some_pictures()
                self.pictures = calibration.measure(
                    self.embeddings[chosen],
                    self.embeddings,
                    self.catalogue.image_of,
                    self.catalogue.kind_numbers,
                    floor=calibration.PICTURES_FLOOR,
                    owners=self.catalogue.image_of[chosen],
                )
            return self.pictures

    def get_ready(self, like: Backgrounds, probes: Callable[[], Embeddings]) -> None:
        """Measure what was measured there."""
        if like.words is not None:
            self.of_words(probes)
        if like.pictures is not None:
            self.of_pictures()

    def _some_pictures(self) -> NDArray[np.int64]:
        """Rows of whole pictures, or of whatever a space of words is made of."""
        kinds = self.catalogue.kind_numbers
        usual = np.flatnonzero(kinds == kinds.min(initial=len(KINDS)))
        return usual[:: max(1, len(usual) // calibration.N_PICTURES)]
