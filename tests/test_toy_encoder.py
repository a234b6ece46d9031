"""The toy encoder is what its docstring says, so that other tests can lean on it."""

import numpy as np
from PIL import Image

from tests.toy_encoder import ToyEncoder


def test_the_word_red_lands_on_a_red_picture():
    encoder = ToyEncoder()
    picture = encoder.prepare(Image.new("RGB", (30, 20), "red"))
    vectors = encoder.embed_images(picture[np.newaxis]).vectors
    assert vectors[0].nonzero()[0].tolist() == [0, 4, 8, 12]
    np.testing.assert_array_equal(vectors, encoder.embed_texts(["a red car"]))
    assert vectors[0, 0] == 0.5
