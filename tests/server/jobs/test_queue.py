"""Jobs run one after the other, in processes of their own, and are remembered."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import bilderatlas
from bilderatlas.collection import Collection
from bilderatlas.errors import (
    CollectionDamaged,
    CollectionNotFound,
    DiskFull,
    JobError,
    JobNotFound,
    ServerBusy,
    StoreError,
)
from bilderatlas.server.jobs import Job, Jobs, State
from bilderatlas.server.jobs import queue as jobs_queue
from tests.disks import full_disk, make_read_only, small_disk
from tests.server.coloured import make_collection

SOON_S = 60.0


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_collection(tmp_path_factory.mktemp("jobs"))


@pytest.fixture
def jobs(atlas: Collection) -> Jobs:
    (atlas.path / "jobs.json").unlink(missing_ok=True)
    return Jobs(atlas.path)


def ended(jobs: Jobs, job: Job) -> Job:
    """The job once it has ended."""
    until = time.monotonic() + SOON_S
    while not jobs.get(job.job).has_ended:
        assert time.monotonic() < until, jobs.get(job.job)
        time.sleep(0.02)
    return jobs.get(job.job)


def running(jobs: Jobs, job: Job) -> None:
    """Wait until the job runs, in a process."""
    until = time.monotonic() + SOON_S
    while jobs.get(job.job).state == State.WAITING or jobs._process is None:
        assert time.monotonic() < until
        time.sleep(0.001)


def kept(atlas: Collection, job: Job) -> dict[str, Any]:
    """A job as the list on disk has it."""
    rows: list[dict[str, Any]] = json.loads((atlas.path / "jobs.json").read_text())
    return next(row for row in rows if row["job"] == job.job)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]


def test_a_job_makes_a_run_that_the_server_sees(jobs: Jobs, atlas: Collection) -> None:
    done = ended(jobs, jobs.start("cluster", {"method": "kmeans", "k": 2}, who="ada"))

    assert done.state == State.DONE, done
    assert done.who == "ada"
    assert done.result is not None
    assert done.result["n_clusters"] == 2
    assert len(atlas.clustering(done.result["run"]).clusters) == 2
    assert done.started_at is not None
    assert done.ended_at is not None
    assert done.asked_at <= done.started_at <= done.ended_at


def test_a_refusal_is_the_jobs_own(jobs: Jobs) -> None:
    failed = ended(jobs, jobs.start("cluster", {"method": "kmeans", "k": 1000}))

    assert failed.state == State.FAILED
    assert failed.error is not None
    assert failed.error["kind"] == "QueryError"
    assert "1,000" in failed.error["message"] or "1000" in failed.error["message"]


def test_a_mistake_of_ours_says_what_the_process_said(jobs: Jobs) -> None:
    failed = ended(jobs, jobs.start("cluster", {"no_such_option": 1}))

    assert failed.state == State.FAILED
    assert failed.error is not None
    assert failed.error["kind"] == "InternalError"
    assert "no_such_option" in failed.error["message"]


def test_jobs_run_in_their_order_and_one_that_waits_can_be_cancelled(jobs: Jobs) -> None:
    first = jobs.start("project", {"method": "pca", "dims": 2})
    second = jobs.start("project", {"method": "pca", "dims": 2})
    third = jobs.start("project", {"method": "pca", "dims": 2})

    assert jobs.cancel(second.job).state == State.CANCELLED

    last, former = ended(jobs, third), ended(jobs, first)
    assert former.ended_at is not None
    assert last.started_at is not None
    assert former.ended_at <= last.started_at
    assert jobs.get(second.job).started_at is None
    assert [job.job for job in jobs.all()] == [third.job, second.job, first.job]


def test_a_running_job_is_killed_when_it_is_cancelled(jobs: Jobs, atlas: Collection) -> None:
    job = jobs.start("cluster", {"method": "hdbscan"})
    running(jobs, job)

    jobs.cancel(job.job)

    assert ended(jobs, job).state == State.CANCELLED
    after = ended(jobs, jobs.start("project", {"method": "pca", "dims": 2}))
    assert after.state == State.DONE
    assert bilderatlas.open(atlas.path).info().n_images == atlas.info().n_images


def test_a_cancelled_job_can_be_resumed_and_a_done_one_not(jobs: Jobs) -> None:
    job = jobs.start("cluster", {"method": "kmeans", "k": 3})
    jobs.cancel(job.job)

    again = ended(jobs, jobs.resume(job.job))

    assert again.job != job.job
    assert again.state == State.DONE
    assert again.options == {"method": "kmeans", "k": 3}
    with pytest.raises(JobError, match="is done; only what ended early can be resumed"):
        jobs.resume(again.job)
    with pytest.raises(JobError, match="has ended already"):
        jobs.cancel(again.job)


def test_another_server_knows_the_jobs_and_what_was_interrupted(
    jobs: Jobs, atlas: Collection
) -> None:
    done = ended(jobs, jobs.start("cluster", {"method": "kmeans", "k": 2}))
    left = jobs.start("cluster", {"method": "kmeans", "k": 3})
    jobs.close()

    later = Jobs(atlas.path)

    assert [job.job for job in later.all()] == [left.job, done.job]
    assert later.get(done.job) == jobs.get(done.job)
    assert later.get(left.job).state == State.INTERRUPTED
    assert ended(later, later.resume(left.job)).state == State.DONE
    with pytest.raises(ServerBusy, match="shutting down"):
        jobs.start("cluster", {})


def test_what_a_killed_server_left_running_is_interrupted(atlas: Collection) -> None:
    facts = Job("0a", "index", {}, None, State.RUNNING).to_dict()
    (atlas.path / "jobs.json").write_text(json.dumps([facts]))

    assert Jobs(atlas.path).get("0a").state == State.INTERRUPTED


def test_what_is_no_job_is_refused(jobs: Jobs) -> None:
    with pytest.raises(JobError, match=r"'sing' is not a job\. Jobs are: index, "):
        jobs.start("sing", {})
    with pytest.raises(JobNotFound, match="no job 'ff'"):
        jobs.get("ff")


def test_not_too_many_wait(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_queue, "MAX_WAITING", 1)
    running(jobs, jobs.start("project", {"method": "pca"}))
    jobs.start("project", {"method": "pca"})
    with pytest.raises(ServerBusy, match="1 jobs are waiting already"):
        jobs.start("project", {"method": "pca"})
    jobs.close()


def test_an_index_job_tells_how_far_it_is(tmp_path: Path) -> None:
    from tests.server.coloured import paint

    (tmp_path / "pictures").mkdir()
    for seed in range(3):
        paint("red", seed).save(tmp_path / "pictures" / f"{seed}.png")
    atlas = bilderatlas.create(tmp_path / "pile")
    atlas.index(tmp_path / "pictures", encoder="builtin")
    paint("blue", 9).save(tmp_path / "pictures" / "new.png")
    jobs = Jobs(atlas.path)

    done = ended(jobs, jobs.start("index", {}))

    assert done.state == State.DONE, done.error
    assert done.result is not None
    assert (done.result["n_new"], done.result["n_unchanged"]) == (1, 3)
    assert done.n_done == 4
    assert atlas.info().n_images == 4
    assert len(atlas.search("blue")) == 4  # the server's own collection sees it


def test_a_job_that_the_disk_does_not_take_is_refused_and_never_runs(jobs: Jobs) -> None:
    before = jobs.all()
    with full_disk(), pytest.raises(DiskFull, match=r"disk of .* is full.*make room"):
        jobs.start("project", {"method": "pca"})
    assert jobs.all() == before
    after = ended(jobs, jobs.start("project", {"method": "pca", "dims": 2}))
    assert jobs.all() == [after, *before]


def test_a_disk_that_fills_while_a_job_runs_stops_none_of_the_later_ones(
    jobs: Jobs, atlas: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_queue, "KEEP_AGAIN_S", 0.05)
    job = jobs.start("cluster", {"method": "kmeans", "k": 2})
    running(jobs, job)
    with full_disk():  # its process has room
        done = ended(jobs, job)
        assert done.state == State.DONE, done.error
    until = time.monotonic() + SOON_S
    while kept(atlas, job)["state"] != "done":  # by itself, when there is room again
        assert time.monotonic() < until
        time.sleep(0.02)
    assert ended(jobs, jobs.start("project", {"method": "pca", "dims": 2})).state == State.DONE


def test_a_job_is_cancelled_on_a_full_disk(jobs: Jobs) -> None:
    job, other = (jobs.start("cluster", {"method": "hdbscan"}) for _ in range(2))
    running(jobs, job)
    with full_disk():
        assert jobs.cancel(other.job).state == State.CANCELLED
        assert jobs.cancel(job.job).state == State.CANCELLED
        assert ended(jobs, job).state == State.CANCELLED
    assert ended(jobs, jobs.start("project", {"method": "pca"})).state == State.DONE


def test_a_server_that_ends_on_a_full_disk_ends_its_job(jobs: Jobs) -> None:
    job = jobs.start("cluster", {"method": "hdbscan"})
    running(jobs, job)
    with full_disk():
        jobs.close()
    assert jobs.get(job.job).state == State.INTERRUPTED
    assert jobs._thread is not None
    assert not jobs._thread.is_alive()


def test_a_job_says_itself_that_the_disk_is_full(jobs: Jobs) -> None:
    first = jobs.start("project", {"method": "pca", "dims": 2})
    job = jobs.start("project", {"method": "pca", "dims": 2})
    running(jobs, first)
    with full_disk():  # so the process of the second one finds it
        failed = ended(jobs, job)
    assert failed.error is not None, failed
    assert failed.error["kind"] == "DiskFull"
    assert "make room" in failed.error["message"]


def test_a_collection_that_was_moved_is_told_and_not_made_anew(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "moved.atlas")
    with pytest.raises(CollectionNotFound, match="is no longer there"):
        jobs.start("cluster", {})
    assert jobs.all() == []
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_disk_is_told(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        jobs = Jobs(disk)
        make_read_only(disk)
        with pytest.raises(StoreError, match="cannot be written: its disk is read-only"):
            jobs.start("cluster", {})
        assert jobs.all() == []


def test_a_process_that_was_killed_is_told_and_the_next_job_runs(jobs: Jobs) -> None:
    job = jobs.start("cluster", {"method": "hdbscan"})
    running(jobs, job)
    assert jobs._process is not None
    jobs._process.kill()

    failed = ended(jobs, job)

    assert failed.error is not None
    assert failed.error["kind"] == "JobError"
    assert "process was killed" in failed.error["message"]
    assert "memory ran out" in failed.error["message"]
    assert ended(jobs, jobs.resume(job.job)).state == State.DONE


def test_no_process_to_be_had_fails_one_job_only(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(sys, "executable", "/nowhere/python")
        failed = ended(jobs, jobs.start("project", {"method": "pca"}))
    assert failed.error is not None
    assert "could not be started" in failed.error["message"]
    assert ended(jobs, jobs.start("project", {"method": "pca"})).state == State.DONE


@pytest.mark.parametrize(
    "content", ["{", "[1]", '{"a": 1}', '["a"]', '[{"job": "a"}]', "7", "null"]
)
def test_a_damaged_list_is_refused_and_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "jobs.json").write_text(content)
    with pytest.raises(CollectionDamaged, match=r"jobs\.json of .* is damaged.*bilderatlas doctor"):
        Jobs(tmp_path)


def test_an_id_has_128_bits(jobs: Jobs) -> None:
    ids = [jobs.start("project", {"method": "pca"}).job for _ in range(3)]
    assert all(re.fullmatch("[0-9a-f]{32}", job) for job in ids)
    assert len(set(ids)) == 3
    jobs.close()


def test_the_latest_jobs_are_remembered_and_all_that_have_not_ended(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_queue, "N_KEPT", 2)
    asked = [jobs.start("project", {"method": "pca", "dims": 2}) for _ in range(3)]
    assert len(jobs.all()) == 3  # none of them has ended
    for job in asked[1:]:
        jobs.cancel(job.job)
    last = jobs.start("project", {"method": "pca", "dims": 2})
    assert [job.job for job in jobs.all()] == [last.job, asked[0].job]
    jobs.close()


SERVER = """
import sys, time
from pathlib import Path
from bilderatlas.server.jobs import Jobs
jobs = Jobs(Path(sys.argv[1]))
first = jobs.start("index", {})
second = jobs.start("cluster", {"method": "kmeans", "k": 2})
while jobs.get(first.job).n_done == 0:
    time.sleep(0.01)
print(first.job, second.job, jobs._process.pid, flush=True)
time.sleep(60)
"""


def test_a_server_that_is_killed_leaves_nothing_running_and_its_jobs_interrupted(
    tmp_path: Path,
) -> None:
    from tests.server.coloured import paint

    (tmp_path / "pictures").mkdir()
    paint("red", 0).save(tmp_path / "pictures" / "0.png")
    atlas = bilderatlas.create(tmp_path / "pile")
    atlas.index(tmp_path / "pictures", encoder="builtin")
    for seed in range(1, 40):
        paint("blue", seed).save(tmp_path / "pictures" / f"{seed}.png")
    asked = [sys.executable, "-c", SERVER, str(atlas.path)]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        first, second, pid = server.stdout.readline().split()
        server.kill()

    jobs = Jobs(atlas.path)  # the server is back

    assert [jobs.get(job).state for job in (first, second)] == [State.INTERRUPTED] * 2
    assert jobs.get(first).started_at is not None
    assert jobs.get(second).started_at is None
    until = time.monotonic() + SOON_S
    while is_alive(int(pid)):
        assert time.monotonic() < until, "the job ends with its server"
        time.sleep(0.02)
    done = ended(jobs, jobs.resume(first))
    assert done.state == State.DONE, done.error
    assert atlas.info().n_images == 40
