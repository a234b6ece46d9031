"""What Prometheus reads."""

from __future__ import annotations

import sys

import pytest
from fastapi.testclient import TestClient
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bilderatlas import __version__
from bilderatlas.collection import Collection
from bilderatlas.server import app
from bilderatlas.server.middleware.metrics import Metrics

NAME = "bilderatlas_request_duration_seconds"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Samples:
    """As Prometheus reads it: a number by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


@pytest.fixture
def client(collection: Collection) -> TestClient:
    return TestClient(app.create(collection), base_url="http://127.0.0.1")


def test_requests_are_counted_by_route_not_by_address(client: TestClient) -> None:
    for address in ("images/a", "images/b", "images/c/thumbnail", "images?n=3", "nothing"):
        client.get(f"/api/v1/{address}")
    client.post("/api/v1/search", json={"query": "red"})
    client.get("/search?q=red")
    client.get("/assets/atlas.css")
    told = read(client.get("/api/v1/metrics").text)
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
        assert told[of(name, method=method, route=route, status=str(status))] == n


def test_the_collection_and_the_memory_are_told(client: TestClient, collection: Collection) -> None:
    answer = client.get("/api/v1/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = read(answer.text)
    assert told[of("bilderatlas_images")] == 32
    assert told[of("bilderatlas_regions", kind="image")] == 32
    assert told[of("bilderatlas_problems")] == 1
    assert told[of("bilderatlas_jobs", state="running")] == 0
    assert told[of("bilderatlas_requests_in_progress")] == 1
    assert told[of("bilderatlas_info", version=__version__, collection=collection.name)] == 1
    if sys.platform == "linux":
        assert told[of("process_resident_memory_bytes")] > 1e7


def test_durations_fall_into_buckets_that_add_up() -> None:
    counted = Metrics()
    for seconds in (0.001, 0.004, 0.005, 0.2, 99.0):
        counted.note("GET", "/x", 200, seconds)
    told = read(generate_latest(counted.registry).decode())
    for bound, n in (("0.005", 3), ("0.1", 3), ("0.25", 4), ("30.0", 4), ("+Inf", 5)):
        assert told[of(f"{NAME}_bucket", route="/x", le=bound)] == n
    assert told[of(f"{NAME}_count", route="/x")] == 5
    assert told[of(f"{NAME}_sum", route="/x")] == 99.21


def test_two_apps_in_one_process_count_apart(client: TestClient, collection: Collection) -> None:
    other = TestClient(app.create(collection), base_url="http://127.0.0.1")
    client.get("/search?q=red")
    pages = of("bilderatlas_requests_total", method="GET", route="pages", status="200")
    assert read(client.get("/api/v1/metrics").text)[pages] == 1
    assert pages not in read(other.get("/api/v1/metrics").text)


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    counted, odd = Metrics(), 'a"b\\c\nd'
    counted.note("GET", odd, 200, 0.1)
    text = generate_latest(counted.registry).decode()
    assert r'route="a\"b\\c\nd"' in text
    assert read(text)[of(f"{NAME}_count", route=odd)] == 1
