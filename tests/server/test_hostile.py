"""Hostile texts come back as they were brought, open nothing, and break nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from bilderatlas.collection import Collection
from bilderatlas.server import app
from tests.server.hostile import ASKED, STORED, make_collection

API = "/api/v1"
SLOW = (f"{API}/advice", f"{API}/duplicates")
MADE_ELSEWHERE = ("/jobs", "/uploads")  # they start processes: tests of their own


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_collection(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def client(atlas: Collection) -> Iterator[TestClient]:
    with TestClient(app.create(atlas), base_url="http://127.0.0.1") as client:
        yield client


def test_texts_of_metadata_come_back_as_they_were(client: TestClient) -> None:
    images = client.get(f"{API}/images", params={"n": 100}).json()["images"]
    assert {image["metadata"]["title"] for image in images} == set(STORED.values())


def test_words_and_labels_found_in_pictures_come_back_as_they_were(client: TestClient) -> None:
    body = {"query": "red", "k": 100, "kinds": ["text"]}
    hits = client.post(f"{API}/search", json=body).json()["results"]
    assert {hit["regions"][0]["text"] for hit in hits} == set(STORED.values())
    assert {hit["regions"][0]["label"] for hit in hits} == set(STORED.values())


def test_an_exported_table_has_the_texts_in_their_cells(client: TestClient) -> None:
    content = client.get(f"{API}/export", params={"table": "images"}).content.decode()
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert {row["title"] for row in rows} == set(STORED.values())


def test_an_image_is_found_by_its_own_id_whatever_that_is(client: TestClient) -> None:
    for number, text in enumerate(STORED.values()):
        named = client.get(f"{API}/images/named", params={"name": f"{number}{text}"})
        assert named.json()["images"][0]["metadata"]["title"] == text


def test_clusters_and_labels_are_called_as_people_said(client: TestClient) -> None:
    names = {cluster["name"] for cluster in client.get(f"{API}/clusters").json()["clusters"]}
    labels = {label["label"] for label in client.get(f"{API}/labels").json()["labels"]}
    assert {STORED["a script"], STORED["a picture"]} <= names & labels
    assert STORED["quotes of SQL"] in labels


def questions(client: TestClient, text: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every route with a text in the place of every text that it takes: in its path, its
    parameters, and its body."""
    described = client.get("/api/openapi.json").json()
    schemas = described["components"]["schemas"]
    encoded = quote(text.encode("utf-8", "surrogatepass"), safe="")
    for path, methods in described["paths"].items():
        if path.startswith(tuple(API + part for part in MADE_ELSEWHERE)):
            continue
        for method, operation in methods.items():
            given: dict[str, Any] = {}
            address, pairs = path, []
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    address = address.replace("{" + parameter["name"] + "}", encoded)
                elif takes_text(parameter["schema"]):
                    pairs.append(f"{parameter['name']}={encoded}")
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body:
                filled = filled_with(body["schema"], text, schemas)
                given = {"content": json.dumps(filled), "headers": AS_JSON}
            for query in dict.fromkeys(["&".join(pairs), *([] if path in SLOW else pairs)]):
                yield method, f"{address}?{query}", given


AS_JSON = {"Content-Type": "application/json"}


def takes_text(schema: dict[str, Any]) -> bool:
    kinds = [schema, *schema.get("anyOf", []), schema.get("items", {})]
    return any(kind.get("type") in ("string", "array") for kind in kinds)


def filled_with(schema: dict[str, Any], text: str, schemas: dict[str, Any]) -> Any:
    """A body of this shape, every text in it the same."""
    if "$ref" in schema:
        return filled_with(schemas[schema["$ref"].rsplit("/", 1)[-1]], text, schemas)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            kinds = [one for one in schema[choice] if one.get("type") != "null"]
            texts = [one for one in kinds if one.get("type") == "string"]
            return filled_with((texts or kinds)[0], text, schemas)
    if schema.get("type") == "object":
        if "properties" not in schema:
            return {text: 1}
        return {
            name: filled_with(part, text, schemas) for name, part in schema["properties"].items()
        }
    if schema.get("type") == "array":
        return [filled_with(schema["items"], text, schemas)]
    return {"integer": 1, "number": 1, "boolean": False}.get(schema.get("type", ""), text)


@pytest.mark.slow
@pytest.mark.parametrize("what", ASKED)
def test_no_question_breaks_the_server_or_opens_a_file(
    client: TestClient, atlas: Collection, what: str
) -> None:
    n_images = atlas.info().n_images
    for method, address, given in questions(client, ASKED[what]):
        answer = client.request(method, address, **given)
        assert answer.status_code < 500, (method, address[:200], answer.text)
        assert "root:" not in answer.text, (method, address[:200])
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        assert "html" not in answer.headers.get("content-type", "")
    assert atlas.info().n_images == n_images


@pytest.mark.parametrize("broken", ["%ff", "%ed%a0%80", "%00", "%c0%ae%c0%ae/", "..%2f..%2fetc"])
def test_addresses_that_are_no_text_are_refused(client: TestClient, broken: str) -> None:
    for route in ("images", "images/{}/thumbnail", "images/{}/picture", "regions/{}/crop"):
        address = f"{API}/{route.format(broken)}" if "{}" in route else f"{API}/{route}?{broken}"
        answer = client.get(f"{address}&where={broken}" if "?" in address else address)
        assert answer.status_code in (400, 404, 422)


@pytest.mark.parametrize(
    "body", [b"", b"[", b"\xff", b"null", b"[[[[" * 20_000, b'{"query": ' + b"9" * 10_000 + b"}"]
)
def test_a_body_that_is_no_json_is_refused(client: TestClient, body: bytes) -> None:
    for route in ("search", "decisions", "labels", "evaluate", "duplicates/not"):
        answer = client.post(f"{API}/{route}", content=body, headers=AS_JSON)
        assert answer.status_code in (400, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
