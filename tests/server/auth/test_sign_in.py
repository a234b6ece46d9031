"""Signing in and out with a browser."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from bilderatlas.collection import Collection
from bilderatlas.server import app
from bilderatlas.server.auth import sign_in
from tests.server.auth.keyed import ACCESS, EDITOR

BROWSER = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client(collection: Collection) -> Iterator[TestClient]:
    keyed = app.create(collection, ACCESS)
    with TestClient(keyed, base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield client


def sign(client: TestClient, key: str, then: str = "/"):  # type: ignore[no-untyped-def]
    return client.post("/sign-in", data={"key": key, "next": then}, headers=BROWSER)


def test_a_page_sends_a_browser_to_sign_in_and_back(client: TestClient) -> None:
    asked = client.get("/search?q=red%20car", headers=BROWSER)
    assert asked.status_code == 303
    way = asked.headers["location"]
    assert way == f"/sign-in?next={quote('/search?q=red%20car', safe='')}"
    assert 'value="/search?q=red%20car"' in client.get(way, headers=BROWSER).text
    signed = sign(client, EDITOR, "/search?q=red%20car")
    assert (signed.status_code, signed.headers["location"]) == (303, "/search?q=red%20car")
    assert client.get("/search?q=red%20car", headers=BROWSER).status_code == 200


def test_the_key_is_kept_where_no_script_and_no_other_page_gets_at_it(client: TestClient) -> None:
    cookie = sign(client, EDITOR).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie  # the browser would not send it over http


def test_over_https_the_cookie_is_sent_over_nothing_else(collection: Collection) -> None:
    keyed = app.create(collection, ACCESS)
    with TestClient(keyed, base_url="https://127.0.0.1", follow_redirects=False) as client:
        cookie = sign(client, EDITOR).headers["set-cookie"]
        assert cookie.startswith("__Host-bilderatlas=")
        assert "Secure" in cookie
        assert client.get("/api/v1/info").status_code == 200


def test_a_wrong_key_is_refused_and_nothing_kept(client: TestClient) -> None:
    answer = sign(client, "ba_" + "x" * 43)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "does not know this key" in answer.text


def test_the_page_speaks_german_too(client: TestClient) -> None:
    page = client.get("/sign-in", headers=BROWSER | {"Accept-Language": "de-CH"}).text
    assert "<html lang=de>" in page
    assert "Anmelden" in page


def test_signing_out_forgets_the_key(client: TestClient) -> None:
    sign(client, EDITOR)
    assert "As anna, who may change things." in client.get("/sign-in", headers=BROWSER).text
    client.post("/sign-out", headers=BROWSER)
    assert client.get("/api/v1/info").status_code == 401


def test_no_other_page_signs_anybody_out(client: TestClient) -> None:
    sign(client, EDITOR)
    assert client.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/api/v1/info").status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "/x\r\nSet-Cookie: a=b",
        "",
        "x",
    ],
)
def test_the_way_back_leads_nowhere_else(client: TestClient, address: str) -> None:
    assert sign_in.own(address) == "/"
    assert sign(client, EDITOR, address).headers["location"] == "/"


def test_what_stands_in_the_address_is_only_text_on_the_page(client: TestClient) -> None:
    page = client.get('/sign-in?next=/"><script>alert(1)</script>', headers=BROWSER)
    assert "<script>alert" not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]


def test_a_link_in_a_mail_finds_the_browser_signed_in(client: TestClient) -> None:
    """The cookie does not come along from another site; it does when our page asks again."""
    headers = BROWSER | {"Sec-Fetch-Site": "cross-site"}
    answer = client.get("/search", headers=headers)
    assert answer.status_code == 200
    assert "http-equiv=refresh" in answer.text
    assert client.get("/search", headers=BROWSER).headers["location"].startswith("/sign-in")


def test_a_large_body_is_not_read_from_a_stranger(client: TestClient) -> None:
    assert sign(client, "x" * 20_000).status_code == 413


def test_where_there_are_no_keys_nobody_is_asked_for_one(collection: Collection) -> None:
    with TestClient(app.create(collection), base_url="http://127.0.0.1") as client:
        asked = client.get("/sign-in?next=/map", follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/map")
