"""The app of one small collection, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from bilderatlas.collection import Collection
from bilderatlas.server import app
from tests.server.coloured import make_collection


@pytest.fixture(scope="session")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_collection(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="session")
def client(collection: Collection) -> Iterator[TestClient]:
    with TestClient(app.create(collection), base_url="http://127.0.0.1") as client:
        yield client
