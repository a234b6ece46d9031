"""What the store promises its callers beside surviving kills (tests/indexing)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bilderatlas import store as store_module
from bilderatlas.errors import EncoderMismatch
from bilderatlas.results import Space
from bilderatlas.store import Store
from bilderatlas.store.disk import size_of
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
    described.write_text(described.read_text().replace(',\n      "field": null', ""))
    assert "field" not in described.read_text()
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
