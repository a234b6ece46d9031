"""What an encoder makes of pictures, row by row."""

import numpy as np

from bilderatlas.models.encoders import ImageEmbeddings


def test_a_row_is_finite_only_where_all_of_its_numbers_are() -> None:
    vectors = np.array([[1, 0], [np.nan, 1], [0, 1]], dtype=np.float32)
    joint = np.array([[1, 0], [0, 1], [np.inf, 0]], dtype=np.float32)
    assert ImageEmbeddings(vectors, None).are_finite().tolist() == [True, False, True]
    assert ImageEmbeddings(vectors, joint).are_finite().tolist() == [True, False, False]
