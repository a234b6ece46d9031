"""Results as tables of other libraries."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

import pytest

from bilderatlas.errors import MissingExtra
from bilderatlas.results import Items, Region


@dataclass(frozen=True, kw_only=True, repr=False)
class Regions(Items[Region]):
    LIST: ClassVar = "regions"

    regions: tuple[Region, ...]


REGION = Region("a-1", "object", "cat", (0, 0, 0.5, 1), 0.25, None, 0.75, 1.0, "picture")


def test_a_dataframe_has_a_row_an_item() -> None:
    [row] = Regions(regions=(REGION,)).to_pandas().to_dict("records")
    assert (row["region_id"], row["label"], row["score"]) == ("a-1", "cat", 0.25)


def test_without_pandas_a_dataframe_is_refused_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"'pip install pandas'.*to_arrow"):
        Regions(regions=(REGION,)).to_pandas()
    assert Regions(regions=(REGION,)).to_arrow().num_rows == 1
