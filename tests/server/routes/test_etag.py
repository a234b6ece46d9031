"""What a client has is not sent again; HEAD; compression."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bilderatlas.server import app
from tests.pictures import collect, plain, put

API = "/api/v1"


@pytest.mark.parametrize(
    "address",
    [
        *("/info", "/images", "/runs", "/clusters", "/clusters/0", "/clusters/labels"),
        *("/projection", "/problems", "/spaces", "/export", "/embeddings"),
    ],
)
def test_what_is_unchanged_is_not_sent_again(client: TestClient, address: str) -> None:
    first = client.get(API + address)
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get(API + address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["x-content-type-options"] == "nosniff"


def test_other_parameters_have_another_etag(client: TestClient) -> None:
    tags = {client.get(f"{API}/images?seed={seed}").headers["etag"] for seed in range(3)}
    assert len(tags) == 3


@pytest.mark.parametrize("named", ["*", 'W/"0"', "", '"a", "b"', "\xff"])
def test_another_etag_gets_the_answer(client: TestClient, named: str) -> None:
    answer = client.get(f"{API}/info", headers={"If-None-Match": named.encode("latin-1")})
    assert answer.status_code == 200


def test_one_of_several_etags_is_enough(client: TestClient) -> None:
    etag = client.get(f"{API}/info").headers["etag"]
    answer = client.get(f"{API}/info", headers={"If-None-Match": f'"other", {etag}'})
    assert answer.status_code == 304


def test_what_changed_is_sent_anew(tmp_path: Path) -> None:
    for colour in ("red", "green", "blue"):
        put(tmp_path / "pile" / f"{colour}.png", plain(colour))
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.cluster("kmeans", k=3)
    with TestClient(app.create(atlas), base_url="http://127.0.0.1") as client:

        def tags() -> dict[str, str]:
            names = ("info", "images", "clusters", "runs")
            return {name: client.get(f"{API}/{name}").headers["etag"] for name in names}

        before = tags()
        assert tags() == before
        client.post(f"{API}/decisions", json={"verb": "name", "what": [0, "Poppies"]})
        decided = tags()
        changed = {name for name in before if before[name] != decided[name]}
        assert changed == {"info", "clusters", "images"}  # labels narrow the list of images
        put(tmp_path / "pile" / "white.png", plain("white"))
        atlas.index(tmp_path / "pile")
        added = tags()
        assert {name for name in added if added[name] != decided[name]} == {"info", "images"}


@pytest.mark.parametrize("address", ["/api/v1/info", "/api/v1/images/nothing", "/api/docs"])
def test_head_says_what_get_would_say(client: TestClient, address: str) -> None:
    got, head = client.get(address), client.head(address)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers == got.headers


def test_long_json_is_compressed_and_pictures_are_not(client: TestClient) -> None:
    listed = client.get(f"{API}/images", params={"n": 30})
    assert listed.headers["content-encoding"] == "gzip"
    plainly = client.get(f"{API}/images", params={"n": 30}, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plainly.headers
    assert json.loads(plainly.content) == listed.json()
    image_id = listed.json()["images"][0]["image_id"]
    thumbnail = client.get(f"{API}/images/{image_id}/thumbnail")
    assert "content-encoding" not in thumbnail.headers
