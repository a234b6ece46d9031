"""A disk that refuses, a folder that goes away, a server that may not write."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bilderatlas.collection import Collection
from bilderatlas.server import app, uploads
from bilderatlas.server.auth import Access
from tests.disks import full_disk, make_read_only, small_disk
from tests.server.coloured import make_collection, paint

WRITES = [
    ("POST", "/jobs", {"json": {"verb": "project", "options": {"method": "pca"}}}),
    ("POST", "/selections", {"json": {"image_ids": ["{image}"]}}),
    ("POST", "/labels", {"json": {"images": ["{image}"], "label": "new"}}),
    ("POST", "/decisions", {"json": {"verb": "name", "what": [0, "new"]}}),
    ("POST", "/duplicates/not", {"json": {"one": "{image}", "other": "{other}"}}),
    ("POST", "/classifications", {"json": {"prompts": ["red", "blue"]}}),
    ("PUT", "/uploads/{upload}/files?name=b.png", {"content": b"{png}"}),
    ("POST", "/uploads/{upload}/finish", {}),
]


def png() -> bytes:
    out = io.BytesIO()
    paint("red", 3).save(out, "PNG")
    return out.getvalue()


class Served:
    """A collection of which everything is asked that writes."""

    def __init__(self, atlas: Collection, access: Access | None = None) -> None:
        self.atlas = atlas
        self.client = TestClient(
            app.create(atlas, access), base_url="http://127.0.0.1", raise_server_exceptions=False
        )
        self.images = [image.image_id for image in atlas.browse(n=2)]
        self.upload = self.ask("POST", "/uploads").json().get("upload")
        if self.upload:
            self.ask("PUT", f"/uploads/{self.upload}/files?name=a.png", content=png())

    def ask(self, method: str, path: str, **how: Any) -> Any:
        return self.client.request(method, f"/api/v1{path}", **how)

    def write(self, method: str, path: str, how: dict[str, Any]) -> Any:
        names = {"{image}": self.images[0], "{other}": self.images[1]}

        def filled(part: Any) -> Any:
            if isinstance(part, dict):
                return {key: filled(value) for key, value in part.items()}
            if isinstance(part, list):
                return list(map(filled, part))
            return png() if isinstance(part, bytes) else names.get(part, part)

        return self.ask(method, path.replace("{upload}", self.upload), **filled(how))

    def n_jobs(self) -> int:
        return len(self.ask("GET", "/jobs").json()["jobs"])


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(uploads, "ROOM_LEFT", 0)
    asked = Served(make_collection(tmp_path))
    with asked.client:
        yield asked


def said(answer: Any) -> tuple[int, str, str]:
    """Status, kind and message of a refusal in our own words."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    return answer.status_code, told["kind"], told["detail"]


def test_whatever_a_full_disk_does_not_take_is_told_and_taken_later(served: Served) -> None:
    with full_disk():
        for method, path, how in WRITES:
            status, kind, detail = said(served.write(method, path, how))
            assert (status, kind) == (507, "DiskFull"), (path, detail)
            assert "make room" in detail.lower()
        assert served.n_jobs() == 0
        assert served.ask("GET", "/images").status_code == 200
    for method, path, how in WRITES:
        answer = served.write(method, path, how)
        assert answer.status_code < 300, (path, answer.text)
    assert served.n_jobs() == 2  # with that of the upload


def test_whatever_a_read_only_disk_does_not_take_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "ROOM_LEFT", 0)
    with small_disk(tmp_path / "disk") as disk:
        served = Served(make_collection(disk))
        make_read_only(disk)
        for method, path, how in [*WRITES, ("POST", "/uploads", {})]:
            status, kind, detail = said(served.write(method, path, how))
            assert (status, kind) == (503, "StoreError"), (path, detail)
            assert "cannot be written: its disk is read-only" in detail
        assert served.n_jobs() == 0
        assert served.ask("GET", "/images").status_code == 200


@pytest.mark.parametrize("path", ["/images", "/info", "/decisions", "/labels", "/runs", "/metrics"])
def test_a_collection_that_was_moved_is_told_to_those_who_read(
    served: Served, tmp_path: Path, path: str
) -> None:
    served.atlas.path.rename(tmp_path / "elsewhere.atlas")
    assert said(served.ask("GET", path))[:2] == (503, "CollectionNotFound")


def test_a_collection_that_was_moved_is_told_and_not_made_anew(
    served: Served, tmp_path: Path
) -> None:
    served.atlas.path.rename(tmp_path / "elsewhere.atlas")
    for method, path, how in [*WRITES, ("POST", "/uploads", {})]:
        status, kind, detail = said(served.write(method, path, how))
        assert (status, kind) == (503, "CollectionNotFound"), (path, detail)
        assert "it was moved or removed. Put it back" in detail
    assert not served.atlas.path.exists()
    assert served.n_jobs() == 0

    (tmp_path / "elsewhere.atlas").rename(served.atlas.path)  # it is put back
    for method, path, how in WRITES:
        assert served.write(method, path, how).status_code < 300, path


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file, with its size and when it was written."""
    facts = ((file, file.stat()) for file in (folder, *folder.rglob("*")))
    return {str(file): (fact.st_size, fact.st_mtime_ns) for file, fact in facts}


def test_a_read_only_server_writes_nothing_and_its_selections_work(tmp_path: Path) -> None:
    atlas = make_collection(tmp_path)
    ids = [image.image_id for image in atlas.browse(n=3)]
    shared = Served(atlas).ask("POST", "/selections", json={"image_ids": ids[:1]}).json()
    before = state(tmp_path)
    served = Served(atlas, Access(is_read_only=True))

    made = served.ask("POST", "/selections", json={"image_ids": ids}).json()

    assert made["n_images"] == 3
    listed = served.ask("GET", f"/selections/{made['selection']}").json()
    assert listed["image_ids"] == sorted(ids)
    within = {"query": "green", "selection": made["selection"]}
    found = served.ask("POST", "/search", json=within).json()["results"]
    assert {hit["image_id"] for hit in found} == set(ids)
    assert served.ask("GET", f"/selections/{shared['selection']}").json()["image_ids"] == ids[:1]
    evaluated = served.ask("POST", "/evaluate", json={"labels": "column:year"})
    assert evaluated.status_code == 200
    with served.client as client:
        for path in client.get("/api/openapi.json").json()["paths"]:
            if "{" not in path and "events" not in path:
                client.get(path)
        for path in ("/", "/gallery", "/map", "/clusters"):
            client.get(path)
    assert state(tmp_path) == before


@pytest.mark.parametrize("is_form", [False, True])
def test_a_full_disk_of_temporary_files_is_told(
    served: Served, monkeypatch: pytest.MonkeyPatch, is_form: bool
) -> None:
    from bilderatlas.server.routes import export

    monkeypatch.setattr(export, "IN_MEMORY_BYTES", 1)
    large = {"file": png() + bytes(3_000_000)}
    with full_disk():
        answer = (
            served.ask("POST", "/search/image", files=large)
            if is_form
            else served.ask("GET", "/export")
        )
    status, kind, detail = said(answer)
    assert (status, kind) == (507, "DiskFull"), detail
    assert "Make room" in detail


def test_an_upload_whose_job_is_refused_stays_open(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bilderatlas.server.jobs import queue

    finish = f"/uploads/{served.upload}/finish"
    with monkeypatch.context() as full:
        full.setattr(queue, "MAX_WAITING", 0)
        assert said(served.ask("POST", finish))[:2] == (503, "ServerBusy")
    more = served.ask("PUT", f"/uploads/{served.upload}/files?name=b.png", content=png())
    assert more.status_code == 201

    job = served.ask("POST", finish)

    assert job.status_code == 202
    assert served.ask("POST", finish).json()["job"] == job.json()["job"]  # asked again
    assert served.n_jobs() == 1
    assert len(list((served.atlas.path / "uploads" / served.upload).rglob("*.png"))) == 2


def test_an_upload_that_a_killed_server_closed_gets_its_job(served: Served) -> None:
    served.client.app.state.uploads.finish(served.upload)  # type: ignore[attr-defined]
    assert served.n_jobs() == 0
    job = served.ask("POST", f"/uploads/{served.upload}/finish")
    assert job.status_code == 202
    assert job.json()["options"]["upload"] == served.upload
