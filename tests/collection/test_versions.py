"""Versions of a collection: who reads which, while others write."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bilderatlas import storage as store_module
from bilderatlas.collection import Collection, refresh
from bilderatlas.errors import CollectionDamaged, StoreError, VersionGone
from bilderatlas.server import app
from bilderatlas.storage import Store
from bilderatlas.storage.catalogue import Catalogue
from tests.pictures import collect, plain, put
from tests.toy_encoder import ToyEncoder

API = "/api/v1"


@pytest.fixture
def writer(tmp_path: Path) -> Collection:
    """A collection of a red and a green picture, with a map."""
    for colour in ("red", "green"):
        put(tmp_path / "pile" / f"{colour}.png", plain(colour))
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.project("pca", dims=2)
    atlas.cluster("kmeans", k=2)
    return atlas


@pytest.fixture
def reader(writer: Collection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collection]:
    """Another process' view of it: refreshed, but never by itself."""
    monkeypatch.setattr(refresh, "LOOK_EVERY_S", 1000.0)
    reader = another(writer)
    with reader.background_refresh():
        yield reader


def another(atlas: Collection) -> Collection:
    return Collection(Store.open(atlas.path), encoder=ToyEncoder())


def add(atlas: Collection, colour: str) -> None:
    """Index another picture of a colour."""
    pile = atlas.path.parent / "pile"
    put(pile / f"{colour}.png", plain(colour, side=20))
    atlas.index(pile)


def remove_old_versions(atlas: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rewrite every table, and remove all versions but the newest."""
    monkeypatch.setattr(store_module, "KEPT_VERSIONS", timedelta(0))
    add(atlas, "blue")
    for table in ("images", "places", "regions", "embeddings/toy"):
        assert len(atlas._store._dataset(table).versions()) == 1


def names(atlas: Collection) -> list[str]:
    return [Path(image.path).stem for image in atlas.browse()]


@pytest.mark.parametrize(
    "ask",
    [
        lambda atlas: atlas.search("red"),
        lambda atlas: atlas.search("red", where="width > 0"),
        lambda atlas: atlas.similar(str(atlas.path.parent / "pile" / "red.png")),
        lambda atlas: atlas.browse("date"),
        lambda atlas: atlas.listed("newest"),
        lambda atlas: atlas.facets(),
        lambda atlas: atlas.map_points(),
        lambda atlas: atlas.map_colours(color_by="width"),
        lambda atlas: atlas.cluster_shapes(),
        lambda atlas: atlas.labels(),
        lambda atlas: atlas.unlabelled(),
        lambda atlas: atlas.embeddings(),
        lambda atlas: atlas.duplicates(),
        lambda atlas: atlas.kinds_of_images(),
        lambda atlas: list(atlas.all_images()),
        lambda atlas: atlas.export(atlas.path.parent / "images.csv"),
        lambda atlas: atlas.map_page(atlas.path.parent / "map.html"),
        lambda atlas: atlas.contact_sheets(atlas.path.parent / "sheets"),
    ],
)
def test_a_reader_whose_version_is_gone_reads_again(
    ask: Callable[[Collection], Any],
    writer: Collection,
    reader: Collection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert reader._space().catalogue.is_current()  # at hand, but nothing of it is read
    remove_old_versions(writer, monkeypatch)
    ask(reader)


def test_thumbnails_outlive_their_version(
    writer: Collection, reader: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [image.image_id for image in writer.browse()]
    before = reader.thumbnails(ids)
    remove_old_versions(writer, monkeypatch)
    assert reader.thumbnails(ids) == before
    assert len(reader.thumbnails([image.image_id for image in writer.browse()])) == 3


def test_a_long_export_goes_on_behind_the_end_of_its_version(
    writer: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = another(writer)
    monkeypatch.setattr("bilderatlas.collection.STRETCH", 1)
    images = reader.all_images()
    first = next(images)
    remove_old_versions(writer, monkeypatch)
    assert [Path(image.path).stem for image in (first, *images)] == ["green", "red"]


def test_a_verb_that_writes_is_not_done_twice(
    writer: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_asked = 0

    def gone(*_: object, **__: object) -> None:
        nonlocal n_asked
        n_asked += 1
        raise VersionGone("gone")

    monkeypatch.setattr(Catalogue, "embeddings_of", gone)
    with pytest.raises(VersionGone):
        writer.cluster("kmeans", k=2)
    assert n_asked == 1
    with pytest.raises(StoreError, match="replaced once more"):
        writer.embeddings()
    assert n_asked == 3


def test_a_damaged_table_is_no_version_that_is_gone(writer: Collection) -> None:
    for file in (writer.path / "images.lance" / "data").iterdir():
        file.unlink()
    reader = another(writer)
    with pytest.raises(CollectionDamaged):  # which is no VersionGone, to be asked again
        reader.thumbnails([reader._space().catalogue.image_ids[0].as_py()])


# -- reading beside


def test_what_this_process_wrote_is_found_at_once(writer: Collection) -> None:
    with writer.background_refresh():
        assert names(writer) == ["green", "red"]
        add(writer, "blue")
        assert names(writer) == ["blue", "green", "red"]
        assert writer.search("blue")[0].path.endswith("blue.png")


def test_what_another_process_wrote_is_found_soon(
    writer: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = another(writer)
    with reader.background_refresh():
        assert names(reader) == ["green", "red"]
        add(writer, "blue")
        deadline = time.monotonic() + 20
        while names(reader) != ["blue", "green", "red"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    add(writer, "yellow")
    assert "yellow" in names(reader)  # at once, where nobody refreshes it


def test_nobody_waits_while_the_next_version_is_read(
    writer: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, may_go_on = threading.Event(), threading.Event()
    get_ready = Catalogue.get_ready

    def slowly(catalogue: Catalogue, like: Catalogue) -> None:
        reading.set()
        assert may_go_on.wait(60)
        get_ready(catalogue, like)

    monkeypatch.setattr(Catalogue, "get_ready", slowly)
    reader = another(writer)
    with reader.background_refresh():
        assert len(reader.search("red")) == 2
        at_hand = reader._space().catalogue
        add(writer, "blue")
        assert reading.wait(60)
        assert len(reader.search("blue")) == 2
        assert reader._space().catalogue is at_hand
        may_go_on.set()
        while reader._space().catalogue is at_hand:
            time.sleep(0.01)
        assert len(reader.search("blue")) == 3


def test_the_next_version_has_read_what_was_asked_of_the_last(
    writer: Collection, reader: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.search("red", where="width > 0")
    reader.browse("random", seed=3)
    add(writer, "blue")
    space = reader._space()
    space.refresh()
    assert space.catalogue.is_current()
    monkeypatch.setattr(Store, "read", refused)
    monkeypatch.setattr(Store, "read_vectors", refused)
    monkeypatch.setattr("bilderatlas.analysis.calibration.measure", refused)
    monkeypatch.setattr("bilderatlas.collection.browse._values", refused)
    assert len(reader.search("blue", where="width > 0")) == 3
    assert len(reader.browse("random", seed=3)) == 3


def refused(*_: object, **__: object) -> None:
    raise AssertionError("somebody who asks waits for this")


def test_a_version_that_cannot_be_read_is_tried_again(
    writer: Collection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [VersionGone("gone"), StoreError("the disk is away")]
    get_ready = Catalogue.get_ready

    def failing(catalogue: Catalogue, like: Catalogue) -> None:
        if failures:
            raise failures.pop()
        get_ready(catalogue, like)

    monkeypatch.setattr(Catalogue, "get_ready", failing)
    reader = another(writer)
    with reader.background_refresh():
        assert len(reader.search("red")) == 2
        add(writer, "blue")
        deadline = time.monotonic() + 60
        while len(reader.search("red")) == 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert not failures
    assert "the disk is away" in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_where_nothing_is_read_beside_any_more_whoever_asks_reads(
    writer: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(Catalogue, "get_ready", broken)
    reader = another(writer)
    with reader.background_refresh():
        assert len(reader.search("red")) == 2
        add(writer, "blue")
        deadline = time.monotonic() + 60
        while len(reader.search("red")) == 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)


# -- what a server says of it


def test_an_etag_is_not_that_of_pictures_which_the_answer_lacks(
    writer: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "LOOK_EVERY_S", 1000.0)
    reader = another(writer)
    with TestClient(app.create(reader), base_url="http://127.0.0.1") as client:
        first = client.get(f"{API}/images")
        add(writer, "blue")
        behind = client.get(f"{API}/images")
        reader._space().refresh()
        etag = {"If-None-Match": behind.headers["etag"]}
        caught_up = client.get(f"{API}/images", headers=etag)
    assert [answer.json()["n_images"] for answer in (first, behind, caught_up)] == [2, 2, 3]
    tags = [answer.headers["etag"] for answer in (first, behind, caught_up)]
    assert len({*tags}) == 3
    assert (
        tags[2]
        == TestClient(app.create(another(writer)), base_url="http://127.0.0.1")
        .get(f"{API}/images")
        .headers["etag"]
    )


def test_a_server_refreshes_its_collection(writer: Collection) -> None:
    reader = another(writer)
    with TestClient(app.create(reader), base_url="http://127.0.0.1") as client:
        assert client.get(f"{API}/images").json()["n_images"] == 2
        assert reader._space().is_refreshed
        add(writer, "blue")
        deadline = time.monotonic() + 20
        while client.get(f"{API}/images").json()["n_images"] == 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert not reader._space().is_refreshed
