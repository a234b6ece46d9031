"""What the server refuses, and how it says so."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from bilderatlas.server import app
from bilderatlas.server.middleware.timeouts import RequestLimits
from bilderatlas.server.schemas import parameters

API = "/api/v1"


@pytest.mark.parametrize(
    ("method", "address", "body", "status", "said"),
    [
        ("GET", "/images/nothere", None, 404, "nothere"),
        ("GET", "/images/nothere/thumbnail", None, 404, "nothere"),
        ("GET", "/images/nothere/similar", None, 404, "nothere"),
        ("GET", "/clusters?run=hdbscan-9", None, 404, "hdbscan-9"),
        ("GET", "/clusters/77", None, 404, "77"),
        ("GET", "/projection?run=umap-9", None, 404, "umap-9"),
        ("GET", "/nothing", None, 404, "/api/docs"),
        ("GET", "/images?n=0", None, 422, "n: "),
        ("GET", f"/images?n={parameters.MAX_PAGE + 1}", None, 422, "n: "),
        ("POST", "/search", {"query": "red", "k": 0}, 422, "k: "),
        ("POST", "/search", {"query": "red", "k": parameters.MAX_K + 1}, 422, "k: "),
        ("POST", "/search", {"query": "x" * (parameters.MAX_WORDS + 1)}, 422, "query: "),
        ("POST", "/search", {"query": "red", "weird": 1}, 422, "weird: "),
        ("POST", "/search", {"query": "   "}, 400, ""),
        ("POST", "/search", {"query": "red", "where": "colour = 'red'"}, 400, "colour"),
        ("POST", "/search", {"query": "red", "where": "1; DROP TABLE images"}, 400, ""),
    ],
)
def test_a_refusal_is_a_problem_document(
    client: TestClient, method: str, address: str, body: object, status: int, said: str
) -> None:
    answer = client.request(method, API + address, json=body)
    document = answer.json()
    assert (answer.status_code, document["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in document["detail"]


def test_an_upload_that_is_no_picture_is_refused(client: TestClient) -> None:
    files = {"file": ("letter.png", b"dear all, this is not a picture", "image/png")}
    answer = client.post(f"{API}/search/image", files=files)
    assert (answer.status_code, answer.json()["kind"]) == (400, "ImageProblem")


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    files = {"file": ("large.png", bytes(RequestLimits().body_bytes + 1), "image/png")}
    assert client.post(f"{API}/search/image", files=files).status_code == 413


def test_a_picture_whose_file_is_gone_is_not_found(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from tests.server.coloured import make_collection

    folder = tmp_path_factory.mktemp("gone")
    collection = make_collection(folder)
    facts = collection.search("red", k=1)[0]
    for file in (folder / "pictures").glob("*.png"):
        file.unlink()
    with TestClient(app.create(collection), base_url="http://127.0.0.1") as client:
        assert client.get(f"{API}/images/{facts.image_id}/thumbnail").status_code == 200
        assert client.get(f"{API}/images/{facts.image_id}/picture").status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.7"])
def test_a_name_that_was_made_to_point_here_gets_nothing(client: TestClient, host: str) -> None:
    answer = client.get(f"{API}/info", headers={"Host": host})
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "localhost:9", "[::1]:8080"])
def test_this_machine_is_answered_by_all_its_names(client: TestClient, host: str) -> None:
    assert client.get(f"{API}/health", headers={"Host": host}).status_code == 200


def test_a_page_is_asked_for_in_few_words(client: TestClient) -> None:
    large = {"Content-Type": "application/json"}
    answer = client.post("/_dash-update-component", content=b"x" * 1_000_001, headers=large)
    assert answer.status_code == 413
    address = client.post("/query-pictures", content=bytes(2_000_000), headers=large)
    assert (address.status_code, address.json()["kind"]) == (400, "ImageProblem")
