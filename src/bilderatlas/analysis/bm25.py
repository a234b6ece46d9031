"""Texts -> those that hold the words of a query, by BM25. All in memory.

Words are compared without case and accents ("GRÖSSE" is "größe"); each sign of Chinese and Japanese
is a word of its own; nothing is stemmed and no word is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

K1, B = 1.2, 0.75  # the usual ones, Robertson and Zaragoza 2009, section 3.5
CERTAIN = 0.99  # relevance of a text that holds all of a query
FOR_PART = 1.5  # the exponent for one that holds a part of it; measured in docs/log.md
FOR_BM25 = 1e-3
N_AT_ONCE = 10_000  # texts whose words are lists of Python while the index is built

_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # written without spaces
_WORD = re.compile(rf"[{_SIGNS}]|[^\W_{_SIGNS}]+")
_ACCENT = re.compile(r"[\u0300-\u036f\u3099\u309a]")
_PHRASE = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Matches:
    """The texts that hold at least one word of a query, by number."""

    texts: NDArray[np.int64]  # (M,)
    scores: NDArray[np.float32]  # (M,) BM25, higher is closer
    shares: NDArray[np.float32]  # (M,) of the query that the text holds, by weight, in 0..1

    @property
    def relevance(self) -> NDArray[np.float64]:
        """How surely each of the texts (M,) answers the query, in 0..1; BM25 parts equal shares."""
        most = max(float(self.scores.max(initial=0)), 1e-9)
        held = (1 - FOR_BM25) * self.shares**FOR_PART + FOR_BM25 * self.scores / most
        return np.asarray(CERTAIN * held, dtype=np.float64)


class FullText:
    """The words of N texts, ready to be asked for."""

    def __init__(
        self, texts: Sequence[str | None] | pa.Array, before: FullText | None = None
    ) -> None:
        """Takes 8 bytes for every different word of every text. Those of `before` are not read."""
        self.texts = pa.array(texts, pa.string())
        self.vocabulary: dict[str, int] = before.vocabulary if before else {}
        known = before.numbers_of(self.texts) if before else np.full(len(self.texts), -1)  # (N,)
        new = np.flatnonzero(known < 0)
        counted = [np.empty((3, 0), np.int64), *([before.renumbered(known)] if before else [])]
        for start in range(0, len(new), N_AT_ONCE):
            counted.append(self._count(new[start : start + N_AT_ONCE]))
        pairs = np.concatenate(counted, axis=1)  # (3, P): word, text, how often
        words, places, n_times = pairs[:, np.lexsort((pairs[1], pairs[0]))]
        self._starts = np.searchsorted(words, np.arange(len(self.vocabulary) + 1))
        self._places = places.astype(np.int32)  # (P,)
        self._n_times = n_times.astype(np.int32)  # (P,)
        n_words = np.bincount(places, n_times, minlength=len(self.texts))  # (N,)
        self._lengths = B * n_words / max(1.0, float(n_words.mean()) if len(n_words) else 1.0)

    def _count(self, texts: NDArray[np.int64]) -> NDArray[np.int64]:
        """The words of some texts (T,), which of these, and how often (3, P)."""
        found = [words_of(text) if text else [] for text in self.texts.take(texts).to_pylist()]
        vocabulary = self.vocabulary
        numbers = [vocabulary.setdefault(w, len(vocabulary)) for words in found for w in words]
        places = np.repeat(texts, [len(words) for words in found])
        keys = np.array(numbers, dtype=np.int64) * len(self.texts) + places
        pairs, n_times = np.unique(keys, return_counts=True)
        return np.stack([*np.divmod(pairs, max(1, len(self.texts))), n_times])

    def numbers_of(self, texts: pa.Array) -> NDArray[np.int64]:
        """Which of the texts here is the same as each of others (N,); -1 where none is."""
        found = pc.fill_null(pc.index_in(texts, value_set=self.texts), -1)
        numbers: NDArray[np.int64] = found.to_numpy().astype(np.int64)
        return numbers

    def renumbered(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The words of N other texts that are the same as those here by `numbers` (3, P)."""
        words = np.repeat(np.arange(len(self._starts) - 1), np.diff(self._starts))
        by_text = np.argsort(self._places, kind="stable")
        starts = np.searchsorted(self._places[by_text], np.arange(len(self.texts) + 1))
        here = np.flatnonzero(numbers >= 0)
        first, stop = starts[numbers[here]], starts[numbers[here] + 1]
        n_words = stop - first
        places = np.arange(n_words.sum()) + np.repeat(stop - np.cumsum(n_words), n_words)
        pairs = by_text[places]
        return np.stack([words[pairs], np.repeat(here, n_words), self._n_times[pairs]])

    def find(self, query: str) -> Matches:
        """The texts that hold a word of the query; what stands in double quotes as a phrase.

        BM25 with k1 = 1.2 and b = 0.75 (Robertson and Zaragoza 2009, section 3); a phrase counts
        as one rare word. A word that no text holds counts in `shares` as the rarest.
        """
        scores = np.zeros(len(self.texts), dtype=np.float32)  # (N,)
        shares = np.zeros_like(scores)
        total = 0.0
        for words in _terms_of(query):
            places, gains = self._phrase(words) if len(words) > 1 else self._word(words[0])
            weight = np.log1p((len(scores) - len(places) + 0.5) / (len(places) + 0.5))
            scores[places] += weight * gains
            shares[places] += weight
            total += weight
        found = np.flatnonzero(scores)
        return Matches(found, scores[found], shares[found] / np.float32(total or 1))

    def _word(self, word: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The texts that hold a word, and how much it says in each before its weight."""
        number = self.vocabulary.get(word, len(self._starts))
        if number >= len(self._starts) - 1:  # also where only a later version has it
            return self._places[:0], np.empty(0, np.float32)
        among = slice(self._starts[number], self._starts[number + 1])
        places = self._places[among]
        return places, _gains(self._n_times[among], self._lengths[places])

    def _phrase(self, words: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The texts that hold words one after the other; a phrase says as much as its rarest."""
        rarest, *others = sorted(
            (self._word(word) for word in words), key=lambda held: len(held[0])
        )
        held = np.ones(len(rarest[0]), dtype=np.bool_)
        for places, _ in others:
            held &= np.isin(rarest[0], places)
        said = f" {' '.join(words)} "
        for i in np.flatnonzero(held):
            held[i] = said in f" {' '.join(words_of(self.texts[int(rarest[0][i])].as_py() or ''))} "
        return rarest[0][held], rarest[1][held]


def words_of(text: str) -> list[str]:
    """The words of a text in their order, without case and accents."""
    plain = text.casefold()
    if not plain.isascii():
        apart = unicodedata.normalize("NFKD", plain)
        plain = unicodedata.normalize("NFC", _ACCENT.sub("", apart)).casefold()
    return _WORD.findall(plain)


def _terms_of(query: str) -> Iterator[tuple[str, ...]]:
    """Each different word of a query, and each phrase in double quotes."""
    phrases = [tuple(words_of(said)) for said in _PHRASE.findall(query)]
    words = [(word,) for word in words_of(_PHRASE.sub(" ", query))]
    yield from dict.fromkeys(term for term in [*phrases, *words] if term)


def _gains(n_times: NDArray[np.integer], lengths: NDArray[np.floating]) -> NDArray[np.float32]:
    """What a word that stands n times in a text adds, before its weight."""
    return (n_times * (K1 + 1) / (n_times + K1 * (1 - B + lengths))).astype(np.float32)
