"""Several offers of words -> one name for each cluster, no two the same."""

from __future__ import annotations

import pytest

from bilderatlas.analysis.naming import Name, Suggestion, apart, choose


def offer(source: str, *words: tuple[str, float]) -> list[Suggestion]:
    return [Suggestion(word, confidence, source) for word, confidence in words]


def test_the_surest_source_names_a_cluster() -> None:
    seen = {0: offer("vocabulary", ("boat", 0.4)), 1: offer("vocabulary", ("tree", 0.7))}
    read = {0: offer("words", ("regatta", 0.9)), 1: offer("words", ("oak", 0.2))}
    names = choose([seen, read], [0, 1])
    assert names[0] == Name("regatta", 0.9, "words", ("regatta",))
    assert names[1] == Name("tree", 0.7, "vocabulary", ("tree",))


def test_clusters_with_the_same_first_word_both_bear_their_second_one_too() -> None:
    offers = {
        0: offer("vocabulary", ("dog", 0.9), ("beach", 0.1)),
        1: offer("vocabulary", ("dog", 0.8), ("snow", 0.1)),
        2: offer("vocabulary", ("cat", 0.8), ("sofa", 0.1)),
    }
    names = choose([offers], [0, 1, 2])
    assert [name.name for name in names.values()] == ["dog, beach", "dog, snow", "cat"]


def test_what_all_words_leave_alike_is_told_apart_by_its_number() -> None:
    alike = offer("vocabulary", ("dog", 0.9), ("snow", 0.1))
    names = choose([{0: alike, 1: alike}], [0, 1])
    assert [name.name for name in names.values()] == ["dog, snow (0)", "dog, snow (1)"]


def test_a_name_that_is_taken_gets_a_second_word_whatever_its_case() -> None:
    names = choose([{4: offer("vocabulary", ("dog", 0.9), ("snow", 0.1))}], [4], taken=["Dog"])
    assert names[4].name == "dog, snow"


@pytest.mark.parametrize("offers", [[], [{3: []}], [{3: offer("vocabulary", ("dog", 0.09))}]])
def test_a_cluster_that_nothing_fits_is_called_by_its_number(
    offers: list[dict[int, list[Suggestion]]],
) -> None:
    assert choose(offers, [3]) == {3: Name("cluster 3", 0.0, "number")}


def test_names_from_outside_are_told_apart_by_local_words() -> None:
    names = apart({0: "Pets", 1: "pets", 2: "Cars"}, {0: ["dog"], 1: ["cat"]}, taken=["cars"])
    assert names == {0: "Pets, dog", 1: "pets, cat", 2: "Cars (2)"}
