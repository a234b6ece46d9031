"""What one run of `index` after another makes of a pile that changes."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import CollectionBusy, EncoderMismatch, SourceError
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage import Store
from tests.indexing.pile import draw, draw_many, new_collection, open_collection, state
from tests.toy_encoder import ToyEncoder


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    return draw_many(tmp_path / "pile", 5)


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    return new_collection(tmp_path / "c.atlas")


class CountingEncoder(ToyEncoder):
    """A toy encoder that counts the pictures it is shown."""

    n_shown = 0

    def embed_images(self, pixels: np.ndarray) -> ImageEmbeddings:
        self.n_shown += len(pixels)
        return super().embed_images(pixels)


def test_indexing_finds_every_picture(atlas: Collection, pile: Path) -> None:
    summary = atlas.index(pile)
    assert (summary.n_images, summary.n_new, summary.n_problems) == (5, 5, 0)
    assert sorted(facts.path for facts in atlas.all_images()) == sorted(map(str, pile.iterdir()))


def test_a_second_run_embeds_nothing(tmp_path: Path, pile: Path) -> None:
    encoder = CountingEncoder()
    atlas = Collection(Store.create(tmp_path / "c.atlas"), encoder=encoder)
    atlas.index(pile)
    summary = atlas.index(pile)
    assert encoder.n_shown == 5
    assert (summary.n_new, summary.n_unchanged, summary.n_images) == (0, 5, 5)


def test_a_renamed_file_is_known_by_its_content(tmp_path: Path, pile: Path) -> None:
    encoder = CountingEncoder()
    atlas = Collection(Store.create(tmp_path / "c.atlas"), encoder=encoder)
    atlas.index(pile)
    (pile / "0003.png").rename(pile / "renamed.png")
    summary = atlas.index(pile)
    assert encoder.n_shown == 5
    counts = (summary.n_moved, summary.n_new, summary.n_copies, summary.n_missing, summary.n_images)
    assert counts == (1, 0, 0, 0, 5)
    paths = {Path(facts.path).name for facts in atlas.all_images()}
    assert "renamed.png" in paths
    assert "0003.png" not in paths


def test_a_folder_moved_inside_its_source_is_followed(atlas: Collection, tmp_path: Path) -> None:
    root = tmp_path / "root"
    draw_many(root / "old", 4)
    atlas.index(root)
    (root / "old").rename(root / "new")
    summary = atlas.index(root)
    assert (summary.n_moved, summary.n_missing, summary.n_images) == (4, 0, 4)


def test_a_copy_is_a_further_place_of_one_image(atlas: Collection, pile: Path) -> None:
    shutil.copy(pile / "0000.png", pile / "copy.png")
    summary = atlas.index(pile)
    assert (summary.n_images, summary.n_new, summary.n_copies) == (5, 5, 1)
    image = atlas.similar(str(pile / "0001.png"), k=4)
    assert len({hit.image_id for hit in image}) == 4
    assert len(atlas.image(atlas.search(image=pile / "copy.png", k=1)[0].image_id).paths) == 2


def test_a_source_that_was_renamed_is_followed(atlas: Collection, tmp_path: Path) -> None:
    draw_many(tmp_path / "old", 4)
    atlas.index(tmp_path / "old")
    atlas.label([str(tmp_path / "old" / "0000.png")], "kept")
    (tmp_path / "old").rename(tmp_path / "new")
    summary = atlas.index(tmp_path / "new")
    assert (summary.n_moved, summary.n_copies, summary.n_missing) == (4, 0, 0)
    assert (atlas.info().n_images, atlas.info().n_places) == (4, 4)
    assert atlas.info().sources == (str(tmp_path / "new"),)
    assert [atlas.images([i])[0].path for i in atlas.labelled()] == [
        str(tmp_path / "new" / "0000.png")
    ]


def test_a_copy_of_a_source_that_is_still_there_is_a_copy(
    atlas: Collection, tmp_path: Path
) -> None:
    atlas.index(draw_many(tmp_path / "first", 4))
    summary = atlas.index(draw_many(tmp_path / "second", 4))
    assert (summary.n_moved, summary.n_copies) == (0, 4)
    (tmp_path / "first").rename(tmp_path / "away")  # a disk that is not mounted, say
    assert atlas.index(tmp_path / "second").n_moved == 0
    assert atlas.info().n_places == 8


def test_losing_one_of_two_copies_is_missing_not_moved(atlas: Collection, pile: Path) -> None:
    shutil.copy(pile / "0000.png", pile / "copy.png")
    atlas.index(pile)
    (pile / "copy.png").unlink()
    summary = atlas.index(pile, prune=True)
    assert (summary.n_missing, summary.n_moved, summary.n_pruned) == (1, 0, 0)
    assert summary.n_images == 5


def test_a_changed_file_is_embedded_again_and_its_old_picture_leaves(
    atlas: Collection, pile: Path
) -> None:
    atlas.index(pile)
    draw(pile / "0002.png", seed=99)
    os.utime(pile / "0002.png", (1, 1))
    summary = atlas.index(pile)
    assert (summary.n_changed, summary.n_new, summary.n_images) == (1, 0, 5)
    best = atlas.search(image=pile / "0002.png", k=1)[0]
    assert best.path == str(pile / "0002.png")
    assert best.score == pytest.approx(1, abs=1e-5)


def test_a_touched_file_is_unchanged(atlas: Collection, pile: Path) -> None:
    atlas.index(pile)
    os.utime(pile / "0002.png", (1, 1))
    assert atlas.index(pile).n_unchanged == 5
    assert atlas.index(pile).n_unchanged == 5


def test_deleted_files_leave_results_only_with_prune(atlas: Collection, pile: Path) -> None:
    atlas.index(pile)
    (pile / "0004.png").unlink()
    kept = atlas.index(pile)
    assert (kept.n_missing, kept.n_pruned, kept.n_images) == (1, 0, 5)
    pruned = atlas.index(pile, prune=True)
    assert (pruned.n_missing, pruned.n_pruned, pruned.n_images) == (1, 1, 4)
    assert len(atlas.embeddings()[0]) == 4


def test_prune_spares_other_sources(atlas: Collection, pile: Path, tmp_path: Path) -> None:
    other = draw_many(tmp_path / "other", 2, side=16)
    atlas.index(pile, other)
    shutil.rmtree(other)
    assert atlas.index(pile, prune=True).n_images == 7


def test_an_unreadable_picture_is_a_problem_until_it_is_mended(
    atlas: Collection, pile: Path
) -> None:
    broken = pile / "broken.png"
    broken.write_bytes((pile / "0000.png").read_bytes()[:200])
    (pile / "empty.jpg").touch()
    (pile / "text.jpg").write_text("a letter, not a picture")
    summary = atlas.index(pile)
    assert (summary.n_images, summary.n_problems) == (5, 3)
    reasons = {Path(p.uri).name: p.reason for p in atlas.problems()}
    assert "cut off" in reasons["broken.png"]
    assert "empty" in reasons["empty.jpg"]
    assert "not a picture" in reasons["text.jpg"]
    draw(broken, seed=77)
    assert atlas.index(pile).n_new == 1
    assert {Path(p.uri).name for p in atlas.problems()} == {"empty.jpg", "text.jpg"}
    (pile / "empty.jpg").unlink()
    atlas.index(pile)
    assert {Path(p.uri).name for p in atlas.problems()} == {"text.jpg"}


def test_a_picture_that_breaks_later_leaves_its_place(atlas: Collection, pile: Path) -> None:
    atlas.index(pile)
    (pile / "0001.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    summary = atlas.index(pile, prune=True)
    assert (summary.n_problems, summary.n_missing, summary.n_pruned) == (1, 1, 1)


def test_numbers_that_are_not_finite_become_a_problem(tmp_path: Path, pile: Path) -> None:
    class SickEncoder(ToyEncoder):
        def embed_images(self, pixels: np.ndarray) -> ImageEmbeddings:
            made = super().embed_images(pixels)
            made.vectors[0] = np.nan
            return made

    atlas = Collection(Store.create(tmp_path / "c.atlas"), encoder=SickEncoder())
    summary = atlas.index(pile)
    assert (summary.n_images, summary.n_problems) == (4, 1)
    assert atlas.problems()[0].stage == "embed"


def test_batches_of_any_size_end_in_the_same_collection(tmp_path: Path) -> None:
    from bilderatlas.indexing import index, sources

    pile = draw_many(tmp_path / "pile", 13)
    states = []
    for batch_size in (1, 4, 64):
        store = Store.create(tmp_path / f"{batch_size}.atlas")
        list(index.index(store, ToyEncoder(), [sources.open(pile)], batch_size=batch_size))
        states.append(state(store.path))
    assert states[0] == states[1] == states[2]


def test_another_encoder_is_refused(atlas: Collection, pile: Path, tmp_path: Path) -> None:
    atlas.index(pile)
    other = Collection(Store.open(atlas.path), encoder=ToyEncoder(name="other", space="other"))
    with pytest.raises(EncoderMismatch, match=r"holds embeddings of encoder 'toy' \(16 numbers"):
        other.index(pile)
    retrained = Collection(
        Store.open(atlas.path), encoder=replace(ToyEncoder(), weights_hash="f" * 32)
    )
    with pytest.raises(EncoderMismatch, match="weights of encoder 'toy' are not those"):
        retrained.search("red")


def test_a_folder_without_pictures_is_refused_and_changes_nothing(
    atlas: Collection, pile: Path
) -> None:
    atlas.index(pile)
    for file in pile.iterdir():
        file.unlink()
    (pile / "notes.txt").write_text("gone")
    with pytest.raises(SourceError, match=r"No pictures in .*1 text\)"):
        atlas.index(pile, prune=True)
    assert atlas.info().n_images == 5


def test_two_writers_do_not_meet(atlas: Collection, pile: Path) -> None:
    with (
        Store.open(atlas.path).writing(),
        pytest.raises(CollectionBusy, match="Another process is writing"),
    ):
        atlas.index(pile)


def test_progress_counts_to_the_total(atlas: Collection, pile: Path) -> None:
    seen = []
    atlas.index(pile, on_progress=seen.append)
    assert (seen[-1].n_done, seen[-1].n_total, seen[-1].n_embedded) == (5, 5, 5)


def test_a_reader_sees_what_was_indexed_after_it_opened(atlas: Collection, pile: Path) -> None:
    atlas.index(pile)
    reader = open_collection(atlas.path)
    assert len(reader.search("red", k=99)) == 5
    draw(pile / "late.png", seed=50)
    atlas.index(pile)
    assert len(reader.search("red", k=99)) == 6


def test_metadata_follows_its_table(atlas: Collection, pile: Path, tmp_path: Path) -> None:
    table = tmp_path / "shop.csv"
    table.write_text("path,price\npile/0000.png,5\npile/0001.png,9\n")
    atlas.index(table)
    assert [hit.metadata["price"] for hit in atlas.search("red", where="price > 6")] == [9]
    table.write_text("path,price\npile/0000.png,7\npile/0001.png,9\n")
    summary = atlas.index(table)
    assert (summary.n_unchanged, summary.n_changed) == (2, 0)
    assert len(atlas.search("red", where="price > 6")) == 2


def test_prune_spares_a_table_whose_disk_is_away(atlas: Collection, tmp_path: Path) -> None:
    pile = draw_many(tmp_path / "pile", 3)
    table = tmp_path / "disk.csv"
    table.write_text("path\n" + "".join(f"pile/{file.name}\n" for file in sorted(pile.iterdir())))
    atlas.index(table)
    pile.rename(tmp_path / "away")
    with pytest.raises(SourceError, match=r"Nothing of .* could be read, so nothing was pruned"):
        atlas.index(table, prune=True)
    assert atlas.info().n_images == 3
    (tmp_path / "away").rename(pile)
    (pile / "0000.png").unlink()
    assert atlas.index(table, prune=True).n_pruned == 1


def test_an_empty_source_beside_a_full_one_is_told_and_leaves_no_unfinished_mark(
    atlas: Collection, pile: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no picture")
    summary = atlas.index(tmp_path / "empty", pile, tmp_path / "notes")
    assert summary.n_new == 5
    assert summary.without_pictures == {
        str(tmp_path / "empty"): {},
        str(tmp_path / "notes"): {"texts": 1},
    }
    assert [each.uri for each in atlas.problems("other")] == [str(tmp_path / "notes" / "a.txt")]
    assert not Store.open(atlas.path).is_unfinished
    assert atlas.index(pile).n_unchanged == 5


def test_the_columns_of_each_table_are_remembered(
    atlas: Collection, pile: Path, tmp_path: Path
) -> None:
    files = sorted(pile.iterdir())
    rows = [f"no-{n}.png,{file},n{n}\n" for n, file in enumerate(files)]
    table, other = tmp_path / "table.csv", tmp_path / "other.csv"
    table.write_text("path,scan,number\n" + "".join(rows))  # `path` would be guessed
    other.write_text(f"path\n{draw(tmp_path / 'more' / 'a.png', seed=9)}\n")
    atlas.index(table, column="scan", id_column="number")

    summary = open_collection(atlas.path).index(table, other, pile)  # as a job looks again

    assert (summary.n_new, summary.n_problems) == (1, 0)
    assert summary.n_unchanged == 5
    assert atlas.image("n3").path == str(files[3])
    atlas.index(table, column="path")  # others may be asked for
    assert atlas.info().n_problems == 5
