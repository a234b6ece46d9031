"""Words that pictures bear -> which of them tell a cluster from the others."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.naming import N_WORDS, Suggestion

_WORD = re.compile(r"[^\W\d_](?:[\w'\u2019-]*[^\W_])")  # two letters or more
_ADDRESS = re.compile(r"\S+://\S+|\S+@\S+")
_FEWEST = 2  # members that bear a word which tells of the cluster and not of one picture
_LONGEST_WHOLE = 4  # words of a text that may be a name as it stands, such as "New York"
_FUNCTION_WORDS = frozenset(  # of five languages, and endings of files
    (Path(__file__).parent / "function_words.txt").read_text("utf-8").split()
)


def suggest(
    texts: Sequence[str], clusters: NDArray[np.integer], source: str
) -> dict[int, list[Suggestion]]:
    """The words of each cluster that are rare in the others.

    `texts` are those of M members ("" where one bears none), whose clusters are `clusters` (M,).
    Words are ordered by class-based TF-IDF (Grootendorst 2022, arXiv:2203.05794, section 3.3), a
    word counting once a member; a word of one member alone names no cluster. The confidence is the
    share of a cluster's members that bear the word, less the mean share in the other clusters.
    """
    sizes = Counter(clusters.tolist())
    borne: dict[int, Counter[str]] = {cluster: Counter() for cluster in sizes}
    spelled: dict[str, str] = {}
    for text, cluster in zip(texts, clusters.tolist(), strict=True):
        said = _terms(text)
        borne[cluster].update(said.keys())
        for term, spelling in said.items():
            spelled.setdefault(term, spelling)
    weights = _rarity(borne)
    shares: Counter[str] = Counter()
    for cluster, counts in borne.items():
        shares.update({term: n / sizes[cluster] for term, n in counts.items()})
    return {
        cluster: _best(counts, sizes[cluster], weights, shares, len(sizes), spelled, source)
        for cluster, counts in borne.items()
    }


def _rarity(borne: dict[int, Counter[str]]) -> dict[str, float]:
    """log(1 + A / tf) of every term: A is the mean number of terms a cluster."""
    total: Counter[str] = Counter()
    for counts in borne.values():
        total.update(counts)
    mean = total.total() / max(len(borne), 1)
    return {term: math.log1p(mean / n) for term, n in total.items()}


def _best(
    counts: Counter[str],
    size: int,
    weights: dict[str, float],
    shares: Counter[str],
    n_clusters: int,
    spelled: dict[str, str],
    source: str,
) -> list[Suggestion]:
    def confidence(term: str) -> float:
        own = counts[term] / size
        return own - (shares[term] - own) / max(n_clusters - 1, 1)

    common = (term for term, n in counts.items() if n >= min(_FEWEST, size))
    ranked = sorted(common, key=lambda term: (-counts[term] * weights[term], -len(term), term))
    kept: list[str] = []
    for term in ranked:
        if confidence(term) > 0 and not any(_is_part(term, other) for other in kept):
            kept.append(term)
        if len(kept) == N_WORDS:
            break
    return [Suggestion(spelled[term], float(confidence(term)), source) for term in kept]


def _is_part(term: str, other: str) -> bool:
    return set(term.split()) <= set(other.split())


def _terms(text: str) -> dict[str, str]:
    """The words of a text, and short ones as a whole: casefolded -> as written."""
    found = _WORD.findall(_ADDRESS.sub(" ", text))
    terms = {word.casefold(): word for word in found if word.casefold() not in _FUNCTION_WORDS}
    if terms and 1 < len(found) <= _LONGEST_WHOLE:
        whole = " ".join(found)
        terms[whole.casefold()] = whole
    return terms
