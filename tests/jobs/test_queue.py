"""Jobs run one after the other, in processes of their own, and are remembered."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

import bilderatlas
from bilderatlas.collection import Collection
from bilderatlas.errors import JobError, JobNotFound, ServerBusy, StoreError
from bilderatlas.jobs import Job, Jobs, State
from bilderatlas.jobs import queue as jobs_queue
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
    """Wait until the job runs."""
    until = time.monotonic() + SOON_S
    while jobs.get(job.job).state == State.WAITING:
        assert time.monotonic() < until
        time.sleep(0.01)


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
    with pytest.raises(ServerBusy, match="about to end"):
        jobs.start("cluster", {})


def test_what_a_killed_server_left_running_is_interrupted(atlas: Collection) -> None:
    facts = Job("0a", "index", {}, None, State.RUNNING).to_dict()
    (atlas.path / "jobs.json").write_text(json.dumps([facts]))

    assert Jobs(atlas.path).get("0a").state == State.INTERRUPTED


def test_a_damaged_list_is_refused_and_named(atlas: Collection) -> None:
    (atlas.path / "jobs.json").write_text("{")
    with pytest.raises(StoreError, match=r"jobs\.json cannot be read"):
        Jobs(atlas.path)
    (atlas.path / "jobs.json").unlink()


def test_what_is_no_job_is_refused(jobs: Jobs) -> None:
    with pytest.raises(JobError, match=r"'sing' is no job\. Jobs are: index, "):
        jobs.start("sing", {})
    with pytest.raises(JobNotFound, match="no job 'ff'"):
        jobs.get("ff")


def test_not_too_many_wait(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_queue, "MAX_WAITING", 1)
    running(jobs, jobs.start("project", {"method": "pca"}))
    jobs.start("project", {"method": "pca"})
    with pytest.raises(ServerBusy, match="1 jobs wait already"):
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
