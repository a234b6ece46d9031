"""Selections over REST."""

from __future__ import annotations

from fastapi.testclient import TestClient

SELECTIONS = "/api/v1/selections"


def _ids(client: TestClient, query: str) -> list[str]:
    hits = client.post("/api/v1/search", json={"query": query, "k": 3}).json()["results"]
    return [hit["image_id"] for hit in hits]


def test_a_selection_is_kept_listed_and_not_sent_twice(client: TestClient) -> None:
    ids = _ids(client, "red")
    made = client.post(SELECTIONS, json={"image_ids": ids}).json()
    assert made["n_images"] == 3
    listed = client.get(f"{SELECTIONS}/{made['selection']}")
    assert listed.json() == made | {"image_ids": sorted(ids)}
    again = client.get(
        f"{SELECTIONS}/{made['selection']}", headers={"If-None-Match": listed.headers["etag"]}
    )
    assert again.status_code == 304


def test_searching_and_exporting_stay_within_a_selection(client: TestClient) -> None:
    ids = _ids(client, "red")
    kept = client.post(SELECTIONS, json={"image_ids": ids}).json()["selection"]
    within = {"query": "green", "selection": kept}
    found = client.post("/api/v1/search", json=within).json()["results"]
    assert {hit["image_id"] for hit in found} == set(ids)
    rows = client.get("/api/v1/export", params={"selection": kept}).text.splitlines()
    assert len(rows) == 1 + 3


def test_an_unknown_selection_is_not_found(client: TestClient) -> None:
    for name in ("0" * 16, "..%2fatlas.json", "%00"):
        answer = client.get(f"{SELECTIONS}/{name}")
        assert answer.status_code == 404, name
    asked = {"query": "red", "selection": "0" * 16}
    assert client.post("/api/v1/search", json=asked).status_code == 404
    assert client.post(SELECTIONS, json={"image_ids": []}).status_code == 422
