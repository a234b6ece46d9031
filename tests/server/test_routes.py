"""The REST API answers what the collection answers, with the documented keys."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pyarrow.ipc
import pyarrow.parquet
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from bilderatlas.collection import Collection
from tests.server.coloured import COLOURS, N_OF_EACH, paint

API = "/api/v1"
N_IMAGES = len(COLOURS) * N_OF_EACH


def png_of(colour: str, seed: int) -> bytes:
    buffer = io.BytesIO()
    paint(colour, seed).save(buffer, "PNG")
    return buffer.getvalue()


def any_image_id(client: TestClient) -> str:
    image_id: str = client.get(f"{API}/images?n=1").json()["images"][0]["image_id"]
    return image_id


def test_health_needs_no_collection(client: TestClient) -> None:
    assert client.get(f"{API}/health").json()["status"] == "ok"


def test_info_has_the_documented_keys(client: TestClient) -> None:
    info = client.get(f"{API}/info").json()
    assert {"n_images", "n_regions", "n_problems", "spaces", "schema_version"} <= set(info)
    assert (info["n_images"], info["n_problems"]) == (N_IMAGES, 1)


def test_the_same_seed_draws_the_same_sample(client: TestClient) -> None:
    first, again, other = (
        client.get(f"{API}/images", params={"seed": seed, "n": 10}).json() for seed in (1, 1, 2)
    )
    assert len(first["images"]) == 10
    assert first == again != other


@pytest.mark.parametrize("colour", COLOURS)
def test_a_word_finds_its_colour(client: TestClient, colour: str) -> None:
    results = client.post(f"{API}/search", json={"query": colour, "k": N_OF_EACH}).json()["results"]
    assert set(results[0]) >= {"image_id", "path", "score", "relevance", "regions"}
    assert len(results) == N_OF_EACH
    assert all(colour in hit["path"] for hit in results)


def test_search_is_the_search_of_python(client: TestClient, collection: Collection) -> None:
    over_http = client.post(f"{API}/search", json={"query": "blue", "k": 5}).json()["results"]
    in_python = collection.search("blue", k=5)
    assert [hit["image_id"] for hit in over_http] == [hit.image_id for hit in in_python]
    assert [hit["score"] for hit in over_http] == pytest.approx([hit.score for hit in in_python])


def test_a_search_says_how_many_images_answer(client: TestClient, collection: Collection) -> None:
    over_http = client.post(f"{API}/search", json={"query": "blue", "k": 5}).json()
    verdict = collection.search("blue", k=1).verdict
    assert over_http["n_likely"] == verdict.n_likely == N_OF_EACH
    assert over_http["n_background"] == verdict.n_background
    assert over_http["verdict"] == str(verdict)
    image_id = over_http["results"][0]["image_id"]
    near = client.get(f"{API}/images/{image_id}/similar").json()
    assert near["n_likely"] + near["n_doubtful"] + near["n_background"] == N_IMAGES - 1


def test_a_condition_on_metadata_narrows_the_search(client: TestClient) -> None:
    body = {"query": "red", "k": 50, "where": "year >= 1956"}
    results = client.post(f"{API}/search", json=body).json()["results"]
    assert {hit["metadata"]["year"] for hit in results} == {1956, 1957}


def test_no_hit_lies_below_the_threshold(client: TestClient) -> None:
    body = {"query": "red", "k": 50, "threshold": 0.9}
    results = client.post(f"{API}/search", json=body).json()["results"]
    assert len(results) == N_OF_EACH
    assert all("red" in hit["path"] for hit in results)


@pytest.mark.parametrize(
    ("options", "n_found"),
    [
        ({"weights": {"image": 0.5}}, N_OF_EACH),
        ({"aggregate": "mean", "without": ["text"]}, N_OF_EACH),
        ({"kinds": ["person"]}, 0),
    ],
)
def test_parts_are_weighted_left_out_and_put_together(
    client: TestClient, options: dict[str, Any], n_found: int
) -> None:
    """These images have no parts; a search by words and by a picture takes the same options."""
    body = {"query": "red", "k": N_OF_EACH} | options
    results = client.post(f"{API}/search", json=body).json()["results"]
    assert len(results) == n_found
    assert all(hit["regions"][0]["share"] == 1 for hit in results)
    weights = {"weights": [f"{kind}={n}" for kind, n in options.get("weights", {}).items()]}
    answer = client.post(
        f"{API}/search/image",
        params={"k": N_OF_EACH} | options | weights,
        files={"file": ("mine.png", png_of("red", seed=99), "image/png")},
    )
    assert len(answer.json()["results"]) == n_found


@pytest.mark.parametrize("weights", [{"dog": 2}, {"person": -1}])
def test_a_weight_that_cannot_be_is_refused(client: TestClient, weights: dict[str, float]) -> None:
    answer = client.post(f"{API}/search", json={"query": "red", "weights": weights})
    assert answer.status_code == 400
    assert "kind" in answer.json()["detail"]


def test_an_uploaded_picture_finds_its_like(client: TestClient) -> None:
    files = {"file": ("mine.png", png_of("yellow", seed=99), "image/png")}
    answer = client.post(f"{API}/search/image", params={"k": 3}, files=files)
    assert ["yellow" in hit["path"] for hit in answer.json()["results"]] == [True] * 3


def test_similar_images_leave_out_the_image_itself(client: TestClient) -> None:
    image_id = any_image_id(client)
    results = client.get(f"{API}/images/{image_id}/similar", params={"k": 50}).json()["results"]
    assert len(results) == N_IMAGES - 1
    assert image_id not in {hit["image_id"] for hit in results}


def test_a_thumbnail_is_a_jpeg_for_ever(client: TestClient) -> None:
    address = f"{API}/images/{any_image_id(client)}/thumbnail"
    answer = client.get(address)
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert max(Image.open(io.BytesIO(answer.content)).size) == 320


def test_an_unchanged_thumbnail_is_not_sent_again(client: TestClient) -> None:
    address = f"{API}/images/{any_image_id(client)}/thumbnail"
    etag = client.get(address).headers["etag"]
    again = client.get(address, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_picture_has_its_own_size(client: TestClient) -> None:
    facts = client.get(f"{API}/images?n=1").json()["images"][0]
    answer = client.get(f"{API}/images/{facts['image_id']}/picture")
    assert Image.open(io.BytesIO(answer.content)).size == (facts["width"], facts["height"])


def test_clusters_and_their_members_agree(client: TestClient) -> None:
    clustering = client.get(f"{API}/clusters").json()
    assert set(clustering) >= {"run", "method", "n_clusters", "n_noise", "clusters"}
    largest = clustering["clusters"][0]
    found = client.get(f"{API}/clusters/{largest['cluster']}").json()
    assert found["size"] == largest["size"] == len(found["members"])
    firmness = [member["probability"] for member in found["members"]]
    assert firmness == sorted(firmness, reverse=True)


def stretches(client: TestClient, address: str, key: str, n: int) -> list[Any]:
    """A list, fetched n items at a time."""
    found, cursor = [], None
    while True:
        answer = client.get(address, params={"n": n} | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        found += answer.json()[key]
        cursor = answer.json()["next"]
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("address", "key", "n"),
    [
        ("/images", "images", 5),
        ("/images?order=name", "images", 7),
        ("/images?order=newest&where=year>1951&kinds=image", "images", 3),
        ("/clusters/0", "members", 3),
        ("/problems", "problems", 1),
    ],
)
def test_stretches_of_a_list_are_the_list(
    client: TestClient, address: str, key: str, n: int
) -> None:
    whole = client.get(f"{API}{address}", params={"n": 500}).json()
    assert whole["next"] is None
    assert stretches(client, f"{API}{address}", key, n) == whole[key] != []


@pytest.mark.parametrize("address", ["/images", "/clusters/0", "/problems"])
def test_a_damaged_cursor_is_refused(client: TestClient, address: str) -> None:
    answer = client.get(f"{API}{address}", params={"cursor": "nonsense"})
    assert (answer.status_code, answer.json()["kind"]) == (400, "QueryError")
    assert "'nonsense' is damaged" in answer.json()["detail"]


def test_a_part_is_cut_out_of_its_picture(client: TestClient) -> None:
    image_id = any_image_id(client)
    answer = client.get(f"{API}/regions/{image_id}/crop", params={"side": 100})
    assert answer.headers["content-type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(answer.content)).size) == 100


def test_every_region_has_the_cluster_that_it_is_a_member_of(client: TestClient) -> None:
    columns = client.get(f"{API}/clusters/labels").json()
    of_cluster = zip(columns["region_ids"], columns["labels"], strict=True)
    members = client.get(f"{API}/clusters/2?n=100").json()["members"]
    assert {m["region_id"] for m in members} == {r for r, label in of_cluster if label == 2}


def test_a_run_compared_with_itself_is_the_same(client: TestClient) -> None:
    params = {"first": "kmeans-1", "second": "kmeans-1"}
    found = client.get(f"{API}/runs/compare", params=params).json()
    assert (found["ari"], found["n_moved"], found["n_shared"]) == (1, 0, N_IMAGES)
    assert len(found["matches"]) == len(COLOURS)


def test_the_advice_is_as_many_clusters_as_colours(client: TestClient) -> None:
    advice = client.get(f"{API}/advice").json()
    assert (advice["k"]["k"], advice["n_regions"]) == (len(COLOURS), N_IMAGES)


def test_clusters_are_measured_against_a_column(client: TestClient) -> None:
    found = client.post(f"{API}/evaluate", json={"labels": "column:year"}).json()
    assert found["labels"]["n_labelled"] == N_IMAGES
    assert found["runs"][0]["run"] == "kmeans-1"


@pytest.mark.parametrize("labels", ["/etc/passwd", "labels.csv", "folder", "column:"])
def test_labels_never_come_from_a_file_of_the_server(client: TestClient, labels: str) -> None:
    assert client.post(f"{API}/evaluate", json={"labels": labels}).status_code == 422


def test_spaces_and_encoders_are_listed(client: TestClient) -> None:
    spaces = client.get(f"{API}/spaces").json()
    assert (spaces["active_space"], spaces["spaces"][0]["n_regions"]) == ("toy", N_IMAGES)
    names = [encoder["name"] for encoder in client.get(f"{API}/encoders").json()["encoders"]]
    assert "builtin" in names


@pytest.mark.parametrize("table", ["images", "clusters", "coordinates"])
def test_a_table_is_exported_as_on_the_command_line(
    client: TestClient, collection: Collection, table: str
) -> None:
    written = io.BytesIO()
    collection.export(written, table=table, format="csv")
    answer = client.get(f"{API}/export", params={"table": table})
    assert answer.content == written.getvalue()
    assert answer.headers["content-disposition"] == f'attachment; filename="{table}.csv"'
    parquet = client.get(f"{API}/export", params={"table": table, "format": "parquet"})
    assert pyarrow.parquet.read_table(io.BytesIO(parquet.content)).num_rows == N_IMAGES


def test_a_table_that_is_not_offered_is_refused(client: TestClient) -> None:
    answer = client.get(f"{API}/export", params={"table": "secrets"})
    assert (answer.status_code, answer.json()["kind"]) == (400, "QueryError")


def test_embeddings_travel_as_arrow(client: TestClient, collection: Collection) -> None:
    ids, vectors = collection.embeddings()
    content = client.get(f"{API}/embeddings").content
    table = pyarrow.ipc.open_stream(content).read_all()
    assert table["region_id"].to_pylist() == ids
    assert np.array_equal(np.array(table["vector"].to_pylist(), np.float32), vectors)


@pytest.mark.parametrize(("run", "dims"), [("pca-1", 2), ("pca-2", 3)])
def test_a_projection_has_a_place_for_every_region(
    client: TestClient, collection: Collection, run: str, dims: int
) -> None:
    found = client.get(f"{API}/projection", params={"run": run}).json()
    assert found["dims"] == dims
    assert len(found["region_ids"]) == len(found["x"]) == len(found["y"]) == N_IMAGES
    assert (found["z"] is None) == (dims == 2)
    made = collection.projection(run).coordinates
    assert np.array_equal(np.array(found["y"], np.float32), made[:, 1])


def test_runs_are_told_newest_first(client: TestClient) -> None:
    runs = [run["run"] for run in client.get(f"{API}/runs").json()["runs"]]
    assert runs == ["pca-2", "pca-1", "kmeans-1"]


def test_problems_are_filtered_counted_and_taken_along(client: TestClient) -> None:
    one = client.get(f"{API}/problems").json()
    assert one["stages"] == {"decode": 1}
    reason = next(iter(one["reasons"]))
    for filters, n in (({"reason": reason, "q": "BROKEN"}, 1), ({"q": "whole"}, 0)):
        assert client.get(f"{API}/problems", params=filters).json()["n_problems"] == n
        table = client.get(f"{API}/problems.csv", params=filters)
        assert table.headers["content-disposition"] == 'attachment; filename="problems.csv"'
        lines = table.text.splitlines()
        assert lines[0] == '"uri","stage","reason","when"'
        assert len(lines) == 1 + n
    assert client.get(f"{API}/problems", params={"stage": "read"}).json()["problems"] == []


def test_what_was_passed_over_is_asked_for_by_its_kind(client: TestClient) -> None:
    assert client.get(f"{API}/problems").json()["kinds"] == {"problem": 1, "other": 0, "small": 0}
    assert client.get(f"{API}/problems", params={"kind": "other"}).json()["problems"] == []
    assert client.get(f"{API}/problems", params={"kind": "all"}).json()["n_problems"] == 1
    assert client.get(f"{API}/problems", params={"kind": "nonsense"}).status_code == 422


def test_problems_name_the_file_and_the_reason(client: TestClient) -> None:
    found = client.get(f"{API}/problems").json()
    assert found["n_problems"] == 1
    assert found["problems"][0]["uri"].endswith("broken.png")
    assert found["problems"][0]["reason"]


def test_the_answers_to_a_query_are_a_table(client: TestClient) -> None:
    answer = client.get("/api/v1/search/table", params={"query": "red", "k": 100})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    asked = client.post("/api/v1/search", json={"query": "red", "k": 100}).json()
    assert len(rows) == asked["n_likely"] + asked["n_doubtful"]
    assert [row["image_id"] for row in rows] == [
        hit["image_id"] for hit in asked["results"][: len(rows)]
    ]
    assert "attachment" in answer.headers["content-disposition"]
