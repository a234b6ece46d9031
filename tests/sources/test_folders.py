"""What a folder lists: every picture once, whatever it is called, and nothing that blocks."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from bilderatlas import sources
from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.sources import ImageRecord
from tests.indexing.pile import draw
from tests.pictures import collect, plain, put

RED = plain("red")


def records(folder: Path) -> list[ImageRecord]:
    return list(sources.open(folder).records())


def names(folder: Path) -> list[str]:
    return [os.path.relpath(record.uri, folder) for record in records(folder)]


def problem(record: ImageRecord) -> str:
    with pytest.raises((ImageProblem, OSError)) as refused:
        record.read()
    return str(refused.value)


def test_pictures_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "a.jpg", "c/d/e.webp"):
        put(tmp_path / name, RED)
    assert names(tmp_path) == ["a.jpg", "b/10.png", "b/2.png", "c/d/e.webp"]
    assert [record.position for record in records(tmp_path)] == [0, 1, 2, 3]


def test_a_record_knows_its_file(tmp_path: Path) -> None:
    path = put(tmp_path / "a.png", RED)
    [record] = records(tmp_path)
    assert record.read() == RED
    assert (record.size, record.mtime) == (len(RED), path.stat().st_mtime)
    assert (record.uri, record.source) == (str(path), str(tmp_path))


def test_a_picture_is_known_by_its_content_too(tmp_path: Path) -> None:
    put(tmp_path / "f0001234", RED)
    put(tmp_path / "photo.jpg_original", plain("red", format="JPEG"))
    put(tmp_path / "notes", b"no picture")
    put(tmp_path / "movie.mp4", b"\0\0\0\x18ftypisom")
    source = sources.open(tmp_path)
    assert [Path(record.uri).name for record in source.records()] == [
        "f0001234", "photo.jpg_original",
    ]  # fmt: skip
    assert source.n_other == 2


def test_hidden_files_and_collections_are_passed_over(tmp_path: Path) -> None:
    for name in (".a.png", "._b.png", ".thumbnails/c.png", "my.atlas/d.png", "e.png"):
        put(tmp_path / name, RED)
    assert names(tmp_path) == ["e.png"]


def test_a_single_picture_is_a_source(tmp_path: Path) -> None:
    path = put(tmp_path / "a.png", RED)
    put(tmp_path / "b.png", RED)
    assert [record.uri for record in records(path)] == [str(path)]
    assert sources.open(path).count() == 1


NAMES = [
    "two\nlines.png", "it's \"quoted\".png", "back\\slash.png", "100%.png", "a#2.png",
    "🚲.png", "wow!/x.png", "%C3%A9.png", " padded .png", "x" * 251 + ".png",
    "' OR 1=1 --.png", "caf\udce9/\udcff.png",
]  # fmt: skip


def test_any_name_is_indexed_found_and_read_again(tmp_path: Path) -> None:
    pile = tmp_path / "pile"
    content = {pile / name: draw(pile / name, seed).read_bytes() for seed, name in enumerate(NAMES)}
    atlas = collect(tmp_path, pile)
    paths = {sources.path_of(facts.path): facts for facts in atlas.all_images()}
    assert paths.keys() == content.keys()
    for path, facts in paths.items():
        assert sources.read_uri(facts.path) == content[path]
        assert atlas.picture(facts.image_id).size == (24, 24)
        for name in (facts.path, str(path)):
            assert facts.image_id not in {hit.image_id for hit in atlas.similar(name)}
    assert atlas.index(pile).n_unchanged == len(NAMES)


def test_a_folder_whose_name_is_no_utf_8_is_a_source(tmp_path: Path) -> None:
    put(tmp_path / "caf\udce9" / "a.png", RED)
    atlas = collect(tmp_path, tmp_path / "caf\udce9")
    assert atlas.info().sources == ((tmp_path / "caf\udce9").as_uri(),)
    assert atlas.index(tmp_path / "caf\udce9").n_unchanged == 1


def test_an_unreadable_picture_of_any_name_is_listed(tmp_path: Path) -> None:
    put(tmp_path / "pile" / "caf\udce9'\n.png", b"no picture at all")
    put(tmp_path / "pile" / "a.png", RED)
    [problem] = collect(tmp_path, tmp_path / "pile").problems()
    assert problem.uri == (tmp_path / "pile" / "caf\udce9'\n.png").as_uri()


# -- links


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    put(tmp_path / "a" / "1.png", RED)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a")
    assert names(tmp_path) == ["a/1.png"]


def test_a_linked_folder_is_listed_once(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "1.png", RED)
    pile = tmp_path / "pile"
    pile.mkdir()
    (pile / "b").symlink_to(tmp_path / "elsewhere")
    (pile / "c").symlink_to(tmp_path / "elsewhere")
    assert names(pile) == ["b/1.png"]


def test_a_link_to_itself_is_a_problem_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "self.png").symlink_to("self.png")
    (tmp_path / "self").symlink_to("self")
    put(tmp_path / "z.png", RED)
    found = records(tmp_path)
    assert [Path(record.uri).name for record in found] == ["self", "self.png", "z.png"]
    assert "symbolic links" in problem(found[1])


def test_a_link_to_nowhere_is_a_problem_where_it_is_named_like_a_picture(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "gone").symlink_to("nowhere")
    [record] = records(tmp_path)
    assert "No such file" in problem(record)


# -- what would block


def test_a_pipe_and_a_socket_never_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(str(tmp_path / "b.png"))
    (tmp_path / "c.png").symlink_to("/dev/zero")
    for record in records(tmp_path):
        assert "a pipe or a device" in problem(record)
    assert names(tmp_path) == ["a.jpg", "b.png", "c.png"]


def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither"):
        sources.open(tmp_path / "pipe")


# -- what cannot be listed

as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


@as_user
def test_a_folder_that_cannot_be_listed_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    with pytest.raises(SourceError, match="Permission denied"):
        sources.open(tmp_path)
    tmp_path.chmod(0o700)


@as_user
def test_a_folder_below_that_cannot_be_listed_is_a_problem(tmp_path: Path) -> None:
    put(tmp_path / "closed" / "a.png", RED)
    put(tmp_path / "b.png", RED)
    (tmp_path / "closed").chmod(0)
    found = records(tmp_path)
    (tmp_path / "closed").chmod(0o700)
    assert len(found) == 2
    assert "Permission denied" in problem(found[1])


def test_paths_that_grow_too_long_are_a_problem(tmp_path: Path) -> None:
    """The system refuses paths over 4096 bytes; they exist all the same."""
    put(tmp_path / "z.png", RED)
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(17):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    found = records(tmp_path)
    assert found[0].read() == RED
    assert "File name too long" in problem(found[1])


def test_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is nothing at"):
        sources.open(tmp_path / "nowhere")


def test_a_tilde_is_the_home_only_before_a_slash(tmp_path: Path) -> None:
    assert sources.path_of("~/a.png") == Path.home() / "a.png"
    assert sources.path_of("~$draft.png") == Path("~$draft.png")


def test_a_folder_is_one_source_however_its_path_is_written(tmp_path: Path) -> None:
    put(tmp_path / "pile" / "a.png", RED)
    (tmp_path / "other").mkdir()
    atlas = collect(tmp_path, tmp_path / "pile")
    again = atlas.index(tmp_path / "other" / ".." / "pile")
    assert (again.n_unchanged, again.n_copies) == (1, 0)
    put(tmp_path / "pile" / "b.png", plain("blue"))
    atlas.index(f"{tmp_path}/./pile/")
    assert len(atlas.similar(f"{tmp_path}/other/../pile/a.png")) == 1


def test_columns_belong_to_tables(tmp_path: Path) -> None:
    put(tmp_path / "a.png", RED)
    with pytest.raises(SourceError, match="is not a table"):
        sources.open(tmp_path, column="image")
