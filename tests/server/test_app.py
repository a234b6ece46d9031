"""The app as a whole: its description, its documents, its headers."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient


def test_every_route_stands_on_the_page_of_the_api(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    page = client.get("/api/docs").text
    assert len(paths) >= 14
    assert all(path in page for path in paths)


@pytest.mark.parametrize("address", ["/", "/api/docs", "/search", "/nothing"])
def test_documents_fetch_nothing_from_elsewhere(client: TestClient, address: str) -> None:
    fetched = re.findall(
        r"<(?:script|link|img)[^>]+(?:src|href)=\"?([^\"> ]+)", client.get(address).text
    )
    assert all(found.startswith("/") and not found.startswith("//") for found in fetched)


def test_no_script_runs_that_the_policy_does_not_name(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert rules["frame-ancestors"] == "'none'"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/", 200),
        ("/search?q=red", 200),
        ("/clusters/-1", 200),
        ("/map", 200),
        ("/images/abc", 200),
        ("/nothing", 404),
        ("/clusters/x", 404),
        ("/assets/nothing.js", 404),
        ("/assets/../app.py", 404),
        ("/assets/%2e%2e/app.py", 404),
    ],
)
def test_pages_have_addresses(client: TestClient, address: str, status: int) -> None:
    assert client.get(address).status_code == status


@pytest.mark.parametrize("address", ["/", "/api/v1/info", "/api/docs", "/assets/atlas.css"])
def test_no_answer_is_sniffed_or_framed(client: TestClient, address: str) -> None:
    headers = client.get(address).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
