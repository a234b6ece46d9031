"""Classifying over REST."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bilderatlas.server import app
from tests.pictures import collect, plain, put

ROUTE = "/api/v1/classifications"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    for colour in ("red", "yellow", "blue"):
        for side in (8, 9, 10):
            put(tmp_path / "pile" / f"{colour}-{side}.png", plain(colour, side=side))
    atlas = collect(tmp_path, tmp_path / "pile")
    with TestClient(app.create(atlas), base_url="http://127.0.0.1") as client:
        yield client


def test_images_are_classified_counted_and_listed(client: TestClient) -> None:
    made = client.post(ROUTE, json={"prompts": ["red", "yellow", "blue"], "top": 1}).json()
    assert {each["label"]: each["n_regions"] for each in made["labels"]} == {
        "red": 3,
        "yellow": 3,
        "blue": 3,
    }
    assert client.get(ROUTE).json() == made
    listed = client.get(f"{ROUTE}/members", params={"label": "red", "n": 2, "offset": 1}).json()
    assert (listed["n_regions"], len(listed["members"])) == (3, 2)
    assert listed["members"][0]["probability"] > 0.5


def test_a_sample_is_classified_and_not_remembered(client: TestClient) -> None:
    made = client.post(ROUTE, json={"prompts": ["red"], "sample": 4}).json()
    assert made["n_regions"] == 4
    assert client.get(ROUTE).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"model": "builtin"}, 400), ({}, 400), ({"model": "x"}, 422), ({"prompts": []}, 422)],
)
def test_refusals_are_problem_documents(
    client: TestClient, asked: dict[str, object], status: int
) -> None:
    answer = client.post(ROUTE, json=asked)
    assert (answer.status_code, answer.json()["kind"]) == (status, "QueryError")
