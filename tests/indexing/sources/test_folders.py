"""What a folder lists: every picture once, whatever it is called, and nothing that blocks."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.indexing import sources
from bilderatlas.indexing.sources import ImageRecord
from bilderatlas.indexing.sources.exclude import EXCLUDED
from bilderatlas.storage import Store
from tests.assets import assets
from tests.indexing.pile import draw
from tests.indexing.sources.test_archives import tarred, zipped
from tests.pictures import collect, plain, put
from tests.toy_encoder import ToyEncoder

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
    assert [(Path(other.uri).name, other.kind) for other in source.others] == [
        ("movie.mp4", "videos"), ("notes", "other files"),
    ]  # fmt: skip


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


@pytest.fixture
def kernel_log() -> str:
    """A file of the kernel that is read only when there is news."""
    for path in ("/proc/kmsg", "/sys/kernel/tracing/trace_pipe", "/proc/kcore"):
        if os.path.exists(path):  # noqa: PTH110
            return path
    pytest.skip("no such file on this system")


def test_links_to_files_of_the_kernel_never_block(tmp_path: Path, kernel_log: str) -> None:
    put(tmp_path / "pile" / "z.png", RED)
    for name in ("log", "log.jpg", "log.zip", "log.tar.gz"):
        (tmp_path / "pile" / name).symlink_to(kernel_log)
    found = records(tmp_path / "pile")
    assert [Path(record.uri.rstrip("!/")).name for record in found][-1] == "z.png"
    summary = collect(tmp_path, tmp_path / "pile").index(tmp_path / "pile")
    assert summary.n_images == 1
    assert summary.n_problems + summary.n_other == 4


def test_a_pipe_that_was_a_file_when_it_was_listed_never_blocks(tmp_path: Path) -> None:
    paths = [put(tmp_path / name, RED) for name in ("a.jpg", "b", "c.zip")]
    found = list(sources.open(tmp_path).records())
    for path in paths:
        path.unlink()
        os.mkfifo(path)
    assert [Path(record.uri).name for record in found][:2] == ["a.jpg", "b"]
    assert all("a pipe or a device" in problem(record) for record in found[:2])
    with pytest.raises(ImageProblem, match="a pipe or a device"):
        sources.read_file(paths[2])


def test_a_pipe_put_in_place_between_looking_and_opening_never_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "a.jpg", RED)
    look = sources._check_kind

    def look_and_swap(facts: os.stat_result) -> None:
        look(facts)
        if path.is_file():
            path.unlink()
            os.mkfifo(path)

    monkeypatch.setattr(sources, "_check_kind", look_and_swap)
    with pytest.raises(ImageProblem, match="a pipe or a device"):
        sources.read_file(path)


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


# -- archives in folders


def test_archives_in_a_folder_are_opened(tmp_path: Path) -> None:
    pile = tmp_path / "pile"
    put(pile / "a.png", RED)
    zipped(put(pile / "old" / "b.zip", b""), {"in/1.png": plain("blue"), "read.me": b"no picture"})
    tarred(put(pile / "old" / "c.tar.gz", b""), {"2.png": plain("lime"), "d.zip": b"PK"})
    atlas = collect(tmp_path, pile)
    assert sorted(facts.path for facts in atlas.all_images()) == [
        f"{pile}/a.png", f"{pile}/old/b.zip!/in/1.png", f"{pile}/old/c.tar.gz!/2.png",
    ]  # fmt: skip
    assert atlas.info().sources == (str(pile),)
    assert [(each.uri, each.reason.partition(" are ")[0]) for each in atlas.problems("other")] == [
        (f"{pile}/old/b.zip!/read.me", "other files"),
        (f"{pile}/old/c.tar.gz!/d.zip", "archives"),
    ]
    again = atlas.index(pile)
    assert (again.n_unchanged, again.n_missing, again.n_other) == (3, 0, 2)
    assert atlas.picture(atlas.search("blue", k=1)[0].image_id).getpixel((0, 0)) == (0, 0, 255)


def test_a_member_that_leaves_its_archive_is_missing_and_a_damaged_archive_loses_none(
    tmp_path: Path,
) -> None:
    path = zipped(put(tmp_path / "pile" / "b.zip", b""), {"1.png": RED, "2.png": plain("blue")})
    put(tmp_path / "pile" / "a.png", plain("lime"))
    atlas, whole = collect(tmp_path, path.parent), path.read_bytes()
    put(path, whole[:50])
    summary = atlas.index(path.parent, prune=True)
    assert (summary.n_problems, summary.n_missing, summary.n_images) == (1, 0, 3)
    [told] = atlas.problems()
    assert told.uri == f"{path}!/"
    assert "neither a ZIP nor a tar file" in told.reason
    zipped(path, {"1.png": RED})
    assert (atlas.index(path.parent).n_missing, len(atlas.problems())) == (1, 0)


def test_pictures_of_an_archive_in_a_folder_are_read_again_for_another_space(
    tmp_path: Path,
) -> None:
    path = tarred(put(tmp_path / "pile" / "b.tar", b""), {"1.png": RED, "2.png": plain("blue")})
    uris = [record.uri for record in sources.open(path.parent).records()]
    again = [sources.held(record) for record in sources.records_of(uris)]
    assert [record.read() for record in again] == [RED, plain("blue")]
    assert sources.read_uri(uris[1]) == plain("blue")


# -- several sources, single files


def test_a_source_without_pictures_does_not_end_a_run(tmp_path: Path) -> None:
    shutil.copytree(assets() / "cases" / "folder_without_pictures_between", tmp_path / "given")
    a, b, c = (tmp_path / "given" / name for name in "abc")
    atlas = Collection(Store.create(tmp_path / "toy.atlas"), encoder=ToyEncoder())
    summary = atlas.index(a, b, c)
    assert (summary.n_new, summary.without_pictures) == (2, {str(b): {"texts": 1}})
    assert [problem.uri for problem in atlas.problems("other")] == [str(b / "notes.txt")]
    assert (atlas.index(a, b, c).n_other, len(atlas.problems("other"))) == (1, 1)
    with pytest.raises(SourceError, match=r"No pictures in .*/b \(1 text\)"):
        atlas.index(b)


def test_single_files_are_one_source_and_what_is_not_named_is_not_missing(tmp_path: Path) -> None:
    names = [f"{n % 3}/{'.' if n == 7 else ''}{n}.png" for n in range(30)]
    files = [put(tmp_path / name, plain(f"#0000{n:02x}")) for n, name in enumerate(names)]
    notes = put(tmp_path / "notes.txt", b"no picture")
    atlas = Collection(Store.create(tmp_path / "toy.atlas"), encoder=ToyEncoder())
    summary = atlas.index(*files[:20], notes)
    assert (summary.n_new, summary.others) == (20, {"texts": 1})
    assert atlas.info().sources == (sources.SINGLE_FILES,)
    again = atlas.index(*files[10:], prune=True)
    assert (again.n_new, again.n_unchanged, again.n_missing, again.n_images) == (10, 10, 0, 30)
    assert len(atlas.problems("other")) == 1
    assert atlas.index(sources.SINGLE_FILES).n_unchanged == 30


def test_a_single_file_that_is_mended_is_no_problem_any_more(tmp_path: Path) -> None:
    torn, other = put(tmp_path / "torn.png", b"x" * 99), put(tmp_path / "other.png", b"y" * 99)
    good = put(tmp_path / "good.png", RED)
    atlas = collect(tmp_path, torn, other, good)
    assert [problem.uri for problem in atlas.problems()] == [str(other), str(torn)]
    put(torn, plain("blue"))
    atlas.index(torn, good)
    assert [problem.uri for problem in atlas.problems()] == [str(other)]


def test_a_table_without_pictures_does_not_end_a_run_of_others(tmp_path: Path) -> None:
    files = [put(tmp_path / "a.png", RED), put(tmp_path / "b.csv", b"name,age\nAda,36\n")]
    atlas = collect(tmp_path, *files)
    [told] = atlas.problems("other")
    assert told.uri == str(files[1])
    assert "Name it with --column; its columns: name, age" in told.reason
    with pytest.raises(SourceError, match="--column"):
        atlas.index(files[1])


def test_a_damaged_archive_among_other_sources_is_a_problem(tmp_path: Path) -> None:
    put(tmp_path / "a" / "a.png", RED)
    bad = put(tmp_path / "bad.zip", b"PK and nothing")
    atlas = Collection(Store.create(tmp_path / "toy.atlas"), encoder=ToyEncoder())
    assert atlas.index(tmp_path / "a", bad).n_problems == 1
    zipped(bad, {"1.png": plain("blue")})
    atlas.index(tmp_path / "a", bad)
    assert len(atlas.problems()) == 0


# -- what is passed over


def test_previews_of_a_nas_are_passed_over(tmp_path: Path) -> None:
    shutil.copytree(assets() / "cases" / "nas", tmp_path / "nas")
    atlas = collect(tmp_path, tmp_path / "nas")
    [facts] = atlas.all_images()
    assert facts.path == f"{tmp_path}/nas/2021/one.jpg"
    [told] = atlas.problems("other")
    assert told.uri == f"{tmp_path}/nas/2021/@eaDir"
    assert told.reason == "excluded folders are passed over, by the pattern @eaDir"


PASSED = [
    "2021/@eaDir/a.jpg/M.jpg", "#recycle/a.jpg", "x/.Trash-1000/files/a.jpg", "Thumbs/a.jpg",
    "Photos.photoslibrary/resources/derivatives/a.jpg", "web/node_modules/p/a.png",
    "L Previews.lrdata/a.jpg",
]  # fmt: skip
KEPT = ["Photos.photoslibrary/originals/a.jpg", "resources/a.jpg", "thumbsup/a.jpg", "@eaDirs.jpg"]


@pytest.mark.parametrize("how", ["folder", "zip", "tar"])
def test_what_photo_tools_agree_on_is_passed_over(tmp_path: Path, how: str) -> None:
    members = dict.fromkeys([*PASSED, *KEPT], RED)
    pile = tmp_path / "pile"
    if how == "folder":
        for name in members:
            put(pile / name, RED)
    else:
        make = zipped if how == "zip" else tarred
        make(put(pile / f"x.{how}", b""), members)
    source = sources.open(pile, exclude=EXCLUDED)
    found = [record.uri.rpartition("!/")[2].removeprefix(f"{pile}/") for record in source.records()]
    assert sorted(found) == sorted(KEPT)
    assert len(source.others) == len(PASSED)
    assert {other.kind for other in source.others} == {"excluded folders"}


def test_patterns_are_remembered_beside_the_usual_ones(tmp_path: Path) -> None:
    for n, name in enumerate(("a.png", "b.tmp.png", "Drafts/c.png", "@eaDir/d.png")):
        put(tmp_path / "pile" / name, plain(f"#{n}00000"))
    atlas = collect(tmp_path, tmp_path / "pile", exclude=["*.TMP.*", "drafts"])
    assert [facts.path for facts in atlas.all_images()] == [f"{tmp_path}/pile/a.png"]
    assert atlas.info().exclude == (*EXCLUDED, "*.TMP.*", "drafts")
    assert atlas.index(tmp_path / "pile").n_other == 3
    assert atlas.index(tmp_path / "pile", exclude=["none", "Drafts"]).n_new == 2
    assert atlas.info().exclude == ("Drafts",)
    assert atlas.index(tmp_path / "pile", exclude=["a.png"]).n_missing == 2  # and b is back


def test_too_small_pictures_are_counted_and_not_taken_in(tmp_path: Path) -> None:
    put(tmp_path / "pile" / "small.png", plain("red", side=15))
    put(tmp_path / "pile" / "large.png", plain("blue", side=16))
    atlas = collect(tmp_path, tmp_path / "pile", min_side=16)
    assert [facts.path for facts in atlas.all_images()] == [f"{tmp_path}/pile/large.png"]
    again = atlas.index(tmp_path / "pile")
    assert (again.n_small, again.n_problems, again.n_unchanged) == (1, 0, 1)
    [told] = atlas.problems("small")
    assert (told.stage, told.reason) == ("small", "15 x 15 pixels; --min-side 16")
    assert (atlas.info().n_small, atlas.info().n_problems, len(atlas.problems())) == (1, 0, 0)
    assert atlas.index(tmp_path / "pile", min_side=0).n_new == 1
    assert len(atlas.problems("all")) == 0


def test_every_file_that_is_passed_over_is_named_with_its_kind(tmp_path: Path) -> None:
    kinds = {
        "a.dng": "raw files", "b.CR2": "raw files", "c.psd": "Photoshop files",
        "d.jxl": "JPEG XL pictures", "e.svg": "SVG drawings", "f.pdf": "PDF documents",
        "g.mp4": "videos", "h.7z": "archives", "i.docx": "documents", "j.txt": "texts",
        "k.csv": "tables", "l.mp3": "sounds", "m": "other files", "n.xyz": "empty files",
        ".hidden.jpg": "hidden files", ".git": "hidden folders", "old.atlas": "collections",
        "@eaDir": "excluded folders", "x": "dead links",
    }  # fmt: skip
    pile = tmp_path / "pile"
    for name, kind in kinds.items():
        if kind.endswith("folders") or kind == "collections":
            put(pile / name / "p.jpg", RED)
        elif name != "x":
            head = b"II*\0" if kind == "raw files" else b"....some file of that kind"
            put(pile / name, b"" if kind == "empty files" else head)
    (pile / "x").symlink_to("nowhere")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._z.png"):
        put(pile / name, b"of the system")
    put(pile / "z.png", RED)
    atlas = collect(tmp_path, pile)
    found = {Path(each.uri).name: each.reason for each in atlas.problems("other")}
    assert {name: sources.kind_of(reason) for name, reason in found.items()} == kinds
    summary = atlas.index(pile)
    assert (summary.n_other, summary.others["raw files"]) == (len(kinds), 2)
    assert atlas.info().n_other == len(kinds)
    (pile / "f.pdf").unlink()
    (pile / "m").write_bytes(plain("blue"))
    assert atlas.index(pile).n_new == 1
    assert len(atlas.problems("other")) == len(kinds) - 2


def test_kinds_are_counted_in_words() -> None:
    kinds = {"PDF documents": 3, "raw files": 1, "archives": 2000}
    assert sources.counted(kinds) == "3 PDF documents, 1 raw file, 2,000 archives"
    assert sources.counted(kinds, n_shown=1) == "3 PDF documents, 2,001 more"
    assert sources.counted({"pipes and devices": 1, "texts": 1}) == "1 pipe or device, 1 text"
    assert sources.counted({}) == "nothing"
