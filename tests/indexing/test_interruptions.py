"""A process that is killed, stopped or starved of disk loses nothing that was written."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.errors import StoreError
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage import Store
from tests.indexing.pile import draw, draw_many, new_collection, open_collection, state
from tests.models.detectors.detectors import write_yolox

ROOT = Path(__file__).parents[2]
N_PICTURES = 60

# Indexes in small batches, slowly; says when the pipeline runs, so that a test can aim.
CHILD = """
import signal, sys, time
from pathlib import Path
from bilderatlas.collection import Collection
from bilderatlas.indexing import index
from bilderatlas.storage import Store
from tests.toy_encoder import ToyEncoder
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it for background jobs
index.COMMIT_EVERY = 4  # and pictures in a batch
class SlowEncoder(ToyEncoder):
    def embed_images(self, pixels):
        time.sleep(0.05)
        return super().embed_images(pixels)
path = Path(sys.argv[1])
store = Store.open(path) if (path / "atlas.json").exists() else Store.create(path)
atlas = Collection(store, encoder=SlowEncoder())
print("ready", flush=True)
find = {"find": ["objects"], "detector": sys.argv[3]} if len(sys.argv) > 3 else {}
atlas.index(sys.argv[2], **find, on_progress=lambda p: print(p.n_embedded, flush=True))
print("done", flush=True)
"""

COMMAND = """
import signal
from bilderatlas import cli
signal.signal(signal.SIGINT, signal.default_int_handler)
cli.main()
"""


def start_child(*arguments: Path) -> subprocess.Popen[str]:
    """Index into a collection (first) a pile (second), finding with a detector (third)."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def run_until(child: subprocess.Popen[str], n_lines: int, stop: signal.Signals) -> None:
    """Send a signal once the child has said `n_lines`, a moment later."""
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"  # else nothing would be interrupted
    for _ in range(n_lines - 1):
        child.stdout.readline()
    time.sleep(random.Random(n_lines).uniform(0, 0.03))
    child.send_signal(stop)
    child.communicate(timeout=60)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = draw_many(tmp_path_factory.mktemp("source") / "pile", N_PICTURES)
    (folder / "broken.jpg").write_text("not a picture")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("n_lines", [1, 2, 5, 9, 14])
def test_a_killed_run_is_completed_by_the_next(tmp_path: Path, pile: Path, n_lines: int) -> None:
    whole = new_collection(tmp_path / "whole.atlas")
    whole.index(pile)
    killed = tmp_path / "killed.atlas"
    run_until(start_child(killed, pile), n_lines, signal.SIGKILL)
    open_collection(killed).index(pile)
    assert state(killed) == state(whole.path)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sees three things in every picture."""
    seen = {anchor: (0.5, 0.5, 0.3, 0.3, 0.9, anchor) for anchor in (0, 5, 10)}
    return write_yolox(tmp_path_factory.mktemp("models") / "three.onnx", seen)


@pytest.mark.slow
@pytest.mark.parametrize("n_lines", [1, 2, 7, 15])
def test_a_run_that_finds_may_be_killed(
    tmp_path: Path, pile: Path, detector: Path, n_lines: int
) -> None:
    whole = new_collection(tmp_path / "whole.atlas")
    whole.index(pile, find=["objects"], detector=detector)
    assert whole.info().n_regions == 4 * N_PICTURES
    killed = tmp_path / "killed.atlas"
    run_until(start_child(killed, pile, detector), n_lines, signal.SIGKILL)
    open_collection(killed).index(pile, find=["objects"], detector=detector)
    assert state(killed) == state(whole.path)


@pytest.mark.slow
@pytest.mark.parametrize("n_lines", [2, 4, 9, 16])
def test_finding_anew_may_be_killed(
    tmp_path: Path, pile: Path, detector: Path, n_lines: int
) -> None:
    other = write_yolox(tmp_path / "other.onnx", {0: (0.5, 0.5, 0, 0, 0.9, 2)})
    whole = new_collection(tmp_path / "whole.atlas")
    whole.index(pile, find=["objects"], detector=detector)
    killed = new_collection(tmp_path / "killed.atlas")
    killed.index(pile, find=["objects"], detector=other)
    run_until(start_child(killed.path, pile, detector), n_lines, signal.SIGKILL)
    open_collection(killed.path).index(pile, find=["objects"], detector=detector)
    assert state(killed.path) == state(whole.path)


def test_a_kill_between_any_two_writes_of_finding_anew_is_repaired(
    tmp_path: Path, detector: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every write to a table is in turn the last one of a process."""
    pile = draw_many(tmp_path / "pile", 3)
    other = write_yolox(tmp_path / "other.onnx", {0: (0.5, 0.5, 0, 0, 0.9, 2)})
    whole = new_collection(tmp_path / "whole.atlas")
    whole.index(pile, find=["objects"], detector=detector)
    writes = ("_append", "_merge", "_set_finding", "delete")
    for n_allowed in range(20):
        atlas = new_collection(tmp_path / f"{n_allowed}.atlas")
        atlas.index(pile, find=["objects"], detector=other)
        with monkeypatch.context() as patches:
            left = [n_allowed]
            for name in writes:
                patches.setattr(Store, name, _dying(getattr(Store, name), left))
            with suppress(_Killed):
                open_collection(atlas.path).index(pile, detector=detector)
        open_collection(atlas.path).index(pile, detector=detector)
        assert state(atlas.path) == state(whole.path), n_allowed
        if left[0] > 0:
            return
    raise AssertionError("more writes than were thought of")


class _Killed(BaseException):
    """As if the process had been."""


def _dying(write: Callable[..., None], left: list[int]) -> Callable[..., None]:
    def write_or_die(*arguments: object) -> None:
        if left[0] == 0:
            raise _Killed
        left[0] -= 1
        write(*arguments)

    return write_or_die


@pytest.mark.slow
def test_moves_are_followed_across_a_kill(tmp_path: Path, pile: Path) -> None:
    source = tmp_path / "pile"
    shutil.copytree(pile, source)
    for name in ("whole.atlas", "killed.atlas"):
        new_collection(tmp_path / name).index(source)
    moved = source / "moved"
    moved.mkdir()
    for file in sorted(source.glob("00[0-3]*.png")):
        file.rename(moved / file.name)
    open_collection(tmp_path / "whole.atlas").index(source)
    run_until(start_child(tmp_path / "killed.atlas", source), 6, signal.SIGKILL)
    open_collection(tmp_path / "killed.atlas").index(source)
    assert state(tmp_path / "killed.atlas") == state(tmp_path / "whole.atlas")


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_embedded(tmp_path: Path, pile: Path) -> None:
    stopped = tmp_path / "stopped.atlas"
    run_until(start_child(stopped, pile), 8, signal.SIGINT)
    n_kept = open_collection(stopped).info().n_images
    assert 10 <= n_kept < N_PICTURES
    assert open_collection(stopped).index(pile).n_images == N_PICTURES


def test_rows_of_a_half_written_batch_are_swept_away(tmp_path: Path) -> None:
    pile = draw_many(tmp_path / "pile", 3)
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(pile)
    clean = state(atlas.path)
    store = Store.open(atlas.path)
    store._append("embeddings/toy", _embedding_row("f" * 32))
    assert len(open_collection(atlas.path).search("red", k=9)) == 3
    open_collection(atlas.path).index(pile)
    assert state(atlas.path) == clean


def _embedding_row(image_id: str) -> object:
    from bilderatlas.storage.rows import embedding_rows

    vector = np.zeros((1, 16), np.float32)
    vector[0, 0] = 1
    return embedding_rows([image_id], ImageEmbeddings(vector, None))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, small_disk: Path) -> None:
    pile = draw_many(tmp_path / "pile", 4)
    atlas = new_collection(small_disk / "c.atlas")
    atlas.index(pile)
    draw_many(tmp_path / "more", 400, side=320)
    with pytest.raises(StoreError, match=r"disk of .* is full.*make room"):
        atlas.index(tmp_path / "more")
    assert len(open_collection(atlas.path).search("red", k=999)) >= 4


def test_a_read_only_disk_is_told(tmp_path: Path, small_disk: Path) -> None:
    pile = draw_many(tmp_path / "pile", 2)
    atlas = new_collection(small_disk / "c.atlas")
    atlas.index(pile)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    draw(pile / "new.png", seed=9)
    with pytest.raises(StoreError, match="cannot be written: its disk is read-only"):
        open_collection(atlas.path).index(pile)
    assert len(open_collection(atlas.path).search("red")) == 2
    with pytest.raises(StoreError, match="read-only"):
        new_collection(small_disk / "other.atlas")


def test_a_collection_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    from bilderatlas.errors import SchemaTooNew

    atlas = new_collection(tmp_path / "c.atlas")
    description = atlas.path / "atlas.json"
    description.write_text(
        description.read_text().replace('"schema_version": 3', '"schema_version": 4')
    )
    with pytest.raises(SchemaTooNew, match="schema version 4; this Bilderatlas knows 3"):
        open_collection(atlas.path)


@pytest.mark.slow
def test_two_first_runs_at_once_make_one_collection(tmp_path: Path, pile: Path) -> None:
    race = tmp_path / "race.atlas"
    command = [sys.executable, "-m", "bilderatlas", "index", str(race), str(pile)]
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [run.communicate(timeout=120)[1] for run in runs]
    assert 0 in [run.returncode for run in runs]
    assert "Traceback" not in "".join(told)
    assert Store.open(race).count("images") == N_PICTURES
    assert [entry.name for entry in tmp_path.iterdir()] == ["race.atlas"]


@pytest.mark.slow
def test_ctrl_c_ends_at_once_whatever_is_being_fetched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        urls = [f"http://127.0.0.1:{silent.getsockname()[1]}/{n}.png" for n in range(4)]
        good = draw_many(tmp_path / "pile", 1)
        rows = ["path", f"{good}/0000.png", *urls]
        (tmp_path / "t.csv").write_text("\n".join(rows))
        command = [sys.executable, "-c", COMMAND, "index", tmp_path / "c", tmp_path / "t.csv"]
        child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        connected, _ = silent.accept()
        with connected:
            time.sleep(0.5)
            child.send_signal(signal.SIGINT)
            started = time.monotonic()
            _, said = child.communicate(timeout=30)
            assert time.monotonic() - started < 2
    assert child.returncode == 130
    assert "the same command goes on from there" in said
