"""What was skipped is counted by reason and shown a stretch at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError
from bilderatlas.storage import Store
from bilderatlas.storage.rows import ProblemRow
from tests.toy_encoder import ToyEncoder

WHEN = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    store = Store.create(tmp_path_factory.mktemp("skipped") / "skipped.atlas")
    rows = [(f"/a/Cut{n}.jpg", "/a", "decode", f"cut off after {n} bytes") for n in range(5)]
    rows += [("/b/empty.png", "/b", "decode", "the file is empty")]
    rows += [("/b/gone.png", "/b", "reindex", "no longer there")]
    store.replace_problems([], [ProblemRow(*row, WHEN) for row in rows[:-1]])
    store.replace_problems([], [ProblemRow(*rows[-1], WHEN)], of_reindex=True)
    return Collection(store, encoder=ToyEncoder())


def test_reasons_that_differ_by_a_number_are_one(atlas: Collection) -> None:
    found = atlas.browse_problems()
    assert found.n_problems == 7
    assert list(found.reasons.items()) == [
        ("cut off after … bytes", 5),
        ("no longer there", 1),
        ("the file is empty", 1),
    ]
    assert found.stages == {"decode": 6, "reindex": 1}
    assert found.sources == ("/a", "/b")
    assert found[0].reason == "cut off after 0 bytes"


def test_a_stretch_goes_by_path_and_knows_how_many_there_are(atlas: Collection) -> None:
    found = atlas.browse_problems(n=2, start=4)
    assert [problem.uri for problem in found] == ["/a/Cut4.jpg", "/b/empty.png"]
    assert found.n_problems == 7
    assert not atlas.browse_problems(start=7)


def test_filters_narrow_what_comes_behind_them(atlas: Collection) -> None:
    cut = atlas.browse_problems(reason="cut off after … bytes", n=1)
    assert (len(cut), cut.n_problems, cut.sources) == (1, 5, ("/a",))
    assert len(cut.reasons) == 3  # another one can still be chosen
    assert list(atlas.browse_problems(stage="reindex").reasons) == ["no longer there"]
    found = atlas.browse_problems(query="cUT3")  # anywhere in the path, in any case
    assert [problem.uri for problem in found] == ["/a/Cut3.jpg"]
    assert found.stages == {"decode": 1}


def test_a_stretch_that_cannot_be_is_refused(atlas: Collection) -> None:
    for n, start in ((0, 0), (5, -1)):
        with pytest.raises(QueryError, match="ask for 1"):
            atlas.browse_problems(n=n, start=start)


def test_a_collection_without_problems_has_none(tmp_path: Path) -> None:
    empty = Collection(Store.create(tmp_path / "empty.atlas"))
    found = empty.browse_problems()
    assert (found.n_problems, found.reasons, found.sources) == (0, {}, ())
