"""What looking at the clusters of many images costs, and deciding about them.

    python benchmarks/clusters.py [--n 200000] [--clusters 500]

The collection is real, on disk; its vectors and clusters are random.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import machine
import numpy as np
from queries import RandomEncoder

from bilderatlas.arrays import to_unit_length
from bilderatlas.collection import Collection
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage import Store, runs
from bilderatlas.storage.rows import ImageRow, PlaceRow
from bilderatlas.web.address import Address, Desk
from bilderatlas.web.query_pictures import QueryPictures
from bilderatlas.web.views import cluster, clusters

DIM = 64
N_AT_ONCE = 20_000


def fill(store: Store, encoder: RandomEncoder, n: int, n_clusters: int) -> None:
    """Write n images without thumbnails, and one run that has some noise."""
    store.add_space(encoder)
    rng = np.random.default_rng(0)
    ids = [f"{i:032x}" for i in range(n)]
    for start in range(0, n, N_AT_ONCE):
        some = ids[start : start + N_AT_ONCE]
        images = [ImageRow(i, 640, 480, "image/jpeg", None, 0, b"") for i in some]
        places = [PlaceRow(f"/pile/{i}.jpg", "/pile", i, 1, 0.0, 0, "{}") for i in some]
        vectors = to_unit_length(rng.normal(size=(len(some), DIM)))
        store.append(encoder.space, images, ImageEmbeddings(vectors, None), places)
    store.tidy()
    labels = rng.integers(-1, n_clusters, n).astype(np.int32)
    about = runs.describe(
        store, "cluster", "kmeans", {}, seed=0, space=encoder.space, kind="image", n_regions=n
    )
    runs.keep_clustering(store, about, ids, labels, rng.random(n).astype(np.float32))


def measure(atlas: Collection) -> None:
    """Look, decide, look again, and print how long each took."""
    desk = Desk(atlas, QueryPictures())

    def took(what: str, act: Callable[[], object]) -> None:
        start = time.perf_counter()
        act()
        print(f"{what:44s} {time.perf_counter() - start:6.2f} s", flush=True)

    took("embeddings read", lambda: atlas.embeddings())
    took("all clusters, first", lambda: clusters.page(desk, Address("/clusters", {})))
    took("all clusters, again", lambda: clusters.page(desk, Address("/clusters", {"page": "2"})))
    took("one cluster", lambda: cluster.page(desk, Address("/clusters/7", {}), "7"))
    moved = atlas.members(7, n=1)[0].region_id
    took("a picture moved", lambda: atlas.decide("move", moved, 8))
    took("one cluster after that", lambda: cluster.page(desk, Address("/clusters/7", {}), "7"))
    for i in range(20):
        atlas.decide("name", i, f"name {i}")
    took("a picture moved, after 20 more decisions", lambda: atlas.decide("move", moved, 9))


def main() -> None:
    """Print a table of seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200_000)
    parser.add_argument("--clusters", type=int, default=500)
    asked = parser.parse_args()
    print(machine.describe())
    with tempfile.TemporaryDirectory() as folder:
        encoder = RandomEncoder(DIM)
        store = Store.create(Path(folder) / "many.atlas")
        fill(store, encoder, asked.n, asked.clusters)
        measure(Collection(store, encoder=encoder))


if __name__ == "__main__":
    main()
