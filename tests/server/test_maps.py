"""A map as plain numbers."""

from __future__ import annotations

import numpy as np
from fastapi.testclient import TestClient

from bilderatlas.collection import Collection

API = "/api/v1"


def test_points_and_colours_come_as_numbers_in_one_order(
    client: TestClient, collection: Collection
) -> None:
    content = client.get(f"{API}/projection/pca-2/points").content
    n, dims, n_all, _ = np.frombuffer(content, "<u4", 4).tolist()
    assert (n, dims, n_all) == (32, 3, 32)
    coordinates = np.frombuffer(content, "<f4", n * dims, offset=16).reshape(n, dims)
    parts = np.frombuffer(content, "<i4", n, offset=16 + 4 * n * dims)
    ids = content[16 + 4 * n * (dims + 1) :]
    assert set(parts.tolist()) == {-1}
    made = collection.projection("pca-2")
    found = [ids[16 * i : 16 * i + 16].hex() for i in range(n)]
    rows = [made.region_ids.index(image_id) for image_id in found]
    assert np.array_equal(coordinates, made.coordinates[rows])
    labels = np.frombuffer(client.get(f"{API}/projection/pca-2/colours").content, "<i4")
    clustering = collection.clustering()
    own = [clustering.region_ids.index(image_id) for image_id in found]
    assert np.array_equal(labels, clustering.labels[own])


def test_numbers_are_not_sent_twice(client: TestClient) -> None:
    for name in ("points", "colours?by=year"):
        first = client.get(f"{API}/projection/pca-1/{name}")
        etag = first.headers["etag"]
        again = client.get(f"{API}/projection/pca-1/{name}", headers={"If-None-Match": etag})
        assert (first.status_code, again.status_code) == (200, 304)


def test_an_unknown_map_or_column_is_refused(client: TestClient) -> None:
    assert client.get(f"{API}/projection/none/points").status_code == 404
    assert client.get(f"{API}/projection/pca-1/colours?by=nothing").status_code == 400
