"""Deciding over REST, on a collection of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bilderatlas.server import app
from tests.pictures import collect, plain, put

API = "/api/v1"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    for colour in ("red", "green", "blue"):
        for side in (8, 9, 10):
            put(tmp_path / "pile" / f"{colour}-{side}.png", plain(colour, side=side))
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.cluster("kmeans", k=3)
    with TestClient(app.create(atlas), base_url="http://127.0.0.1") as client:
        yield client


def test_a_cluster_is_renamed_and_the_decision_listed_and_undone(client: TestClient) -> None:
    asked = {"verb": "name", "what": [1, "Poppies"], "who": "Anna"}
    made = client.post(f"{API}/decisions", json=asked).json()
    clusters = client.get(f"{API}/clusters").json()["clusters"]
    assert made["clusters"] == clusters
    assert [(c["cluster"], c["source"]) for c in clusters if c["name"] == "Poppies"] == [
        (1, "person")
    ]
    (listed,) = client.get(f"{API}/decisions").json()["decisions"]
    assert listed == made["decision"]
    assert listed["who"] == "Anna"
    client.post(f"{API}/decisions", json={"verb": "undo", "what": [listed["decision"]]})
    assert client.get(f"{API}/decisions").json()["n_decisions"] == 0


@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        ({"verb": "merge", "what": [1, 1]}, 400, "DecisionError"),
        ({"verb": "merge", "what": [1, 99]}, 404, "RunNotFound"),
        ({"verb": "move", "what": ["/etc/passwd", 1]}, 404, "ImageNotFound"),
        ({"verb": "merge", "what": []}, 422, "QueryError"),
    ],
)
def test_refusals_are_problem_documents(
    client: TestClient, asked: dict[str, object], status: int, kind: str
) -> None:
    answer = client.post(f"{API}/decisions", json=asked)
    assert (answer.status_code, answer.json()["kind"]) == (status, kind)


def test_a_page_of_another_origin_cannot_decide(client: TestClient) -> None:
    body = '{"verb": "merge", "what": [0, 1]}'
    answer = client.post(f"{API}/decisions", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert client.get(f"{API}/decisions").json()["n_decisions"] == 0


def test_a_cluster_is_split_into_parts_and_its_numbers_are_free(client: TestClient) -> None:
    client.post(f"{API}/decisions", json={"verb": "merge", "what": [0, 1, 2]})
    made = client.post(f"{API}/decisions", json={"verb": "split", "what": [0], "parts": 3}).json()
    assert sorted(cluster["size"] for cluster in made["clusters"]) == [3, 3, 3]
    assert len({cluster["cluster"] for cluster in made["clusters"]}) == 3
    refused = client.post(f"{API}/decisions", json={"verb": "split", "what": [0], "parts": 1})
    assert refused.status_code == 422


def test_the_shape_of_clusters_of_one_colour_is_tight(client: TestClient) -> None:
    found = client.get(f"{API}/clusters/shape").json()
    assert found["run"] == "kmeans-1"
    assert [one["cluster"] for one in found["clusters"]] == [0, 1, 2]
    assert all(one["tightness"] == pytest.approx(1) for one in found["clusters"])
    assert [len(one["nearest"]) for one in found["clusters"]] == [2, 2, 2]
    # plain colours in the toy space are at right angles
    assert found["clusters"][0]["nearest"][0]["closeness"] == pytest.approx(0, abs=1e-6)
