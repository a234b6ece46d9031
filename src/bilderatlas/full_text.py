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

    def __init__(self, texts: Sequence[str | None]) -> None:
        """Takes 8 bytes for every different word of every text."""
        self._given = texts
        self._vocabulary: dict[str, int] = {}
        n_words = np.zeros(len(texts), dtype=np.int32)
        keys, counts = [], []
        for start in range(0, len(texts), N_AT_ONCE):
            words, places = self._numbered(texts[start : start + N_AT_ONCE], n_words[start:])
            pairs, n_times = np.unique(words * len(texts) + places + start, return_counts=True)
            keys.append(pairs)
            counts.append(n_times)
        pairs = np.concatenate([np.empty(0, np.int64), *keys])
        order = np.argsort(pairs, kind="stable")  # by word, then by text
        words, places = np.divmod(pairs[order], max(1, len(texts)))
        self._starts = np.searchsorted(words, np.arange(len(self._vocabulary) + 1))
        self._places = places.astype(np.int32)  # (P,)
        lengths = B * n_words / max(1.0, float(n_words.mean()) if len(texts) else 1.0)
        n_times = np.concatenate([np.empty(0, np.int64), *counts])[order]
        self._gains = _gains(n_times, lengths[places])  # (P,)

    def _numbered(
        self, texts: Sequence[str | None], n_words: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the words of some texts (T,), and of the texts they stand in."""
        found = [words_of(text) if text else [] for text in texts]
        n_words[: len(found)] = [len(words) for words in found]
        vocabulary = self._vocabulary
        numbers = [vocabulary.setdefault(w, len(vocabulary)) for words in found for w in words]
        places = np.repeat(np.arange(len(found)), n_words[: len(found)])
        return np.array(numbers, dtype=np.int64), places

    def find(self, query: str) -> Matches:
        """The texts that hold a word of the query; what stands in double quotes as a phrase.

        BM25 with k1 = 1.2 and b = 0.75 (Robertson and Zaragoza 2009, section 3); a phrase counts
        as one rare word. A word that no text holds counts in `shares` as the rarest.
        """
        scores = np.zeros(len(self._given), dtype=np.float32)  # (N,)
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
        number = self._vocabulary.get(word)
        if number is None:
            return self._places[:0], self._gains[:0]
        among = slice(self._starts[number], self._starts[number + 1])
        return self._places[among], self._gains[among]

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
            held[i] = said in f" {' '.join(words_of(self._given[rarest[0][i]] or ''))} "
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


def _gains(n_times: NDArray[np.int64], lengths: NDArray[np.floating]) -> NDArray[np.float32]:
    """What a word that stands n times in a text adds, before its weight."""
    return (n_times * (K1 + 1) / (n_times + K1 * (1 - B + lengths))).astype(np.float32)
