"""Words of a vocabulary matched to clusters: by hand, and with the built-in encoder's words."""

from __future__ import annotations

import numpy as np
import pytest

from bilderatlas.analysis.naming import vocabulary
from bilderatlas.arrays import Embeddings, to_unit_length
from bilderatlas.models import encoders

WORDS = ("dog", "cat", "thing")
# What all pictures have in common lies along the third axis, and so does "thing".
WORD_ROWS = to_unit_length(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32))


def pictures(*directions: tuple[float, float, float]) -> Embeddings:
    return to_unit_length(np.array(directions, np.float32))


def first_words(suggested: dict[int, list[vocabulary.Suggestion]]) -> list[str]:
    return [words[0].word for words in suggested.values()]


def test_each_cluster_gets_the_word_that_the_others_have_less_of() -> None:
    # "thing" has the largest cosine with every picture: 0.8 against 0.6.
    rows = pictures((0.6, 0, 0.8), (0.6, 0, 0.8), (0, 0.6, 0.8))
    suggested = vocabulary.suggest(rows, np.array([0, 0, 1]), WORDS, WORD_ROWS)
    assert first_words(suggested) == ["dog", "cat"]


def test_confidence_is_the_share_of_members_that_choose_the_word() -> None:
    rows = pictures((1, 0, 0), (1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    suggested = vocabulary.suggest(rows, np.array([0, 0, 0, 0, 1]), WORDS, WORD_ROWS)
    assert suggested[0][0].word == "dog"
    assert suggested[0][0].confidence == pytest.approx(0.75, abs=0.02)  # three of four


def test_a_member_to_whom_all_words_are_equal_has_no_say() -> None:
    rows = pictures((1, 1, 1), (1, 1, 1))
    suggested = vocabulary.suggest(rows, np.array([0, 1]), WORDS, WORD_ROWS)
    assert [s.confidence for s in suggested[0]] == pytest.approx([1 / 3] * 3, abs=1e-3)


def test_one_cluster_alone_is_named_too_and_no_cluster_by_nothing() -> None:
    rows = pictures((1, 0, 0.1), (1, 0.1, 0))
    assert first_words(vocabulary.suggest(rows, np.array([7, 7]), WORDS, WORD_ROWS)) == ["dog"]
    assert vocabulary.suggest(rows[:0], np.empty(0, int), WORDS, WORD_ROWS) == {}


def test_many_members_in_several_blocks_give_what_few_of_them_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(3)
    rows = to_unit_length(rng.normal(size=(50, 3)))
    clusters = rng.integers(0, 4, 50)
    at_once = vocabulary.suggest(rows, clusters, WORDS, WORD_ROWS)
    monkeypatch.setattr(vocabulary, "_ROWS_AT_ONCE", 7)
    in_blocks = vocabulary.suggest(rows, clusters, WORDS, WORD_ROWS)
    for cluster, words in at_once.items():
        assert [s.word for s in in_blocks[cluster]] == [s.word for s in words]
        assert in_blocks[cluster][0].confidence == pytest.approx(words[0].confidence, abs=1e-5)


def test_a_phrase_from_elsewhere_is_as_sure_as_the_word_that_it_is() -> None:
    rows = pictures((1, 0, 0), (1, 0, 0), (0, 1, 0))
    clusters = np.array([0, 0, 1])
    sure = vocabulary.confidence(
        rows, clusters, WORD_ROWS[1:], {0: WORD_ROWS[:1], 1: WORD_ROWS[2:]}
    )
    assert sure[0] > 0.95  # "dog" beside "cat" and "thing"
    assert sure[1] < 0.05  # "thing" for a cat


def test_the_vocabulary_has_each_word_once() -> None:
    words = vocabulary.words()
    assert len(words) > 800
    assert len({word.casefold() for word in words}) == len(words)


def test_the_shipped_embeddings_are_those_of_the_built_in_encoder() -> None:
    encoder = encoders.load("builtin", n_threads=1)
    shipped = vocabulary.shipped_embeddings(encoder.weights_hash)
    assert shipped is not None, "run tools/embed_vocabulary.py"
    assert shipped.shape == (len(vocabulary.words()), encoder.joint_dim)
    some = [0, 100, 400, len(shipped) - 1]
    made = encoder.embed_texts([vocabulary.words()[i] for i in some])
    assert (shipped[some] * made).sum(axis=1) == pytest.approx(1, abs=1e-3)


def test_embeddings_of_other_weights_are_not_taken_for_the_shipped_ones() -> None:
    assert vocabulary.shipped_embeddings("0" * 32) is None
