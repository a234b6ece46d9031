from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bilderatlas import figures
from bilderatlas.analysis import colouring
from tests.pictures import plain


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("n", [0, 1, 30])
def test_a_map_of_any_size_is_drawn(dims: int, n: int) -> None:
    coordinates = np.random.default_rng(0).normal(size=(n, dims)).astype(np.float32)
    labels = np.arange(n, dtype=np.int32) % 4 - 1
    colours = colouring.by_cluster(labels, {0: "cats, 5 $ each", 1: "a_b $x^$", 9: ""})
    out = BytesIO()
    figures.scatter(coordinates, colours, title="$ 5").savefig(out, format="png")
    assert Image.open(out).width > 500


def test_a_map_writes_the_names_of_its_clusters_where_they_lie() -> None:
    colours = colouring.by_cluster(np.array([0, -1], np.int32), {0: "cats"})
    figure = figures.scatter(np.eye(2, dtype=np.float32), colours)
    assert [text.get_text() for text in figure.axes[0].texts] == ["cats"]
    assert not figure.legends


def test_other_labels_are_in_a_legend_that_says_how_many_it_leaves_out() -> None:
    labels = np.arange(30, dtype=np.int32)
    colours = colouring.by_cluster(labels, {})
    figure = figures.scatter(
        np.zeros((30, 2), np.float32), colours, pictures={0: plain("red", format="JPEG")}
    )
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told[0] == "cluster 0  1"
    assert told[-1] == "and 10 more"


def test_pictures_have_room_around_them() -> None:
    line = np.column_stack([np.linspace(0, 1, 1000), np.zeros(1000)]).astype(np.float32)
    chosen = figures.apart(line, 100)
    assert 10 < len(chosen) < 19  # room is 0.055 of the map
    assert np.diff(np.sort(line[chosen, 0])).min() > 0.055
    assert len(figures.apart(line, 3)) == 3
