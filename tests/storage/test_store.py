"""What the store promises its callers beside surviving kills (tests/indexing)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bilderatlas import storage as store_module
from bilderatlas.collection import Collection
from bilderatlas.errors import EncoderMismatch
from bilderatlas.results import Space
from bilderatlas.storage import Store, replaced
from bilderatlas.storage.disk import size_of
from tests.pictures import collect, plain, put
from tests.toy_encoder import ToyEncoder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "c.atlas")


def test_what_another_process_wrote_is_read(store: Store) -> None:
    other = Store.open(store.path)
    store.add_space(ToyEncoder())
    assert other.active_space == store.active_space
    other.mark_unfinished(True)
    store.activate(store.space_for(ToyEncoder("second", "second")).space)
    assert store.is_unfinished
    assert other.active_space is not None
    assert other.active_space.space == "second"


def test_the_first_space_is_active_and_further_ones_stand_beside_it(store: Store) -> None:
    first = store.add_space(ToyEncoder())
    second = store.space_for(ToyEncoder("other", "other", weights_hash="1" * 32))
    assert list(store.spaces) == ["toy", "other"]
    assert store.active_space == first
    assert second == store.space_for(ToyEncoder("other", "other", weights_hash="1" * 32))


def test_other_weights_under_the_same_name_are_refused(store: Store) -> None:
    store.add_space(ToyEncoder())
    other = replace(ToyEncoder(), weights_hash="1" * 32)
    with pytest.raises(EncoderMismatch, match=r"hash 11111111, was 00000000\).*folder of another"):
        store.space_for(other)
    with pytest.raises(EncoderMismatch, match="hash 11111111"):
        store.add_space(other)


def test_another_encoder_is_told_how_to_have_a_space_of_its_own(store: Store) -> None:
    store.add_space(ToyEncoder())
    with pytest.raises(EncoderMismatch, match="bilderatlas reindex c --encoder other"):
        store.add_space(ToyEncoder("other", "other"))


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("title", "title-toy"),
        ("Product name!", "product-name-toy"),
        ("Größe", "größe-toy"),
        ("  ", "texts-toy"),
    ],
)
def test_a_space_of_texts_is_named_by_field_and_encoder(
    store: Store, field: str, name: str
) -> None:
    made = store.space_for(ToyEncoder(joint_dim=4), field)
    assert made == Space(name, "toy", "0" * 32, 4, None, True, field)  # as its words
    assert made.usual_kind == "image"
    assert store.active_space is None


def test_fields_that_are_spelled_alike_have_spaces_of_their_own(store: Store) -> None:
    made = [store.space_for(ToyEncoder(), field).space for field in ("Title", "title", "title!")]
    assert made == ["title-toy", "title-2-toy", "title-3-toy"]
    assert store.space_for(ToyEncoder(), "title").space == "title-2-toy"


def test_a_description_of_older_versions_has_no_fields(store: Store) -> None:
    store.add_space(ToyEncoder())
    described = store.path / "atlas.json"
    stated = json.loads(described.read_text())
    del stated["checksum"], stated["spaces"]["toy"]["field"]
    described.write_text(json.dumps(stated))
    again = Store.open(store.path).active_space
    assert again is not None
    assert again.field is None


def test_what_is_large_enough_is_never_copied_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "FRAGMENT_ROWS", 3)
    for side in (8, 9, 10):
        put(tmp_path / "pile" / f"{side}.png", plain("red", side=side))
    atlas = collect(tmp_path, tmp_path / "pile")
    files = atlas.path / "images.lance" / "data"
    first = set(files.iterdir())
    for side in (11, 12):
        put(tmp_path / "pile" / f"{side}.png", plain("red", side=side))
        atlas.index(tmp_path / "pile")
    in_use = {
        file.path
        for fragment in atlas._store._dataset("images").get_fragments()
        for file in fragment.data_files()
    }
    assert {file.name for file in first} & in_use
    assert len(in_use) == 2  # the three, and the later two together


def test_versions_are_kept_by_when_they_were_replaced() -> None:
    made_at = {3: 100.0, 4: 200.0, 5: 9000.0, 7: 9500.0}  # 6 is gone already
    assert replaced(made_at, 150.0) == []
    assert replaced(made_at, 200.0) == [3]
    assert replaced(made_at, 8999.0) == [3]  # 4 was the newest until 9000
    assert replaced(made_at, 9999.0) == [3, 4, 5]
    assert replaced({}, 1.0) == []


def test_in_an_old_collection_the_version_of_a_reader_outlives_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of who tidies is ten hours ahead of what was written up to a moment."""
    put(tmp_path / "pile" / "red.png", plain("red"))
    atlas = collect(tmp_path, tmp_path / "pile")
    store, tables = atlas._store, ("images", "places", "regions", "embeddings/toy")
    read_by_someone = {table: store.version(table) for table in tables}
    made_before = time.time()

    def aged(made_at: Mapping[int, float], before: float) -> list[int]:
        ten_hours = {v: t - 36_000 if t < made_before else t for v, t in made_at.items()}
        return replaced(ten_hours, before)

    monkeypatch.setattr(store_module, "replaced", aged)
    put(tmp_path / "pile" / "blue.png", plain("blue"))
    atlas.index(tmp_path / "pile")
    for table, version in read_by_someone.items():
        assert store.version(table) > version
        assert store.read(table, version=version).num_rows == 1
        assert store._dataset(table).versions()[0]["version"] == version  # older ones are gone


def test_what_was_replaced_long_ago_takes_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas = Collection(Store.create(tmp_path / "toy.atlas"), encoder=ToyEncoder())
    for n in range(4):
        put(tmp_path / "pile" / f"{n}.png", plain("red", side=16 + n))
        atlas.index(tmp_path / "pile")
    before = size_of(atlas.path)
    monkeypatch.setattr(store_module, "KEPT_VERSIONS", timedelta(0))
    with atlas._store.writing():
        atlas._store.tidy()
    assert size_of(atlas.path) < before / 2
    assert all(len(atlas._store._dataset(t).versions()) == 1 for t in ("images", "regions"))


def test_a_file_that_goes_while_sizes_are_summed_counts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stays").write_bytes(bytes(100))
    (tmp_path / "goes").write_bytes(bytes(10))
    is_file = Path.is_file

    def seen_as_it_goes(path: Path) -> bool:
        was_file = is_file(path)
        (tmp_path / "goes").unlink(missing_ok=True)
        return was_file

    monkeypatch.setattr(Path, "is_file", seen_as_it_goes)
    assert size_of(tmp_path) == 100
