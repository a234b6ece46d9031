"""Jobs and uploads over REST."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import bilderatlas
from bilderatlas.collection import Collection
from bilderatlas.indexing.sources import SINGLE_FILES
from bilderatlas.server import app
from bilderatlas.server.auth import Access
from bilderatlas.server.jobs import VERBS
from tests.server.coloured import make_collection, paint

SOON_S = 60.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    atlas = make_collection(tmp_path_factory.mktemp("jobs"))
    with TestClient(app.create(atlas), base_url="http://127.0.0.1") as client:
        yield client


def ended(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it has ended."""
    until = time.monotonic() + SOON_S
    while True:
        now: dict[str, Any] = client.get(f"/api/v1/jobs/{job['job']}").json()
        if now["state"] not in ("waiting", "running"):
            return now
        assert time.monotonic() < until, now
        time.sleep(0.05)


def test_a_job_is_started_followed_and_listed(served: TestClient) -> None:
    asked = {"verb": "cluster", "options": {"method": "kmeans", "k": "3"}}  # as a form sends it
    begun = served.post("/api/v1/jobs", json=asked)
    assert begun.status_code == 202
    job = begun.json()
    assert job["options"] == {"method": "kmeans", "k": 3, "seed": 0}

    events = served.get(f"/api/v1/jobs/{job['job']}/events")

    assert events.headers["content-type"].startswith("text/event-stream")
    told = [json.loads(line[6:]) for line in events.text.splitlines() if line.startswith("data: ")]
    assert [one["job"] for one in told] == [job["job"]] * len(told)
    assert told[-1]["state"] == "done"
    run = told[-1]["result"]["run"]
    assert len(served.get(f"/api/v1/clusters?run={run}").json()["clusters"]) == 3
    assert len(served.get("/api/v1/jobs?n=1").json()["jobs"]) == 1
    listed = served.get("/api/v1/jobs").json()["jobs"][0]
    assert (listed["job"], listed["state"], listed["result"]["run"]) == (job["job"], "done", run)


def test_a_job_is_cancelled_and_resumed(served: TestClient) -> None:
    asked = {"verb": "project", "options": {"method": "pca", "dims": 2}}
    job = served.post("/api/v1/jobs", json=asked).json()
    assert served.post(f"/api/v1/jobs/{job['job']}/cancel").json()["state"] == "cancelled"
    assert served.post(f"/api/v1/jobs/{job['job']}/cancel").status_code == 409

    again = served.post(f"/api/v1/jobs/{job['job']}/resume")

    assert again.status_code == 202
    assert ended(served, again.json())["state"] == "done"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"verb": "sing"}, "does not match any of the expected tags"),
        ({"verb": "cluster", "options": {"path": "/etc"}}, "path"),
        ({"verb": "index", "options": {"upload": "../../etc"}}, "upload"),
        ({"verb": "index", "options": {"detector": "/etc/passwd"}}, "detector"),
        ({"verb": "reindex", "options": {"encoder": "/etc/passwd"}}, "encoder"),
        ({"verb": "reindex", "options": {"encoder": "hf:some/body"}}, "encoder"),
        ({"verb": "name", "options": {"llm_url": "http://10.0.0.1"}}, "llm_url"),
    ],
)
def test_what_a_job_may_not_do_is_refused(
    served: TestClient, asked: dict[str, Any], said: str
) -> None:
    answer = served.post("/api/v1/jobs", json=asked)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_every_verb_of_a_job_can_be_started(served: TestClient) -> None:
    body = served.get("/api/openapi.json").json()["paths"]["/api/v1/jobs"]["post"]["requestBody"]
    asked = body["content"]["application/json"]["schema"]["discriminator"]["mapping"]
    assert set(asked) == set(VERBS)


def test_a_job_that_is_not_there(served: TestClient) -> None:
    for way in ("", "/events"):
        assert served.get(f"/api/v1/jobs/nothing{way}").status_code == 404
    for way in ("cancel", "resume"):
        assert served.post(f"/api/v1/jobs/nothing/{way}").status_code == 404


def test_a_read_only_server_starts_nothing_and_takes_nothing(served: TestClient) -> None:
    collection: Collection = served.app.state.collection  # type: ignore[attr-defined]
    only = TestClient(
        app.create(collection, Access(is_read_only=True)), base_url="http://127.0.0.1"
    )
    assert only.post("/api/v1/jobs", json={"verb": "cluster"}).status_code == 403
    assert only.post("/api/v1/uploads").status_code == 403
    assert only.get("/api/v1/jobs").status_code == 200


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    atlas = bilderatlas.create(tmp_path_factory.mktemp("uploads") / "sent")
    with TestClient(app.create(atlas), base_url="http://127.0.0.1") as client:
        yield client


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    paint(colour, 3).save(out, "PNG")
    return out.getvalue()


def send(client: TestClient, upload: str, name: str, content: bytes) -> Any:
    return client.put(f"/api/v1/uploads/{upload}/files", params={"name": name}, content=content)


def test_uploaded_pictures_and_archives_become_images(empty: TestClient) -> None:
    upload = empty.post("/api/v1/uploads").json()["upload"]
    assert send(empty, upload, "summer/red.png", picture("red")).status_code == 201
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("blue.png", picture("blue"))
        archive.writestr("../../etc/passwd", "root")
    assert send(empty, upload, "more.zip", packed.getvalue()).json()["kind"] == "archive"
    refused = send(empty, upload, "page.html", b"<script>alert(1)</script>")
    assert refused.status_code == 400
    assert "neither a picture nor" in refused.json()["detail"]
    assert send(empty, upload, "../../out.png", picture("red")).status_code == 400

    job = empty.post(f"/api/v1/uploads/{upload}/finish").json()

    done = ended(empty, job)
    assert done["state"] == "done", done
    assert done["result"]["n_new"] == 2
    images = empty.get("/api/v1/images").json()["images"]
    assert sorted(Path(image["path"]).name for image in images) == ["blue.png", "red.png"]
    assert empty.post(f"/api/v1/uploads/{upload}/finish").json() == done  # asked again
    assert send(empty, upload, "late.png", picture("red")).status_code == 404


def test_a_file_larger_than_other_bodies_is_taken_in(empty: TestClient) -> None:
    upload = empty.post("/api/v1/uploads").json()["upload"]
    large = picture("red") + bytes(75_000_000)
    assert send(empty, upload, "large.png", large).json()["n_bytes"] == len(large)


def test_no_other_body_may_be_large(empty: TestClient) -> None:
    answer = empty.post("/api/v1/search/image", files={"file": bytes(53_000_000)})
    assert answer.status_code == 413
    assert "more than 52 MB" in answer.json()["detail"]


def test_an_upload_of_nothing_is_refused(empty: TestClient) -> None:
    upload = empty.post("/api/v1/uploads").json()["upload"]
    answer = empty.post(f"/api/v1/uploads/{upload}/finish")
    assert answer.status_code == 400
    assert "Nothing was uploaded" in answer.json()["detail"]


def test_an_upload_that_is_given_up_leaves_nothing(empty: TestClient) -> None:
    upload = empty.post("/api/v1/uploads").json()["upload"]
    send(empty, upload, "red.png", picture("red"))
    collection: Collection = empty.app.state.collection  # type: ignore[attr-defined]

    assert empty.delete(f"/api/v1/uploads/{upload}").status_code == 204

    assert not list((collection.path / "uploads").glob(f"{upload}*"))
    assert empty.delete(f"/api/v1/uploads/{upload}").status_code == 404


def test_a_source_is_looked_at_again_and_no_other_is_opened(
    empty: TestClient, tmp_path: Path
) -> None:
    collection: Collection = empty.app.state.collection  # type: ignore[attr-defined]
    (tmp_path / "mine").mkdir()
    for name in ("red.png", "broken.png"):
        (tmp_path / "mine" / name).write_bytes(picture("green"))
    (tmp_path / "mine" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    collection.index(tmp_path / "mine")
    assert collection.info().n_problems == 1
    (tmp_path / "mine" / "broken.png").write_bytes(picture("yellow"))

    def look(source: str) -> dict[str, Any]:
        asked = {"verb": "index", "options": {"sources": [source]}}
        return ended(empty, empty.post("/api/v1/jobs", json=asked).json())

    again = look(str(tmp_path / "mine"))
    assert (again["result"]["n_new"], again["result"]["n_unchanged"]) == (1, 1)
    assert collection.info().n_problems == 0
    (tmp_path / "single.png").write_bytes(picture("blue"))
    (tmp_path / "never named.png").write_bytes(picture("blue"))
    collection.index(tmp_path / "single.png")
    (tmp_path / "single.png").write_bytes(picture("red"))
    single = look(SINGLE_FILES)
    assert (single["result"]["n_changed"], single["result"]["n_copies"]) == (1, 0)
    other = look(str(tmp_path))
    assert (other["state"], other["error"]["kind"]) == ("failed", "SourceError")
    assert "not a source of this collection" in other["error"]["message"]
