"""A picture that is read in part is indexed, and what was left out is in the ledger of problems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bilderatlas.collection import Collection
from tests.indexing.images.test_tiff import faulty_fax
from tests.indexing.images.tiffs import page, tiff
from tests.indexing.pile import draw, new_collection, open_collection
from tests.pictures import put

PASSED_OVER = "2 further pages of this file passed over; only the first is read"


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    draw(tmp_path / "pile" / "a.png", 1)
    pages = [page(np.full((32, 32), grey, np.uint8)) for grey in (0, 100, 200)]
    put(tmp_path / "pile" / "scan.tif", tiff(*pages))
    return tmp_path / "pile"


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    return new_collection(tmp_path / "c.atlas")


def problems(atlas: Collection) -> list[tuple[str, str, str]]:
    return [(Path(p.uri).name, p.stage, p.reason) for p in atlas.problems()]


def test_pages_that_are_passed_over_are_in_the_ledger(atlas: Collection, pile: Path) -> None:
    summary = atlas.index(pile)
    assert (summary.n_images, summary.n_problems) == (2, 1)
    assert problems(atlas) == [("scan.tif", "incomplete", PASSED_OVER)]


def test_they_stay_there_while_the_file_is_unchanged(atlas: Collection, pile: Path) -> None:
    atlas.index(pile)
    assert atlas.index(pile).n_unchanged == 2
    assert problems(atlas) == [("scan.tif", "incomplete", PASSED_OVER)]


def test_they_follow_a_file_that_is_moved_or_copied(atlas: Collection, pile: Path) -> None:
    atlas.index(pile)
    (pile / "scan.tif").rename(pile / "moved.tif")
    put(pile / "copy.tif", (pile / "moved.tif").read_bytes())
    atlas.index(pile)
    assert [name for name, *_ in problems(atlas)] == ["copy.tif", "moved.tif"]


def test_they_leave_with_the_pages(atlas: Collection, pile: Path) -> None:
    atlas.index(pile)
    put(pile / "scan.tif", tiff(page(np.full((32, 32), 100, np.uint8))))
    atlas.index(pile)
    assert problems(atlas) == []


def test_faults_that_libtiff_passes_over_are_in_the_ledger(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "pile" / "fax.tif", faulty_fax())
    atlas = new_collection(tmp_path / "c.atlas")
    assert atlas.index(tmp_path / "pile").n_images == 1
    [(name, stage, reason)] = problems(open_collection(atlas.path))
    assert (name, stage) == ("fax.tif", "incomplete")
    assert reason.startswith("damaged in places: Fax4Decode: ")
    assert capfd.readouterr().err == ""
