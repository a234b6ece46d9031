import numpy as np

from bilderatlas.analysis import duplicates


def grouped(pairs: list[tuple[int, int, float]], **how: object) -> list[list[int]]:
    left, right, strengths = (np.array(column) for column in zip(*pairs, strict=True))
    return duplicates.groups(left, right, strengths, **how)  # type: ignore[arg-type]


def test_pairs_that_share_a_row_are_one_group() -> None:
    assert grouped([(4, 2, 0.9), (7, 9, 0.8), (4, 0, 0.8)]) == [[0, 2, 4], [7, 9]]


def test_parted_rows_never_meet_not_even_through_others() -> None:
    chain = [(0, 1, 0.9), (1, 2, 0.8), (2, 3, 0.7)]
    assert grouped(chain, apart=[(0, 3)]) == [[0, 1, 2]]
    assert grouped(chain, apart=[(0, 1)]) == [[1, 2, 3]]


def test_the_stronger_pair_joins_first() -> None:
    assert grouped([(0, 1, 0.7), (1, 2, 0.9)], apart=[(0, 2)]) == [[1, 2]]


def test_no_pairs_are_no_groups() -> None:
    none = np.empty(0, np.intp)
    assert duplicates.groups(none, none, np.empty(0)) == []
