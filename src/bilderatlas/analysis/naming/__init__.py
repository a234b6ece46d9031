"""Members of clusters -> names, with how sure each is and where it comes from.

Words of a vocabulary are matched to the embeddings of each cluster against the others; words that
pictures bear (read in them, or in a column of their table) are weighed by class-based TF-IDF.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

N_WORDS = 5  # that are kept of a cluster
LEAST_CONFIDENCE = 0.1  # below, a name is wrong nine times in ten (docs/log.md)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A word for a cluster."""

    word: str
    confidence: float  # 0..1
    source: str  # vocabulary, words, column NAME, label


@dataclass(frozen=True, slots=True)
class Name:
    """What a cluster is called."""

    name: str
    confidence: float  # 0..1; 0 where the name is only a number
    source: str  # vocabulary, words, column NAME, label, llm, person; number where nothing fits
    words: tuple[str, ...] = ()  # the words that fit best, the best first


def choose(
    suggestions: Sequence[Mapping[int, Sequence[Suggestion]]],
    clusters: Sequence[int],
    *,
    taken: Collection[str] = (),
) -> dict[int, Name]:
    """A name for each cluster, from the surest of several sources; no two are the same.

    Where two clusters would bear the same first word, both get their second one as well. A cluster
    that nothing fits is called by its number. `taken` are names that others bear already.
    """
    chosen = {}
    for cluster in clusters:
        offers = [offer[cluster] for offer in suggestions if offer.get(cluster)]
        best = max(offers, key=lambda offer: offer[0].confidence, default=())
        sure = best if best and best[0].confidence >= LEAST_CONFIDENCE else ()
        chosen[cluster] = tuple(sure[:N_WORDS])
    names = _unlike({c: [s.word for s in words] for c, words in chosen.items()}, taken)
    return {
        cluster: Name(names[cluster], words[0].confidence, words[0].source, _words(words))
        if words
        else Name(names[cluster], 0.0, "number")
        for cluster, words in chosen.items()
    }


def apart(
    names: Mapping[int, str],
    further: Mapping[int, Sequence[str]],
    *,
    taken: Collection[str] = (),
) -> dict[int, str]:
    """Names that were given from outside, told apart by further words where they are the same."""
    return _unlike({c: [name, *further.get(c, ())] for c, name in names.items()}, taken)


def numbered(cluster: int) -> str:
    """What a cluster is called that has no name."""
    return f"cluster {cluster}"


def _words(suggestions: Sequence[Suggestion]) -> tuple[str, ...]:
    return tuple(suggestion.word for suggestion in suggestions)


def _unlike(words: Mapping[int, Sequence[str]], taken: Collection[str]) -> dict[int, str]:
    """As few words of each cluster as tell it from all others; at last, its number."""
    names = {c: (some[0] if some else numbered(c)) for c, some in words.items()}
    for n_words in range(2, 2 + max(map(len, words.values()), default=0)):
        alike = _alike(names, taken)
        if not alike:
            break
        for c in alike:
            some = words[c]
            is_short = n_words > len(some)
            names[c] = f"{', '.join(some)} ({c})" if is_short else ", ".join(some[:n_words])
    return names


def _alike(names: Mapping[int, str], taken: Collection[str]) -> list[int]:
    """The clusters whose name another one has, whatever the case of its letters."""
    seen: dict[str, list[int]] = {name.casefold(): [] for name in taken}
    for cluster, name in names.items():
        seen.setdefault(name.casefold(), []).append(cluster)
    held = {name.casefold() for name in taken}
    return [c for name, some in seen.items() if len(some) > 1 or name in held for c in some]
