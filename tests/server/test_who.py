"""Who decided is whose key it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from bilderatlas.server import app
from bilderatlas.server.routes import SUBJECTS
from bilderatlas.server.routes.dependencies import who_asks
from tests.pictures import collect, plain, put
from tests.server.auth.keyed import ACCESS, EDITOR, bearer

ROUTES = [route for subject in SUBJECTS for route in subject.routes.routes]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    for colour in ("red", "green"):
        for side in (8, 9, 10):
            put(tmp_path / "pile" / f"{colour}-{side}.png", plain(colour, side=side))
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.cluster("kmeans", k=2)
    keyed = app.create(atlas, ACCESS)
    with TestClient(keyed, base_url="http://127.0.0.1", headers=bearer(EDITOR)) as client:
        yield client


def test_the_name_of_the_key_is_kept_whatever_the_request_says(client: TestClient) -> None:
    asked = {"verb": "name", "what": [0, "Poppies"], "who": "somebody else"}
    decision = client.post("/api/v1/decisions", json=asked).json()["decision"]
    assert decision["who"] == "anna"
    image_id = client.get("/api/v1/images?n=1").json()["images"][0]["image_id"]
    labelled = {"images": [image_id], "label": "warm", "who": "somebody else"}
    assert client.post("/api/v1/labels", json=labelled).status_code == 200
    kept = client.get("/api/v1/decisions").json()["decisions"]
    assert {each["who"] for each in kept} == {"anna"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: getattr(route, "name", "?"))
def test_no_route_takes_a_name_from_the_request_alone(route: APIRoute) -> None:
    bodies = [field.field_info.annotation for field in route.dependant.body_params]
    takes_name = any("who" in getattr(body, "model_fields", {}) for body in bodies)
    asks = {each.call for each in route.dependant.dependencies}
    assert who_asks in asks or not takes_name
