"""People's labels over REST, on a collection of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bilderatlas.server import app
from tests.pictures import collect, plain, put

LABELS = "/api/v1/labels"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    for colour in ("red", "green", "blue"):
        for side in (8, 9, 10):
            put(tmp_path / "pile" / f"{colour}-{side}.png", plain(colour, side=side))
    atlas = collect(tmp_path, tmp_path / "pile")
    with TestClient(app.create(atlas), base_url="http://127.0.0.1") as client:
        yield client


def _ids(client: TestClient) -> list[str]:
    query = {"query": "red", "k": 3}
    hits = client.post("/api/v1/search", json=query).json()["results"]
    return [hit["image_id"] for hit in hits]


def test_images_are_labelled_listed_and_the_label_taken_from_one(client: TestClient) -> None:
    ids = _ids(client)
    made = client.post(LABELS, json={"label": " warm ", "images": ids, "who": "Anna"}).json()
    assert (made["verb"], made["label"], made["n_regions"]) == ("label", "warm", 3)
    assert made["decision"]["who"] == "Anna"
    taken = client.request("DELETE", LABELS, json={"label": "warm", "images": ids[:1]}).json()
    assert (taken["verb"], taken["n_regions"]) == ("unlabel", 1)
    listed = client.get(LABELS).json()
    assert (listed["n_images"], listed["n_labelled"]) == (9, 2)
    assert [(each["label"], each["n_images"]) for each in listed["labels"]] == [("warm", 2)]
    assert listed["labels"][0]["since"] == made["decision"]["when"]
    having = client.get("/api/v1/images", params={"label": "warm", "order": "name"}).json()
    assert {image["image_id"] for image in having["images"]} == set(ids[1:])
    without = client.get("/api/v1/images", params={"unlabelled": True}).json()
    assert len(without["images"]) == 7


def test_labelling_is_undone_where_nothing_was_clustered(client: TestClient) -> None:
    made = client.post(LABELS, json={"label": "warm", "images": _ids(client)}).json()
    undo = {"verb": "undo", "what": [made["decision"]["decision"]]}
    assert client.post("/api/v1/decisions", json=undo).json()["decision"]["verb"] == "undo"
    assert client.get(LABELS).json()["labels"] == []


def test_all_images_that_are_meant_are_labelled_in_one_decision(client: TestClient) -> None:
    client.post(LABELS, json={"label": "warm", "images": _ids(client)})
    rest = client.post(LABELS, json={"label": "cold", "all": {"unlabelled": True}}).json()
    assert rest["n_regions"] == 6
    everything = client.post(LABELS, json={"label": "colour", "all": {}}).json()
    assert everything["n_regions"] == 9
    nothing = client.post(LABELS, json={"label": "more", "all": {"unlabelled": True}}).json()
    assert (nothing["n_regions"], nothing["decision"]) == (0, None)
    assert client.get("/api/v1/decisions").json()["n_decisions"] == 3


def test_a_search_may_be_among_the_images_of_a_label(client: TestClient) -> None:
    ids = _ids(client)
    client.post(LABELS, json={"label": "warm", "images": ids[:1]})
    found = client.post("/api/v1/search", json={"query": "blue", "label": "warm"}).json()
    assert [hit["image_id"] for hit in found["results"]] == ids[:1]


def test_labels_are_suggested_by_the_likeness_of_images(client: TestClient) -> None:
    ids = _ids(client)
    client.post(LABELS, json={"label": "warm", "images": ids[:1]})
    found = client.get(f"{LABELS}/suggestions", params={"n": 2}).json()["suggestions"]
    assert {each["image_id"] for each in found} == set(ids[1:])
    assert {each["label"] for each in found} == {"warm"}
    params = {"image": ids[1], "order": "unsure"}
    (one,) = client.get(f"{LABELS}/suggestions", params=params).json()["suggestions"]
    assert one["image_id"] == ids[1]
    wrong = client.get(f"{LABELS}/suggestions", params={"order": "best"})
    assert wrong.status_code == 422


@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        ({"label": "", "images": ["x"]}, 400, "LabelsError"),
        ({"label": "warm", "images": ["../../etc/passwd"]}, 404, "ImageNotFound"),
        ({"label": "warm"}, 422, "QueryError"),
        ({"label": "warm", "all": {"label": "unheard of"}}, 400, "LabelsError"),
        ({"label": "warm", "all": {"where": "1; DROP TABLE places"}}, 400, "QueryError"),
        ({"label": "warm", "all": {"cluster": 1}}, 404, "RunNotFound"),
    ],
)
def test_refusals_are_problem_documents(
    client: TestClient, asked: dict[str, object], status: int, kind: str
) -> None:
    answer = client.post(LABELS, json=asked)
    assert (answer.status_code, answer.json()["kind"]) == (status, kind)


def test_the_images_of_a_selection_are_labelled_together(client: TestClient) -> None:
    kept = client.post("/api/v1/selections", json={"image_ids": _ids(client)}).json()["selection"]
    made = client.post(LABELS, json={"label": "warm", "all": {"selection": kept}}).json()
    assert made["n_regions"] == 3
