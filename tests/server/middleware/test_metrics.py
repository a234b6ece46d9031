"""What Prometheus reads."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from bilderatlas.collection import Collection
from bilderatlas.server import app
from bilderatlas.server.middleware.metrics import Metrics

LINE = re.compile(r'# TYPE \w+ (counter|gauge|histogram)|\w+(\{(\w+="[^"\n]*",?)*\})? [\d.e+-]+')


@pytest.fixture
def client(collection: Collection) -> TestClient:
    return TestClient(app.create(collection), base_url="http://127.0.0.1")


def test_requests_are_counted_by_route_not_by_address(client: TestClient) -> None:
    for address in ("images/a", "images/b", "images/c/thumbnail", "images?n=3", "nothing"):
        client.get(f"/api/v1/{address}")
    client.post("/api/v1/search", json={"query": "red"})
    client.get("/search?q=red")
    client.get("/assets/atlas.css")
    lines = client.get("/api/v1/metrics").text.splitlines()
    name = "bilderatlas_requests_total"
    for method, route, status, n in (
        ("GET", "/api/v1/images/{image_id}", 404, 2),
        ("GET", "/api/v1/images/{image_id}/thumbnail", 404, 1),
        ("GET", "/api/v1/images", 200, 1),
        ("POST", "/api/v1/search", 200, 1),
        ("GET", "unknown", 404, 1),
        ("GET", "pages", 200, 1),
        ("GET", "/assets", 200, 1),
    ):
        assert f'{name}{{method="{method}",route="{route}",status="{status}"}} {n}' in lines


def test_the_collection_and_the_memory_are_told(client: TestClient) -> None:
    answer = client.get("/api/v1/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert "bilderatlas_images 32" in lines
    assert 'bilderatlas_regions{kind="image"} 32' in lines
    assert "bilderatlas_problems 1" in lines
    assert 'bilderatlas_jobs{state="running"} 0' in lines
    assert "bilderatlas_requests_in_progress 1" in lines
    assert all(LINE.fullmatch(line) for line in lines)


def test_durations_fall_into_buckets_that_add_up() -> None:
    counted = Metrics()
    for seconds in (0.001, 0.004, 0.005, 0.2, 99.0):
        counted.note("GET", "/x", 200, seconds)
    lines = counted.text({}).splitlines()
    name = "bilderatlas_request_duration_seconds"
    for bound, n in (("0.005", 3), ("0.1", 3), ("0.25", 4), ("30.0", 4), ("+Inf", 5)):
        assert f'{name}_bucket{{route="/x",le="{bound}"}} {n}' in lines
    assert f'{name}_count{{route="/x"}} 5' in lines
    assert f'{name}_sum{{route="/x"}} 99.21' in lines


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    lines = Metrics().text({"info": {(("collection", 'a"b\\c\nd'),): 1}}).splitlines()
    assert r'bilderatlas_info{collection="a\"b\\c\nd"} 1' in lines
