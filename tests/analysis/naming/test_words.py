"""Class-based TF-IDF over words that pictures bear; shares counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bilderatlas.analysis.naming import words


def test_words_that_others_bear_too_come_last_or_not_at_all() -> None:
    texts = ["holiday in Venice", "holiday, Venice again", "holiday in Oslo", "holiday: Oslo"]
    suggested = words.suggest(texts, np.array([0, 0, 1, 1]), "words")
    assert suggested[0][0].word == "Venice"
    assert suggested[1][0].word == "Oslo"
    assert "holiday" not in [s.word for s in suggested[0]]  # as frequent elsewhere


def test_confidence_is_the_share_here_less_the_mean_share_elsewhere() -> None:
    texts = ["oak", "oak", "oak", "elm", "oak", "elm", "elm", "elm"]
    suggested = words.suggest(texts, np.array([0, 0, 0, 0, 1, 1, 2, 2]), "column tree")
    # Three of four here; one of two and none of two elsewhere: 0.75 - 0.25.
    assert suggested[0][0].word == "oak"
    assert suggested[0][0].confidence == pytest.approx(0.5)
    assert suggested[0][0].source == "column tree"


def test_a_word_counts_once_a_picture_however_often_it_stands_there() -> None:
    texts = ["spam " * 50, "ham", "ham", "ham", "eggs"]
    suggested = words.suggest(texts, np.array([0, 0, 0, 0, 1]), "words")
    assert suggested[0][0].word == "ham"


def test_a_short_text_may_be_a_name_as_a_whole() -> None:
    suggested = words.suggest(["New York", "New York", "Rome"], np.array([0, 0, 1]), "column city")
    assert [s.word for s in suggested[0]] == ["New York"]


def test_addresses_numbers_and_function_words_are_no_names() -> None:
    texts = ["the https://example.org/dog.jpg 2017 and a.b@example.org of", "le der und 12"]
    assert words.suggest(texts, np.array([0, 1]), "words") == {0: [], 1: []}


def test_pictures_without_words_count_among_those_that_lack_one() -> None:
    texts = ["oak", "oak", "", "", "", "elm"]
    suggested = words.suggest(texts, np.array([0, 0, 0, 0, 0, 1]), "words")
    assert suggested[0][0].confidence == pytest.approx(0.4)


def test_a_word_of_one_picture_names_no_cluster_of_several() -> None:
    suggested = words.suggest(["oak", "elm", "elm"], np.array([0, 0, 0]), "words")
    assert [s.word for s in suggested[0]] == ["elm"]
    assert words.suggest(["oak"], np.array([0]), "words")[0][0].word == "oak"


def test_words_are_spelled_as_they_were_read_and_compared_without_case() -> None:
    suggested = words.suggest(["ZÜRICH", "Zürich", "Genf"], np.array([0, 0, 1]), "words")
    assert suggested[0][0].word == "ZÜRICH"
    assert suggested[0][0].confidence == 1
