"""The app as a whole: its description, its documents, its headers."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from threadpoolctl import threadpool_info

from bilderatlas.collection import Collection
from bilderatlas.server import app
from tests.server.auth.keyed import ACCESS, EDITOR, VIEWER, bearer


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


def fail() -> None:
    raise RuntimeError("a mistake of ours, made on purpose")


@pytest.mark.parametrize(
    ("method", "address", "headers", "status"),
    [
        ("GET", "/", {"Accept": "text/html"}, 303),
        ("GET", "/sign-in", {}, 200),
        ("GET", "/api/v1/info", {}, 401),
        ("GET", "/api/v1/info", {"Host": "evil.example"}, 400),
        ("GET", "/api/v1/nothing", bearer(VIEWER), 404),
        ("POST", "/api/v1/decisions", bearer(VIEWER), 403),
        ("POST", "/api/v1/decisions", bearer(EDITOR), 422),
        ("GET", "/api/v1/fail", bearer(EDITOR), 500),
    ],
)
def test_no_answer_goes_out_without_strict_headers_whatever_made_it(
    collection: Collection, method: str, address: str, headers: dict[str, str], status: int
) -> None:
    made = app.create(collection, ACCESS)
    made.router.routes.insert(0, APIRoute("/api/v1/fail", fail))
    client = TestClient(made, base_url="http://127.0.0.1", raise_server_exceptions=False)
    answer = client.request(method, address, headers=headers, follow_redirects=False)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert "made on purpose" not in answer.text


def test_what_was_not_changed_has_strict_headers_too(client: TestClient) -> None:
    etag = client.get("/api/v1/info").headers["etag"]
    again = client.get("/api/v1/info", headers={"If-None-Match": etag})
    assert again.status_code == 304
    assert again.headers["x-content-type-options"] == "nosniff"


def test_the_description_says_how_a_key_is_sent(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert {} in described["security"]  # a server may ask for none


def test_each_question_has_one_core_while_the_server_runs(collection: Collection) -> None:
    """Eight searches at once on two cores were four times slower where each wanted both."""

    def n_threads() -> set[int]:
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    before = n_threads()
    with TestClient(app.create(collection), base_url="http://127.0.0.1"):
        assert n_threads() == {1}
    assert n_threads() == before
