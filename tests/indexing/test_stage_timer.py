"""What a run of `index` says of its stages and its memory."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.collection import Collection
from bilderatlas.indexing.stage_timer import StageClock
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage import Store
from tests.indexing.pile import draw_many, new_collection, open_collection
from tests.models.detectors.detectors import write_yolox
from tests.toy_encoder import ToyEncoder

NAP_S = 0.05


class SleepyEncoder(ToyEncoder):
    """A toy encoder that takes its time over every batch."""

    def embed_images(self, pixels: np.ndarray) -> ImageEmbeddings:
        time.sleep(NAP_S)
        return super().embed_images(pixels)


def test_the_work_of_threads_is_divided_by_their_number() -> None:
    clock = StageClock(n_threads=4)

    def read(_: int) -> None:
        with clock.timing("read"):
            time.sleep(NAP_S)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(8)))
    [speed] = clock.speeds()
    assert (speed.stage, speed.n_images) == ("read", 8)
    assert 2 * NAP_S <= speed.seconds < 4 * NAP_S
    assert speed.images_per_s == pytest.approx(8 / speed.seconds, rel=0.02)


def test_the_main_thread_is_one_however_many_read() -> None:
    clock = StageClock(n_threads=4)
    with clock.timing("embed", 16):
        time.sleep(NAP_S)
    assert clock.speeds()[0].seconds >= NAP_S


def test_what_fails_is_no_work_of_a_stage() -> None:
    clock = StageClock(n_threads=1)
    with pytest.raises(OSError, match="torn"), clock.timing("decode"):
        raise OSError("torn")
    assert clock.speeds() == ()


def test_every_stage_tells_its_images(tmp_path: Path) -> None:
    pile = draw_many(tmp_path / "pile", 5)
    (pile / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    summary = new_collection(tmp_path / "c.atlas").index(pile)
    told = {speed.stage: speed.n_images for speed in summary.stages}
    assert told == {"read": 6, "decode": 5, "prepare": 5, "embed": 5, "write": 5}
    assert all(speed.images_per_s > 0 for speed in summary.stages)
    assert summary.peak_memory_mib > 10


def test_finding_is_a_stage_where_something_is_to_be_found(tmp_path: Path) -> None:
    pile = draw_many(tmp_path / "pile", 3)
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(pile)
    detector = write_yolox(tmp_path / "m.onnx", {})
    again = atlas.index(pile, find=["objects"], detector=detector)
    told = {speed.stage: speed.n_images for speed in again.stages}
    assert told == {"read": 3, "decode": 3, "find": 3, "embed": 3, "write": 3}


def test_the_slow_stage_is_the_one_that_is_told(tmp_path: Path) -> None:
    pile = draw_many(tmp_path / "pile", 8)
    atlas = Collection(Store.create(tmp_path / "c.atlas"), encoder=SleepyEncoder())
    stages = {speed.stage: speed for speed in atlas.index(pile).stages}
    assert stages["embed"].images_per_s <= 8 / NAP_S
    assert stages["embed"].seconds >= NAP_S > stages["prepare"].seconds


def test_a_collection_remembers_what_ran_until_something_else_does(tmp_path: Path) -> None:
    pile = draw_many(tmp_path / "pile", 2)
    atlas = new_collection(tmp_path / "c.atlas")
    assert atlas.info().last_index is None
    summary = atlas.index(pile)
    atlas.index(pile)  # nothing new
    last = open_collection(tmp_path / "c.atlas").info().last_index
    assert last is not None
    assert (last.encoder, last.device, last.finders) == ("toy", "cpu", ())
    assert (last.stages, last.peak_memory_mib) == (summary.stages, summary.peak_memory_mib)
    draw_many(pile, 3)
    atlas.index(pile)
    newer = atlas.info().last_index
    assert newer is not None
    assert newer.finished_at > last.finished_at
    assert newer.stages[-1].n_images == 1


def test_the_peak_of_memory_stays_after_memory_was_given_back() -> None:
    code = (
        "import numpy as np; from bilderatlas.indexing.stage_timer import peak_memory_mib\n"
        "before = peak_memory_mib(); np.ones(200 << 20, np.uint8); print(before, peak_memory_mib())"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    before, after = map(float, printed.split())
    assert before < 200 <= after - before + 1
