"""BM25 by hand, and which texts hold a query's words."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bilderatlas.analysis import bm25
from bilderatlas.analysis.bm25 import FullText, words_of

SIGNS = ["Fresh bread", "Fresh fish, fresh crab", None, "", "No parking", "bread and fish"]


def found(query: str, texts: list[str | None] | None = None) -> list[int]:
    """The numbers of the texts that match, the best first."""
    matches = FullText(SIGNS if texts is None else texts).find(query)
    return matches.texts[np.argsort(-matches.relevance, kind="stable")].tolist()


def test_the_score_is_bm25_by_hand() -> None:
    """Two texts of 2 and 4 words, mean 3; `a` stands once in one of them, `b` twice in the other.

    Inverse document frequency: log(1 + (2 - 1 + 0.5) / (1 + 0.5)) = log 2 for both.
    """
    texts = FullText(["a x", "b b x x"])
    lengths = {"a": 1.2 * (0.25 + 0.75 * 2 / 3), "b": 1.2 * (0.25 + 0.75 * 4 / 3)}
    assert texts.find("a").scores == pytest.approx([math.log(2) * 2.2 / (1 + lengths["a"])])
    assert texts.find("b").scores == pytest.approx([math.log(2) * 4.4 / (2 + lengths["b"])])
    assert texts.find("b a").scores == pytest.approx(
        [texts.find("a").scores[0], texts.find("b").scores[0]]
    )


def test_the_share_of_a_query_is_by_the_weight_of_its_words() -> None:
    """`x` stands in both texts: log(1 + 0.5 / 2.5); `y` in none: log(1 + 2.5 / 0.5)."""
    texts = FullText(["a x", "b x"])
    assert texts.find("a").shares == pytest.approx([1])
    common, rare, none = math.log(1.2), math.log(2), math.log(6)
    assert texts.find("a x").shares == pytest.approx([1, common / (common + rare)])
    assert texts.find("a y").shares == pytest.approx([rare / (rare + none)])


def test_a_text_with_all_words_is_more_relevant_than_one_with_a_part_of_them() -> None:
    matches = FullText(SIGNS).find("fresh bread")
    assert matches.texts.tolist() == [0, 1, 5]
    assert matches.relevance[0] == pytest.approx(0.99, abs=1e-3)
    assert max(matches.relevance[1:]) < 0.5


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("GRÖSSE", "Größe"),
        ("größe", "GROSSE"),
        ("cafe", "Café"),
        ("Ångström", "angstrom"),
        ("ﬁsh", "FISH"),
        ("14-17", "open 14 - 17"),
        ("猫", "黒い猫"),
        ("\uff21\uff22", "ab"),
    ],
)
def test_case_and_accents_and_widths_do_not_matter(query: str, text: str) -> None:
    assert found(query, ["other words", text]) == [1]
    assert found(text, ["other words", query])[:1] == [1]


def test_words_are_whole() -> None:
    assert words_of("Don't PARK_here, 24h!") == ["don", "t", "park", "here", "24h"]
    assert found("art", ["party", "art"]) == [1]


def test_what_stands_in_quotes_is_a_phrase() -> None:
    texts = ["bread fresh daily", "fresh bread daily", "fresh breadcrumbs", "fresh\nbread"]
    assert sorted(found('"fresh bread"', list(texts))) == [1, 3]
    assert found('"fresh bread" crumbs', list(texts)) == [3, 1]
    assert found('"rock + roll"', ["rock & roll", "roll, rock"]) == [0]
    assert found('"fresh"', list(texts)) == found("fresh", list(texts))


@pytest.mark.parametrize("query", ["", "  ", "!?", '""', "unheard"])
def test_nothing_matches_nothing(query: str) -> None:
    matches = FullText(SIGNS).find(query)
    assert (len(matches.texts), len(matches.relevance)) == (0, 0)


@pytest.mark.parametrize("texts", [[], [None], ["", "..."]])
def test_texts_without_words_are_not_found(texts: list[str | None]) -> None:
    assert found("bread", texts) == []


def test_many_texts_are_indexed_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = FullText(SIGNS).find("fresh fish")
    monkeypatch.setattr("bilderatlas.analysis.bm25.N_AT_ONCE", 2)
    in_turns = FullText(SIGNS).find("fresh fish")
    assert in_turns.texts.tolist() == at_once.texts.tolist()
    assert in_turns.scores == pytest.approx(at_once.scores)


def test_texts_that_were_known_are_found_as_if_read_anew() -> None:
    """Texts are added, removed, moved and doubled."""
    rng = np.random.default_rng(0)
    words = ["bread", "fish", "crab", "fresh", "no", "parking"]
    known = FullText(SIGNS)
    for _ in range(20):
        texts = [" ".join(rng.choice(words, rng.integers(0, 5))) or None for _ in range(9)]
        texts += [*SIGNS[int(rng.integers(6)) :], f"new {rng.integers(3)}"]
        known, fresh = FullText(texts, known), FullText(texts)
        for query in ("fresh fish", '"fresh fish" bread', "new 2", "parking no crab", "none"):
            now, anew = known.find(query), fresh.find(query)
            assert now.texts.tolist() == anew.texts.tolist()
            assert now.scores.tolist() == anew.scores.tolist()
            assert now.shares.tolist() == anew.shares.tolist()


def test_a_version_does_not_know_the_words_of_later_ones() -> None:
    early = FullText(["a b"])
    late = FullText(["a b", "c c"], early)
    assert early.find("c").texts.tolist() == []
    assert early.find("b").texts.tolist() == late.find("b").texts.tolist() == [0]
    assert late.find("c").texts.tolist() == [1]


def test_known_texts_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(bm25, "words_of", lambda text: read.append(text) or [text])
    early = FullText(["one", "two", "one"])
    FullText(["three", "two", "one"], early)
    assert sorted(read) == ["one", "one", "three", "two"]
