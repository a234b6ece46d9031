"""What was exported to Chroma, chromadb opens and queries with our own nearest neighbors."""

from __future__ import annotations

import builtins
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError, StoreError
from bilderatlas.indexing import texts
from bilderatlas.output import vector_database
from bilderatlas.output.vector_database import Entries
from bilderatlas.storage import Store
from tests.indexing.pile import draw, draw_many, new_collection
from tests.models.detectors.detectors import write_yolox
from tests.pictures import plain, put
from tests.toy_encoder import ToyEncoder

needs_chroma = pytest.mark.skipif(
    find_spec("chromadb") is None, reason="pip install 'bilderatlas[chroma]'"
)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nothing leaves the machine")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    """Six pictures of a table, with parts, metadata of every kind, and a space of titles."""
    n = 6
    for seed in range(n - 2):
        draw(tmp_path / "pictures" / f"{seed}.png", seed)
    for colour in ("red", "blue"):
        put(tmp_path / "pictures" / f"{colour}.png", plain(colour))
    names = [*(f"{seed}.png" for seed in range(n - 2)), "red.png", "blue.png"]
    table = {
        "path": [f"pictures/{name}" for name in names],
        "title": [*[None] * (n - 2), "a blue sea", "red"],
        "year": list(range(1900, 1900 + n)),
        "tags": [["old", "grey"]] * n,
        "sizes": [[[1], [2, 3]]] * n,
        "kind": ["print"] * n,
        "huge": [10**18] * n,
    }
    pq.write_table(pa.table(table), tmp_path / "table.parquet")
    detector = write_yolox(tmp_path / "one.onnx", {0: (0.5, 0.5, 0.3, 0.7, 0.9, 0)})
    atlas = new_collection(tmp_path / "toy.atlas")
    atlas.index(tmp_path / "table.parquet", find=["objects"], detector=detector)
    list(texts.reindex(Store.open(atlas.path), ToyEncoder(), "title"))
    return atlas


def opened(folder: Path) -> Any:
    """A folder of Chroma's, opened by chromadb itself."""
    import chromadb

    return chromadb.PersistentClient(folder)


@needs_chroma
@pytest.mark.usefixtures("no_network")
def test_chroma_finds_the_neighbors_that_we_find(tmp_path: Path) -> None:
    atlas = new_collection(tmp_path / "toy.atlas")
    atlas.index(draw_many(tmp_path / "pictures", 60))
    made = atlas.to_chroma(tmp_path / "chroma", prefix="shop")
    assert (made.collection, made.space, made.n_regions) == ("shop-image", "toy", 60)
    shop = opened(tmp_path / "chroma").get_collection("shop-image", embedding_function=None)
    ids, vectors = atlas.embeddings()
    for image_id, vector in list(zip(ids, vectors, strict=True))[:10]:
        ours = atlas.similar(image_id, k=10)
        theirs = shop.query(query_embeddings=[vector], n_results=11)
        assert theirs["ids"][0] == [image_id, *(hit.image_id for hit in ours)]
        distances = np.array(theirs["distances"][0][1:])
        np.testing.assert_allclose(1 - distances, [hit.score for hit in ours], atol=1e-4)


@needs_chroma
def test_a_region_takes_its_facts_and_metadata_along(atlas: Collection, tmp_path: Path) -> None:
    made = atlas.to_chroma(tmp_path / "chroma")
    assert made.as_json == ("sizes",)
    (hit,) = atlas.search("red", k=1)
    kept = opened(tmp_path / "chroma").get_collection("toy-image", embedding_function=None)
    part = kept.get([f"{hit.image_id}-1"])
    assert part["documents"] == [None]
    metadata = part["metadatas"][0]
    box = next(region.box for region in hit.regions if region.kind == "person")
    assert metadata.pop("box") == pytest.approx(box)
    (place_id,) = atlas.places([hit.image_id])["place_id"].to_pylist()
    assert metadata == {
        "path": str(tmp_path / "pictures" / "red.png"),
        "image_id": hit.image_id,
        "region_id": f"{hit.image_id}-1",
        "place_id": place_id,
        "kind": "person",
        "label": "person",
        "metadata_kind": "print",
        "title": "a blue sea",
        "year": 1904,
        "tags": ["old", "grey"],
        "sizes": "[[1], [2, 3]]",
        "huge": 10**18,
    }
    assert "title" not in kept.get(limit=1)["metadatas"][0]  # an empty value is left out
    assert kept.metadata == {"space": "toy", "encoder": "toy", "weights_hash": "0" * 32}


@needs_chroma
def test_a_space_of_texts_has_them_as_documents(atlas: Collection, tmp_path: Path) -> None:
    made = atlas.to_chroma(tmp_path / "chroma", prefix="shop", space="title-toy")
    assert (made.collection, made.n_regions) == ("shop-title", 2)
    titles = opened(tmp_path / "chroma").get_collection("shop-title", embedding_function=None)
    found = titles.query(query_embeddings=ToyEncoder().embed_texts(["red"]), n_results=2)
    assert found["documents"] == [["red", "a blue sea"]]
    assert Path(found["metadatas"][0][0]["path"]).stem == "blue"


@needs_chroma
def test_a_name_that_is_taken_is_refused_and_what_is_there_stays(
    atlas: Collection, tmp_path: Path
) -> None:
    atlas.to_chroma(tmp_path / "chroma")
    with pytest.raises(QueryError, match=r"'toy-image' already.*--prefix"):
        atlas.to_chroma(tmp_path / "chroma")
    atlas.to_chroma(tmp_path / "chroma", prefix="other")
    assert {one.name for one in opened(tmp_path / "chroma").list_collections()} == {
        "toy-image",
        "other-image",
    }


@needs_chroma
def test_a_broken_export_leaves_nothing(tmp_path: Path) -> None:
    def batches() -> Iterator[Entries]:
        yield Entries(["a"], np.ones((1, 1), np.float32), [{"n": 1}], ["one"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vector_database.write(tmp_path / "chroma", "half", {"space": "x"}, batches())
    assert opened(tmp_path / "chroma").list_collections() == []


@needs_chroma
def test_a_file_in_the_place_of_the_folder_is_refused(atlas: Collection, tmp_path: Path) -> None:
    put(tmp_path / "taken", b"")
    with pytest.raises(StoreError, match=r"cannot write to .*taken"):
        atlas.to_chroma(tmp_path / "taken")


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ("text", "text"),
        (True, True),
        (1.5, 1.5),
        (1 << 70, float(1 << 70)),
        ([1, 2], [1, 2]),
        ([1, "a"], '[1, "a"]'),
        ([None], "[null]"),
        ({"ä": 1}, '{"ä": 1}'),
        ([], None),
        (None, None),
    ],
)
def test_values_become_what_chroma_holds(given: Any, held: Any) -> None:
    assert vector_database.value(given) == held


@pytest.mark.parametrize(
    ("prefix", "field", "name"),
    [
        ("shop", "image", "shop-image"),
        ("a.b_c", "Größe (cm)", "a.b_c-Groe-cm"),
        ("shop", "題名", "shop-texts"),
    ],
)
def test_a_name_is_prefix_and_field_in_chromas_letters(prefix: str, field: str, name: str) -> None:
    assert vector_database.name_of(prefix, field) == name


@pytest.mark.parametrize("prefix", ["my shop", "-x", "é", "x" * 520])
def test_a_prefix_that_chroma_does_not_take_is_refused(prefix: str) -> None:
    with pytest.raises(QueryError, match=r"allows no collection.*3 to 512.*--prefix"):
        vector_database.name_of(prefix, "image")


def test_without_the_extra_the_export_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports = builtins.__import__

    def without_chromadb(name: str, *rest: Any) -> Any:
        if name.startswith("chromadb"):
            raise ImportError(name)
        return imports(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_chromadb)
    with pytest.raises(QueryError, match=r"pip install 'bilderatlas\[chroma\]'"):
        vector_database.write(tmp_path / "chroma", "a-image", {}, [])


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["--to", "milvus", "--output", "x"], "Nothing is exported to 'milvus'"),
        (["--to", "chroma"], "Name it with --output"),
        (["--prefix", "shop"], "go with --to chroma"),
        (["--to", "chroma", "--output", "x", "--map", "y"], "--to and --map are two exports"),
    ],
)
def test_the_command_line_refuses_half_an_export(
    tmp_path: Path, arguments: list[str], refusal: str
) -> None:
    from typer.testing import CliRunner

    from bilderatlas import cli

    new_collection(tmp_path / "c.atlas")
    done = CliRunner().invoke(cli.app, ["export", str(tmp_path / "c"), *arguments])
    assert isinstance(done.exception, QueryError)
    assert refusal in str(done.exception)


@needs_chroma
def test_the_command_line_exports(atlas: Collection, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from bilderatlas import cli

    folder = ["--to", "chroma", "--output", str(tmp_path / "chroma"), "--prefix", "shop"]
    done = CliRunner().invoke(cli.app, ["export", str(atlas.path), *folder, "--space", "title-toy"])
    assert f"2 regions of space title-toy: {tmp_path / 'chroma'}, shop-title." in done.stderr
    done = CliRunner().invoke(cli.app, ["export", str(atlas.path), *folder])
    assert "JSON texts: sizes." in done.stderr
