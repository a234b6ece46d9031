"""A second space is what indexing with its encoder would have made, whatever comes between."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bilderatlas.collection import Collection
from bilderatlas.errors import SourceError
from bilderatlas.indexing import reindex
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.results import ReindexSummary
from bilderatlas.storage import Store
from tests.indexing.pile import draw, draw_many, new_collection, open_collection
from tests.indexing.test_interruptions import ROOT, run_until
from tests.models.detectors.detectors import write_yolox
from tests.toy_encoder import ToyEncoder


def second() -> ToyEncoder:
    return ToyEncoder("second", "second", weights_hash="2" * 32)


def reindexed(path: Path, encoder: ToyEncoder | None = None) -> ReindexSummary:
    """The summary of making, or completing, the second space."""
    steps = list(reindex.reindex(Store.open(path), encoder or second(), n_threads=2))
    summary = steps[-1]
    assert isinstance(summary, ReindexSummary)
    return summary


def embeddings(path: Path, space: str) -> dict[str, tuple[float, ...]]:
    rows = Store.open(path).read(f"embeddings/{space}").to_pylist()
    assert len({row["region_id"] for row in rows}) == len(rows), "embedded twice"
    return {row["region_id"]: tuple(row["vector"]) for row in rows}


def problems(atlas: Collection) -> dict[str, str]:
    return {Path(one.uri).name: one.reason for one in atlas.problems() if one.stage == "reindex"}


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    """Sees two things in every picture."""
    seen = {0: (0.5, 0.5, 0.3, 0.7, 0.9, 0), 5: (0.3, 0.4, 0.35, 0.35, 0.8, 2)}
    return write_yolox(tmp_path / "two.onnx", seen)


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """Five pictures in a folder, one of them large."""
    pile = draw_many(tmp_path / "pile", 4)
    ramp = np.linspace(0, 255, 2400 * 1800 * 3).reshape(1800, 2400, 3).astype(np.uint8)
    Image.fromarray(ramp).save(pile / "large.jpg", quality=90)
    return pile


@pytest.fixture
def atlas(tmp_path: Path, pile: Path) -> Collection:
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(pile)
    return atlas


def test_reindexing_makes_what_indexing_would_have_made(
    tmp_path: Path, pile: Path, detector: Path
) -> None:
    archive, table = tmp_path / "a.zip", tmp_path / "t.csv"
    with zipfile.ZipFile(archive, "w") as made:
        made.write(draw(tmp_path / "in_zip.png", 11), "folder/in_zip.png")
        made.write(draw(tmp_path / "in_zip_too.png", 12), "in_zip_too.png")
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as packed:
        packed.add(draw(tmp_path / "in_tar.png", 13), "in_tar.png")
    table.write_text(f"path\n{draw(tmp_path / 'listed.png', 14)}\n{tmp_path / 'listed.png'}\n")
    sources = [pile, archive, tmp_path / "b.tar.gz", table]
    whole = Collection(Store.create(tmp_path / "whole.atlas"), encoder=second())
    whole.index(*sources, find=["objects"], detector=detector)
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(*sources, find=["objects"], detector=detector)
    summary = reindexed(atlas.path)
    assert embeddings(atlas.path, "second") == embeddings(whole.path, "second")
    assert (summary.n_regions, summary.n_embedded, summary.n_missing) == (27, 27, 0)
    assert summary.is_active
    assert open_collection(atlas.path).info().active_space == "second"


def test_switching_back_embeds_nothing(atlas: Collection) -> None:
    class Idle(ToyEncoder):
        def embed_images(self, pixels: np.ndarray) -> ImageEmbeddings:
            raise AssertionError("everything is there")

    reindexed(atlas.path)
    summary = reindexed(atlas.path, Idle())
    assert (summary.space, summary.n_embedded, summary.n_kept) == ("toy", 0, 5)
    assert open_collection(atlas.path).info().active_space == "toy"


def test_what_index_adds_later_is_missing_elsewhere_until_reindexed(
    atlas: Collection, pile: Path, detector: Path
) -> None:
    reindexed(atlas.path)
    atlas = Collection(Store.open(atlas.path), encoder=second())
    draw(pile / "new.png", seed=9)
    atlas.index(pile, find=["objects"], detector=detector)
    coverage = {each.space: each for each in atlas.info().coverage}
    assert (coverage["toy"].n_regions, coverage["toy"].n_missing) == (5, 13)
    assert coverage["second"].n_missing == 0
    summary = reindexed(atlas.path, ToyEncoder())
    assert (summary.n_kept, summary.n_embedded, summary.n_missing) == (5, 13, 0)
    assert {each.n_missing for each in atlas.info().coverage} == {0}


def test_gone_pictures_are_problems_until_they_are_back(atlas: Collection, pile: Path) -> None:
    (pile / "0000.png").rename(pile.parent / "away.png")
    draw(pile / "0001.png", seed=77)
    summary = reindexed(atlas.path)
    assert (summary.n_regions, summary.n_missing, summary.n_problems) == (3, 2, 2)
    assert problems(atlas) == {
        "0000.png": "not in space 'second': cannot be read: No such file or directory",
        "0001.png": "not in space 'second': holds another picture now",
    }
    (pile.parent / "away.png").rename(pile / "0000.png")
    draw(pile / "0001.png", seed=1)
    summary = reindexed(atlas.path)
    assert (summary.n_embedded, summary.n_missing, summary.n_problems) == (2, 0, 0)
    assert problems(atlas) == {}


def test_every_place_of_an_image_is_tried(atlas: Collection, pile: Path) -> None:
    shutil.copy(pile / "0000.png", pile / "copy.png")
    atlas.index(pile)
    (pile / "0000.png").unlink()
    assert reindexed(atlas.path).n_missing == 0
    assert problems(atlas) == {}


def test_an_archive_that_is_gone_is_a_problem_of_each_picture(tmp_path: Path, pile: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.write(draw(tmp_path / "one.png", 11), "one.png")
        made.write(draw(tmp_path / "two.png", 12), "two.png")
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(pile, archive)
    with zipfile.ZipFile(archive, "w") as made:
        made.write(tmp_path / "one.png", "one.png")
    assert reindexed(atlas.path).n_missing == 1
    assert problems(atlas) == {"two.png": f"not in space 'second': no longer in {archive}"}


def test_half_a_space_does_not_become_the_active_one(atlas: Collection, pile: Path) -> None:
    pile.rename(pile.parent / "away")
    with pytest.raises(SourceError, match=r"Only 0 of 5 .* disk there\?.*'toy' stays the active"):
        reindexed(atlas.path)
    assert open_collection(atlas.path).info().active_space == "toy"
    assert len(problems(atlas)) == 5
    (pile.parent / "away").rename(pile)
    assert reindexed(atlas.path).is_active


def test_problems_of_reindex_outlive_index_and_leave_with_their_place(
    atlas: Collection, pile: Path
) -> None:
    (pile / "0000.png").unlink()
    reindexed(atlas.path)
    atlas = Collection(Store.open(atlas.path), encoder=second())
    atlas.index(pile)
    assert list(problems(atlas)) == ["0000.png"]
    atlas.index(pile, prune=True)
    assert problems(atlas) == {}


def test_a_picture_without_finite_numbers_is_a_problem(atlas: Collection) -> None:
    class Odd(ToyEncoder):
        def embed_images(self, pixels: np.ndarray) -> ImageEmbeddings:
            made = super().embed_images(pixels)
            made.vectors[0] = np.nan
            return made

    summary = reindexed(atlas.path, Odd("odd", "odd"))
    assert (summary.n_regions, summary.n_missing, summary.n_problems) == (4, 1, 1)
    assert "no finite numbers" in next(iter(problems(atlas).values()))


def test_parts_found_anew_leave_every_space(atlas: Collection, pile: Path, detector: Path) -> None:
    atlas.index(pile, find=["objects"], detector=detector)
    reindexed(atlas.path)
    other = write_yolox(pile.parent / "other.onnx", {0: (0.5, 0.5, 0, 0, 0.9, 2)})
    again = Collection(Store.open(atlas.path), encoder=second())
    again.index(pile, find=["objects"], detector=other)
    assert len(embeddings(atlas.path, "toy")) == 5
    assert len(embeddings(atlas.path, "second")) == 10


def test_a_kill_between_any_two_writes_is_completed_by_the_next_run(
    tmp_path: Path, atlas: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every write is in turn the last one of a process."""
    reference = tmp_path / "reference.atlas"
    shutil.copytree(atlas.path, reference)
    reindexed(reference)
    monkeypatch.setattr(reindex, "COMMIT_EVERY", 2)
    monkeypatch.setattr(reindex, "BATCH_SIZE", 2)
    for n_allowed in range(20):
        killed = tmp_path / f"{n_allowed}.atlas"
        shutil.copytree(atlas.path, killed)
        with monkeypatch.context() as patches:
            left = [n_allowed]
            for name in ("make", "_append", "replace_problems", "activate", "tidy"):
                patches.setattr(Store, name, dying(getattr(Store, name), left))
            with suppress(Killed):
                reindexed(killed)
        if left[0] == 0 and n_allowed < 3:
            assert open_collection(killed).info().active_space == "toy"
        assert reindexed(killed).n_missing == 0
        assert embeddings(killed, "second") == embeddings(reference, "second")
        if left[0] > 0:
            return
    raise AssertionError("more writes than were thought of")


class Killed(BaseException):
    """As if the process had been."""


def dying(write: Callable[..., object], left: list[int]) -> Callable[..., object]:
    def write_or_die(*arguments: object, **options: object) -> object:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        return write(*arguments, **options)

    return write_or_die


CHILD = """
import sys, time
from pathlib import Path
from bilderatlas.indexing import reindex
from bilderatlas.storage import Store
from tests.toy_encoder import ToyEncoder
reindex.COMMIT_EVERY = reindex.BATCH_SIZE = 4
class SlowEncoder(ToyEncoder):
    def embed_images(self, pixels):
        time.sleep(0.05)
        return super().embed_images(pixels)
encoder = SlowEncoder("second", "second", weights_hash="2" * 32)
print("ready", flush=True)
for step in reindex.reindex(Store.open(Path(sys.argv[1])), encoder):
    print(step, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("n_lines", [1, 12, 40])
def test_a_killed_reindex_is_completed_by_the_next(
    tmp_path: Path, detector: Path, n_lines: int
) -> None:
    pile = draw_many(tmp_path / "many", 40)
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(pile, find=["objects"], detector=detector)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(atlas.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    run_until(child, n_lines, signal.SIGKILL)
    between = open_collection(atlas.path).info()
    assert between.active_space == "toy"
    summary = reindexed(atlas.path)
    assert summary.n_kept < 120
    assert summary.n_kept + summary.n_embedded == 120
    assert embeddings(atlas.path, "second") == embeddings(atlas.path, "toy")
