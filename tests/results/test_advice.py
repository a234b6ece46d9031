import json

import numpy as np
import pytest

from bilderatlas import figures
from bilderatlas.errors import QueryError
from bilderatlas.results.advice import Advice, advise
from tests.analysis.clustering.rows import groups, random_rows


@pytest.fixture(scope="module")
def seven() -> Advice:
    return advise(groups(*[12] * 7))


def test_k_and_eps_are_recommended_with_a_reason(seven: Advice) -> None:
    said = seven.to_dict()
    assert (said["n_regions"], said["k"]["k"]) == (84, 7)
    assert said["k"]["reason"].startswith("k = 7")
    assert said["eps"]["reason"].startswith("eps = ")
    at_seven = next(row for row in said["k"]["curves"] if row["k"] == 7)
    assert at_seven["silhouette"] == max(row["silhouette"] for row in said["k"]["curves"])
    assert max(row["n_clusters"] for row in said["eps"]["curves"]) >= 7


def test_the_table_is_json(seven: Advice) -> None:
    assert json.loads(json.dumps(seven.to_dict(), allow_nan=False)) == seven.to_dict()


def test_the_figure_shows_four_curves_over_k_and_two_over_eps(seven: Advice) -> None:
    figure = seven.figure()
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert titles == [
        "Elbow",
        "Silhouette, highest at 7",
        "Gap statistic: first enough at 7",
        "Stability of subsamples",
        "k-distance",
        "DBSCAN over eps",
    ]
    assert figures.to_png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_items_are_refused(n: int) -> None:
    with pytest.raises(QueryError, match=f"There are {n} items; advice needs 3 or more"):
        advise(random_rows(n))


@pytest.mark.parametrize("rows", [random_rows(3), np.repeat(random_rows(1), 9, axis=0)])
def test_three_items_and_equal_ones_are_answered_and_drawn(rows: np.ndarray) -> None:
    advised = advise(rows)
    assert advised.k.k >= 1
    assert advised.eps.eps > 0
    assert figures.to_png(advised.figure()).startswith(b"\x89PNG")


def test_min_samples_beyond_the_items_is_refused() -> None:
    with pytest.raises(QueryError, match="min_samples is 11; expected 1 to 10"):
        advise(random_rows(10), min_samples=11)


def test_the_same_seed_gives_the_same_advice() -> None:
    first = advise(random_rows(16)).to_dict()
    assert advise(random_rows(16)).to_dict() == first
    assert advise(random_rows(16), seed=1).to_dict() != first
