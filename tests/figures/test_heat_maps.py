from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bilderatlas import figures


def test_the_darkest_cell_is_the_most_alike() -> None:
    matrix = np.array([[1, 0.3, 0.6], [0.3, 1, 0.4], [0.6, 0.4, 1]])
    figure = figures.heat_map(matrix, ["a", "b", "c"])
    drawn = figure.axes[0].images[0]
    assert (drawn.norm.vmin, drawn.norm.vmax) == (0.3, 0.6)  # a thing and itself is left out
    dark, light = (sum(drawn.cmap(drawn.norm(value))[:3]) for value in (0.6, 0.3))
    assert dark < light
    assert [text.get_text() for text in figure.axes[0].texts][:3] == ["1.00", "0.30", "0.60"]


def test_names_are_beside_the_rows_and_formulas_are_not_read() -> None:
    figure = figures.heat_map(np.eye(2), ["$x", "y" * 60], title="5 $ & 6 $")
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names[0] == r"\$x"
    assert names[1] == "y" * 9 + "…" + "y" * 9
    assert Image.open(BytesIO(figures.to_png(figure))).width > 500


@pytest.mark.parametrize("n", [1, 17, 60])
def test_any_number_of_rows_is_drawn(n: int) -> None:
    matrix = np.full((n, n), np.nan)
    figure = figures.heat_map(matrix, [str(i) for i in range(n)])
    assert len(figure.axes[0].texts) == 0
    assert len(figure.axes[0].get_xticklabels()) == n


def test_pictures_stand_beside_the_rows_and_below_the_columns() -> None:
    red = BytesIO()
    Image.new("RGB", (320, 200), "red").save(red, "JPEG")
    bare = figures.heat_map(np.eye(2), ["a", "b"])
    drawn = figures.heat_map(np.eye(2), ["a", "b"], pictures=[red.getvalue()] * 2)
    n_red = [
        (np.asarray(Image.open(BytesIO(figures.to_png(figure))))[..., :3] == (254, 0, 0))
        .all(2)
        .sum()
        for figure in (bare, drawn)
    ]
    assert n_red[0] == 0
    assert n_red[1] > 4 * 1000


def test_letters_that_no_font_has_are_squares_without_a_warning() -> None:
    figure = figures.heat_map(np.eye(2), ["猫", "Ä ß ж"], title="\N{PILE OF POO}")
    figures.to_png(figure)
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ["\N{WHITE SQUARE}", "Ä ß ж"]
