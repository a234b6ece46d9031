"""Charts whose places can be counted: 340 x 210, the field from (40, 10) to (330, 176)."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bilderatlas.output.evaluation_report import charts


def test_a_line_goes_from_corner_to_corner() -> None:
    drawn = charts.lines(
        [charts.Line("a <b>", [0, 1], [0, 2])], x_name="eps", y_name="n", top=2, mark=(1, 2)
    )
    assert 'points="40.0,176.0 330.0,10.0"' in drawn
    assert 'class="ring" cx="330.0" cy="10.0"' in drawn
    assert "a &lt;b&gt;, eps 1: 2" in drawn


def test_a_histogram_has_steps_as_high_as_its_shares() -> None:
    edges = np.array([-1, 0, 0.5, 1])
    drawn = charts.histograms(
        edges, [np.array([0, 0.5, 0.5]), np.array([0, 1, 0])], x_name="cosine", mark=0.5
    )
    first, second = re.findall(r'<polygon class="s\d" points="(.*?)"', drawn)
    # the bin without pairs is left out; a share of 1 reaches 1 / 1.05 of the field's height
    assert first.startswith("40.0,176.0 40.0,97.0 185.0,97.0")
    assert "40.0,17.9 185.0,17.9" in second
    assert 'x1="185.0"' in drawn


def test_cells_are_as_strong_as_they_are_alike_and_nan_is_empty() -> None:
    matrix = np.array([[np.nan, 0.2], [0.2, 0.6]])
    drawn = charts.heat_map(matrix, ["a", "<b>"])
    assert re.findall(r"--t:([\d.]+)", drawn) == ["0.00", "0.00", "1.00"]
    assert "&lt;b&gt; and &lt;b&gt;: 0.600" in drawn
    assert charts.DASH in drawn


@pytest.mark.parametrize(("n", "numbers"), [(16, 16 * 16), (17, 0)])
def test_many_cells_have_no_numbers(n: int, numbers: int) -> None:
    matrix = np.linspace(0, 0.9, n * n).reshape(n, n)
    assert len(re.findall(r">\.\d\d<", charts.heat_map(matrix, [str(i) for i in range(n)]))) == (
        numbers
    )


def test_names_that_are_no_text_are_marked() -> None:
    assert charts.escape("a\udcff\x00b & c") == "a?\N{REPLACEMENT CHARACTER}b &amp; c"
