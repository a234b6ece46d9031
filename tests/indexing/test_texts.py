"""Texts of a table, and words found in pictures, are spaces that are asked like pictures."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bilderatlas.collection import Collection
from bilderatlas.errors import EncoderMismatch, ImageNotFound, QueryError
from bilderatlas.indexing import texts
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.results import Coverage, ReindexSummary
from bilderatlas.storage import Store
from bilderatlas.storage.rows import Parts, RegionRow
from tests.indexing.pile import draw, new_collection, open_collection
from tests.indexing.test_reindex import Killed, dying
from tests.pictures import plain, put
from tests.toy_encoder import ToyEncoder

# A title says another colour than its picture has, so that no answer can come from the picture.
TITLES = {"white": "a red house", "black": "the blue sea", "cyan": "green", "grey": "  "}


def write_table(folder: Path, titles: Mapping[str, object], column: str = "title") -> Path:
    for colour in titles:
        put(folder / f"{colour}.png", plain(colour))
    rows = "".join(f'{colour}.png,"{title}"\n' for colour, title in titles.items())
    return put(folder / "table.csv", f"path,{column}\n{rows}".encode())


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(write_table(tmp_path, TITLES))
    return atlas


def reindexed(atlas: Collection, field: str = "title") -> ReindexSummary:
    summary = list(texts.reindex(Store.open(atlas.path), ToyEncoder(), field))[-1]
    assert isinstance(summary, ReindexSummary)
    return summary


def names(hits: object) -> list[str]:
    return [Path(hit.path).stem for hit in hits]


def stored(atlas: Collection, space: str = "title-toy") -> dict[str, str]:
    """File name -> the text that was embedded."""
    rows = Store.open(atlas.path).read(f"embeddings/{space}").to_pylist()
    paths = atlas.paths([row["region_id"] for row in rows])
    return {Path(path).stem: row["text"] for path, row in zip(paths, rows, strict=True)}


def test_words_find_images_by_their_texts(atlas: Collection) -> None:
    summary = reindexed(atlas)
    assert (summary.space, summary.field, summary.n_embedded) == ("title-toy", "title", 3)
    assert not summary.is_active
    assert names(atlas.search("red", space="title-toy")) == ["white", "black", "cyan"]
    assert atlas.search("red")[0].score == pytest.approx(3**-0.5)  # of a white picture, as before
    assert atlas.search("red", space="title-toy")[0].score == pytest.approx(1)


def test_a_result_says_which_text_matched_and_that_it_was_one(atlas: Collection) -> None:
    reindexed(atlas)
    hit = atlas.search("red", space="title-toy")[0]
    assert [(one.text, one.kind) for one in hit.regions] == [("a red house", "image")]
    assert hit.matched_by == "meaning"
    assert atlas.search("red")[0].matched_by == "picture"


def test_images_without_a_text_are_counted_and_have_no_row(atlas: Collection) -> None:
    assert reindexed(atlas).n_without_text == 1
    assert set(stored(atlas)) == {"white", "black", "cyan"}


def test_similar_means_texts_of_like_meaning(atlas: Collection, tmp_path: Path) -> None:
    write_table(tmp_path, TITLES | {"yellow": "red car"})
    atlas.index(tmp_path / "table.csv")
    reindexed(atlas)
    assert names(atlas.similar(str(tmp_path / "white.png"), space="title-toy"))[0] == "yellow"
    with pytest.raises(ImageNotFound, match=r"title-toy.*grey.png: it has no text in 'title'"):
        atlas.similar(str(tmp_path / "grey.png"), space="title-toy")


def test_a_picture_finds_texts_where_the_encoder_reads_both(
    atlas: Collection, tmp_path: Path
) -> None:
    reindexed(atlas)
    put(tmp_path / "q.png", plain("red"))
    assert names(atlas.search(image=tmp_path / "q.png", space="title-toy", k=1)) == ["white"]


def test_texts_are_clustered_and_mapped_like_pictures(tmp_path: Path) -> None:
    colours = ["red", "green", "blue", "cyan", "magenta", "yellow", "black", "white"]
    titles = {colour: ("red" if i % 2 else "blue") for i, colour in enumerate(colours)}
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(write_table(tmp_path, titles))
    reindexed(atlas)
    made = atlas.cluster("kmeans", k=2, space="title-toy")
    paths = atlas.paths(list(made.region_ids))
    red = [titles[Path(path).stem] == "red" for path in paths]
    assert len({(label, is_red) for label, is_red in zip(made.labels, red, strict=True)}) == 2
    assert made.about.space == "title-toy"
    assert atlas.project("pca", space="title-toy").coordinates.shape == (8, 2)
    assert atlas.embeddings(space="title-toy")[1].shape == (8, 16)


def test_different_texts_of_an_images_places_are_joined(tmp_path: Path) -> None:
    put(tmp_path / "a.png", plain("red"))
    for copy in ("b.png", "c.png"):
        shutil.copy(tmp_path / "a.png", tmp_path / copy)
    rows = "a.png,one\nb.png,two\nc.png,one\n"
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(put(tmp_path / "table.csv", f"path,title\n{rows}".encode()))
    reindexed(atlas)
    assert stored(atlas) == {"a": "one\ntwo"}


def test_changed_texts_are_embedded_again_and_others_are_not(
    atlas: Collection, tmp_path: Path
) -> None:
    reindexed(atlas)
    write_table(tmp_path, {"white": "a red house", "black": "yellow", "cyan": "", "grey": "new"})
    atlas.index(tmp_path / "table.csv")
    assert atlas.info().coverage[1] == Coverage("title-toy", 3, n_missing=2)
    summary = reindexed(atlas)
    assert (summary.n_kept, summary.n_outdated, summary.n_embedded) == (1, 2, 2)
    assert stored(atlas) == {"white": "a red house", "black": "yellow", "grey": "new"}
    assert atlas.info().coverage[1] == Coverage("title-toy", 3, n_missing=0)


def test_an_absent_column_is_refused_with_those_there_are(atlas: Collection) -> None:
    with pytest.raises(QueryError, match=r"no column 'titel'. They have: title\."):
        reindexed(atlas, "titel")
    with pytest.raises(QueryError, match="--find text"):
        reindexed(atlas, "text")


def test_a_column_without_a_text_is_refused(tmp_path: Path) -> None:
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(write_table(tmp_path, {"red": "", "blue": " "}))
    with pytest.raises(QueryError, match="'title' is empty"):
        reindexed(atlas)
    assert [space.space for space in atlas.info().spaces] == ["toy"]


def test_a_column_called_text_is_not_the_words_in_pictures(tmp_path: Path) -> None:
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(write_table(tmp_path, {"red": "blue"}, column="text"))
    assert reindexed(atlas, "metadata_text").n_embedded == 1


def test_numbers_and_lists_are_texts_too(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    put(tmp_path / "a.png", plain("red"))
    rows = {"path": ["a.png"], "year": [1984], "tags": [["red", None, "sea"]], "odd": [{"a": 1}]}
    pq.write_table(pa.table(rows), tmp_path / "table.parquet")
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(tmp_path / "table.parquet")
    for field in ("year", "tags", "odd"):
        reindexed(atlas, field)
    assert stored(atlas, "year-toy") == {"a": "1984"}
    assert stored(atlas, "tags-toy") == {"a": "red, sea"}
    assert stored(atlas, "odd-toy") == {"a": '{"a": 1}'}


def test_texts_of_other_weights_are_never_mixed(atlas: Collection) -> None:
    reindexed(atlas)
    other = ToyEncoder(weights_hash="1" * 32)
    with pytest.raises(EncoderMismatch, match="hash 11111111"):
        list(texts.reindex(Store.open(atlas.path), other, "title"))


def test_a_kill_between_any_two_writes_is_completed_by_the_next_run(
    tmp_path: Path, atlas: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reindexed(atlas)
    write_table(tmp_path, TITLES | {"black": "yellow", "grey": "now"})
    atlas.index(tmp_path / "table.csv")
    monkeypatch.setattr(texts, "COMMIT_EVERY", 1)
    for n_allowed in range(20):
        killed = tmp_path / f"{n_allowed}.atlas"
        shutil.copytree(atlas.path, killed)
        with monkeypatch.context() as patches:
            left = [n_allowed]
            for name in ("make", "_append", "delete", "tidy"):
                patches.setattr(Store, name, dying(getattr(Store, name), left))
            with suppress(Killed):
                reindexed(open_collection(killed))
        reindexed(open_collection(killed))
        texts_now = {"white": "a red house", "black": "yellow", "cyan": "green", "grey": "now"}
        assert stored(open_collection(killed)) == texts_now
        if left[0] > 0:
            return
    raise AssertionError("more writes than were thought of")


@pytest.fixture
def worded(tmp_path: Path) -> Collection:
    """Two pictures, one of them with two blocks of words and a thing."""
    atlas = new_collection(tmp_path / "c.atlas")
    draw(tmp_path / "pile" / "a.png", 1)
    draw(tmp_path / "pile" / "b.png", 2)
    atlas.index(tmp_path / "pile")
    image_id = atlas.image(atlas.search("red", k=2)[0].image_id).image_id
    box = (0.1, 0.1, 0.5, 0.5)
    rows = [
        RegionRow(f"{image_id}-1", image_id, "text", None, box, 0.9, "red"),
        RegionRow(f"{image_id}-2", image_id, "text", None, box, 0.9, "red blue"),
        RegionRow(f"{image_id}-3", image_id, "object", "cup", box, 0.9, None),
    ]
    vectors = np.repeat(ToyEncoder().embed_texts(["grey"]), 3, axis=0)
    store = Store.open(atlas.path)
    with store.writing():
        parts = Parts(rows, ImageEmbeddings(vectors, None), "rapidocr")
        store.replace_parts("toy", [image_id], parts)
    return atlas


def test_words_found_in_pictures_are_a_space_of_regions(worded: Collection) -> None:
    summary = reindexed(worded, "text")
    assert (summary.space, summary.n_embedded, summary.n_without_text) == ("text-toy", 2, 1)
    (hit,) = worded.search("red", space="text-toy")
    assert hit.score == pytest.approx(1)
    assert {region.text for region in hit.regions} == {"red", "red blue"}
    ids, vectors = worded.embeddings(space="text-toy")
    assert {one.rpartition("-")[2] for one in ids} == {"1", "2"}
    assert vectors.shape == (2, 16)
    assert not worded.similar(hit.image_id, space="text-toy")  # no other image has words


@pytest.mark.model
def test_index_keeps_the_space_of_words_complete(tmp_path: Path) -> None:
    from PIL import ImageFont

    def write(name: str, words: str) -> None:
        page = Image.new("RGB", (400, 120), "white")
        font = ImageFont.load_default(size=48)
        ImageDraw.Draw(page).text((20, 30), words, fill="black", font=font)
        put(tmp_path / "pages" / name, b"")
        page.save(tmp_path / "pages" / name)

    write("a.png", "BICYCLE")
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(tmp_path / "pages", find=["text"])
    write("b.png", "SOUP")
    atlas.index(tmp_path / "pages")
    assert atlas.info().coverage[1] == Coverage("text-builtin-text", 2, n_missing=0)
    assert names(atlas.search("bike", space="text-builtin-text", k=1)) == ["a"]
