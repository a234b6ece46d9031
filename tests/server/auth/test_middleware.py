"""Who is let in, for what."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from bilderatlas.collection import Collection
from bilderatlas.server import app
from bilderatlas.server.auth import Access, Gate
from bilderatlas.web.request_context import NAME, ROLE
from tests.server.auth.keyed import ACCESS, EDITOR, VIEWER, access, bearer

API = "/api/v1"
OPEN = {"/api/v1/health", "/api/v1/ready"}
READING_BY_POST = {
    f"{API}/{path}" for path in ("search", "search/image", "search/url", "evaluate", "selections")
}
LETTER = {"query": "red"}


async def admitted(scope: Scope, receive: Receive, send: Send) -> None:
    """What lies behind the gate here: it says who was let in."""
    await JSONResponse([scope[ROLE], scope[NAME]])(scope, receive, send)


def gate(allowed: Access) -> TestClient:
    return TestClient(Gate(admitted, allowed), base_url="http://127.0.0.1")


@pytest.fixture(scope="module")
def keyed(collection: Collection) -> Iterator[TestClient]:
    with TestClient(app.create(collection, ACCESS), base_url="http://127.0.0.1") as client:
        yield client


def test_every_route_is_for_whom_it_should_be(client: TestClient) -> None:
    """Of a new route that changes something nothing need be said: editors only, and no other."""
    asks, reads = (
        gate(access(requests_per_s=1e6)),
        gate(access(requests_per_s=1e6, is_read_only=True)),
    )
    paths = client.get("/api/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for method in map(str.upper, operations):
            is_reading = method == "GET" or path in READING_BY_POST
            nobody = asks.request(method, path).status_code
            assert nobody == (200 if path in OPEN else 401), (method, path)
            viewer = asks.request(method, path, headers=bearer(VIEWER)).status_code
            assert viewer == (200 if is_reading else 403), (method, path)
            assert asks.request(method, path, headers=bearer(EDITOR)).status_code == 200
            anybody = reads.request(method, path, headers=bearer(EDITOR)).status_code
            assert anybody == viewer, (method, path)


@pytest.mark.parametrize("path", ["/", "/images/x", "/_dash-layout", "/api/docs", "/nothing"])
def test_pages_and_their_parts_need_a_key_too(path: str) -> None:
    assert gate(ACCESS).get(path).status_code == 401
    assert gate(ACCESS).get(path, headers=bearer(VIEWER)).json() == ["viewer", "ben"]
    assert gate(ACCESS).post(path, headers=bearer(VIEWER)).status_code == 403


def test_without_keys_everybody_edits_and_nobody_on_a_server_that_is_read_only() -> None:
    assert gate(Access()).post(f"{API}/decisions").json() == ["editor", None]
    refused = gate(Access(is_read_only=True)).post(f"{API}/decisions")
    assert (refused.status_code, "--read-only" in refused.json()["detail"]) == (403, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (bearer(EDITOR), 200),
        ({"Authorization": f"bearer {EDITOR}"}, 200),
        ({"X-API-Key": EDITOR}, 200),
        ({"Cookie": f"language=de; bilderatlas={EDITOR}"}, 200),
        ({"Cookie": f"bilderatlas-9={EDITOR}"}, 401),  # of another port
        ({"Authorization": f"Basic {EDITOR}"}, 401),
        (bearer(EDITOR + "x"), 401),
        (bearer(""), 401),
        ({}, 401),
    ],
)
def test_a_key_is_a_header_or_a_cookie(
    keyed: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = keyed.get(f"{API}/info", headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["kind"] == "KeyNeeded"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_viewer_searches_and_decides_nothing(keyed: TestClient) -> None:
    headers = bearer(VIEWER)
    assert keyed.post(f"{API}/search", json=LETTER, headers=headers).status_code == 200
    asked = {"verb": "name", "what": [0, "Mine"]}
    refused = keyed.post(f"{API}/decisions", json=asked, headers=headers)
    assert (refused.status_code, refused.json()["kind"]) == (403, "NotAllowed")
    assert keyed.get(f"{API}/decisions", headers=headers).json()["n_decisions"] == 0


def test_a_viewer_may_do_with_the_pages_what_changes_nothing(keyed: TestClient) -> None:
    for path in ("/query-pictures", "/_dash-update-component", "/sign-in", "/sign-out"):
        assert gate(ACCESS).post(path, headers=bearer(VIEWER)).status_code == 200


COOKIE = {"Cookie": f"bilderatlas={EDITOR}"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ({"Sec-Fetch-Site": "same-origin", **COOKIE, **JSON}, True),
        ({"Origin": "http://127.0.0.1", **COOKIE, **JSON}, True),
        ({"Sec-Fetch-Site": "cross-site", **COOKIE, **JSON}, False),
        ({"Sec-Fetch-Site": "same-site", **COOKIE, **JSON}, False),  # another port of this host
        ({"Origin": "http://evil.example", **COOKIE, **JSON}, False),
        ({"Origin": "http://127.0.0.1:3000", **COOKIE, **JSON}, False),
        ({"Origin": "null", **COOKIE, **JSON}, False),
        ({**COOKIE, **JSON}, False),  # every browser says one or the other
        ({"Origin": "http://127.0.0.1", **COOKIE, "Content-Type": "text/plain"}, False),
        (
            {
                "Origin": "http://127.0.0.1",
                **COOKIE,
                "Content-Type": "application/x-www-form-urlencoded",
            },
            False,
        ),
        ({"Origin": "http://127.0.0.1", **COOKIE, "Content-Type": "multipart/form-data"}, True),
        (
            {"Origin": "http://127.0.0.1", **COOKIE, "Content-Type": "application/octet-stream"},
            True,
        ),
        (bearer(EDITOR), True),  # a program
        ({"Origin": "http://evil.example", **bearer(EDITOR)}, False),
    ],
)
def test_no_page_of_another_origin_changes_anything(
    headers: dict[str, str], is_let_in: bool
) -> None:
    answer = gate(ACCESS).post(f"{API}/decisions", content="{}", headers=headers)
    assert answer.status_code == (200 if is_let_in else 403)


def test_without_keys_too_no_page_of_another_origin_changes_anything() -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Content-Type": "multipart/form-data"}
    assert gate(Access()).post(f"{API}/uploads", headers=elsewhere).status_code == 403


def test_a_key_has_an_allowance_of_its_own() -> None:
    small = gate(access(requests_per_s=2))
    for _ in range(20):
        assert small.get(f"{API}/info", headers=bearer(VIEWER)).status_code == 200
    refused = small.get(f"{API}/info", headers=bearer(VIEWER))
    assert (refused.status_code, refused.json()["kind"]) == (429, "TooManyRequests")
    assert refused.headers["retry-after"] == "1"
    assert small.get(f"{API}/info", headers=bearer(EDITOR)).status_code == 200


def test_thumbnails_are_ten_to_one_request() -> None:
    small = gate(access(requests_per_s=2))
    address = f"{API}/images/x/thumbnail"
    answers = [small.get(address, headers=bearer(VIEWER)).status_code for _ in range(190)]
    assert set(answers) == {200}


def test_whoever_guesses_keys_is_soon_refused() -> None:
    small = gate(access(requests_per_s=2))
    answers = [small.get(f"{API}/info", headers=bearer(f"guess {n}")).status_code for n in range(4)]
    assert answers == [401, 401, 429, 429]


def test_a_browser_with_an_old_key_still_gets_the_page_that_asks_for_another() -> None:
    small = gate(access(requests_per_s=2))
    old = {"Cookie": "bilderatlas=ba_taken-away"}
    answers = [small.get("/assets/atlas.css", headers=old).status_code for _ in range(90)]
    assert set(answers) == {200}


def test_an_open_socket_of_another_protocol_is_closed() -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), gate(ACCESS).websocket_connect("/"):
        pass
