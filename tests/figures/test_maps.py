from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bilderatlas import figures


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("n", [0, 1, 30])
def test_a_map_of_any_size_is_drawn(dims: int, n: int) -> None:
    coordinates = np.random.default_rng(0).normal(size=(n, dims)).astype(np.float32)
    labels = np.arange(n, dtype=np.int32) % 4 - 1
    figure = figures.scatter(coordinates, labels, names={0: "cats, 5 $ each", 1: "a_b $x^$", 9: ""})
    out = BytesIO()
    figure.savefig(out, format="png")
    assert Image.open(out).width > 500


def test_a_map_writes_the_names_of_its_clusters() -> None:
    figure = figures.scatter(np.eye(2, dtype=np.float32), np.array([0, -1]), names={0: "cats"})
    assert [text.get_text() for text in figure.axes[0].texts] == ["cats"]
