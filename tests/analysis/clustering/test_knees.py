import numpy as np
import pytest

from bilderatlas.analysis.clustering.knees import bend, knee


def test_the_knee_of_the_papers_example_is_at_02() -> None:
    x = np.linspace(0, 1, 10)  # Satopaa et al. 2011, figure 2: y = -1 / (x + 0.1) + 5
    place = knee(x, -1 / (x + 0.1) + 5)
    assert place is not None
    assert x[place] == pytest.approx(0.222, abs=0.001)


def test_a_corner_is_a_knee_and_its_bend_is_its_height_above_the_line() -> None:
    x = np.arange(11.0)
    y = np.minimum(x, 2)  # rises to 2 at x = 2, then flat: 1 - 2 / 10
    assert knee(x, y) == 2
    assert bend(x, y)[2] == pytest.approx(0.8)


def test_a_falling_curve_is_handed_in_upside_down() -> None:
    x = np.arange(11.0)
    assert knee(x, -np.maximum(10 - 3 * x, 1)) == 3


@pytest.mark.parametrize(
    "y", [np.arange(11.0), np.arange(11.0) ** 2, np.zeros(11), np.arange(11.0) ** 0.95]
)
def test_lines_and_curves_that_do_not_flatten_have_no_knee(y: np.ndarray) -> None:
    assert knee(np.arange(11.0), y) is None


def test_one_point_has_no_knee() -> None:
    assert knee(np.array([2.0]), np.array([5.0])) is None
