"""Pictures inside ZIP and tar files, sound and otherwise."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.indexing import sources
from bilderatlas.indexing.sources import ImageRecord
from tests.pictures import collect, plain, put

RED, BLUE = plain("red"), plain("blue")
TWO = {"a/1.png": RED, "b/c/2.png": BLUE}


def zipped(path: Path, members: Mapping[str, bytes], **how: int) -> Path:
    with zipfile.ZipFile(path, "w", **how) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def tarred(path: Path, members: Mapping[str, bytes]) -> Path:
    packed = path.suffix.removeprefix(".").replace("tgz", "gz").replace("tar", "")
    with tarfile.open(path, f"w:{packed}") as file:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def make(path: Path, members: Mapping[str, bytes]) -> Path:
    return zipped(path, members) if path.suffix == ".zip" else tarred(path, members)


def records(path: Path) -> list[ImageRecord]:
    return list(map(sources.held, sources.open(path).records()))


def members(path: Path) -> list[str]:
    return [record.uri.removeprefix(f"{path}!/") for record in records(path)]


def problem(record: ImageRecord) -> str:
    with pytest.raises(ImageProblem) as refused:
        record.read()
    return str(refused.value)


ARCHIVES = ["x.zip", "x.tar", "x.tar.gz", "x.tgz", "x.tar.bz2", "x.tar.xz"]
both = pytest.mark.parametrize("name", ["x.zip", "x.tar"])


@pytest.mark.parametrize("name", ARCHIVES)
def test_every_archive_gives_its_pictures(tmp_path: Path, name: str) -> None:
    found = records(make(tmp_path / name, TWO))
    assert [record.read() for record in found] == [RED, BLUE]
    assert [record.position for record in found] == [0, 1]
    assert found[1].uri == f"{tmp_path / name}!/b/c/2.png"


@pytest.mark.parametrize("packed", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_packing_of_zip_is_read(tmp_path: Path, packed: int) -> None:
    path = zipped(tmp_path / "x.zip", TWO, compression=packed)
    assert [record.read() for record in records(path)] == [RED, BLUE]


@both
def test_an_archive_is_indexed_as_its_folder_would_be(tmp_path: Path, name: str) -> None:
    atlas = collect(tmp_path, make(tmp_path / name, TWO))
    hit = atlas.search("blue", k=1)[0]
    assert hit.path == f"{tmp_path / name}!/b/c/2.png"
    assert atlas.picture(hit.image_id).getpixel((0, 0)) == (0, 0, 255)
    assert atlas.index(tmp_path / name).n_unchanged == 2


@both
def test_a_member_without_suffix_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    path = make(tmp_path / name, {"f001": RED, "README": b"Read me first, whoever you are."})
    source = sources.open(path)
    assert [record.uri for record in source.records()] == [f"{path}!/f001"]
    assert [(other.uri, other.kind) for other in source.others] == [
        (f"{path}!/README", "other files")
    ]


@both
def test_hidden_members_are_passed_over(tmp_path: Path, name: str) -> None:
    hidden = {"__MACOSX/._1.png": RED, ".git/2.png": RED, "a/.3.png": RED, "./4.png": RED}
    assert members(make(tmp_path / name, hidden)) == ["./4.png"]


@both
def test_names_that_climb_out_are_read_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    path = make(tmp_path / name, {"../../evil.png": RED, "/etc/evil.png": BLUE})
    assert [record.read() for record in records(path)] == [RED, BLUE]
    assert sorted(tmp_path.rglob("*")) == [path]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@both
def test_two_members_of_one_name_are_two_places(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "x.zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("1.png", RED)
            file.writestr("1.png", BLUE)
    else:
        tarred(path, {"1.png": RED})
        with tarfile.open(path, "a") as tar:
            member = tarfile.TarInfo("1.png")
            member.size = len(BLUE)
            tar.addfile(member, io.BytesIO(BLUE))
    atlas = collect(tmp_path, path)
    assert [facts.path for facts in atlas.all_images()] == [f"{path}!/1.png", f"{path}!/1.png#2"]
    assert atlas.index(path).n_unchanged == 2


def test_an_archive_may_lie_in_a_folder_with_an_exclamation_mark(tmp_path: Path) -> None:
    (tmp_path / "wow!").mkdir()
    atlas = collect(tmp_path, zipped(tmp_path / "wow!" / "x.zip", TWO))
    assert atlas.picture(atlas.search("red", k=1)[0].image_id).getpixel((0, 0)) == (255, 0, 0)


def test_a_name_in_a_tar_may_be_no_utf_8(tmp_path: Path) -> None:
    atlas = collect(tmp_path, tarred(tmp_path / "x.tar", {"caf\udce9.png": RED}))
    [facts] = atlas.all_images()
    assert facts.path == f"{tmp_path}/x.tar!/caf%E9.png"
    assert atlas.picture(facts.image_id).getpixel((0, 0)) == (255, 0, 0)


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"inside.png": BLUE}).read_bytes()
    path = tarred(tmp_path / "x.tar", {"1.png": RED, "inner.zip": inner})
    assert members(path) == ["1.png"]


# -- damage


def test_an_encrypted_member_is_a_problem(tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "x.zip", TWO).read_bytes())
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.find(header) + flags] |= 1
    found = records(put(tmp_path / "x.zip", bytes(content)))
    assert "password" in problem(found[0])
    assert found[1].read() == BLUE


@pytest.mark.parametrize(
    "packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_member_is_a_problem_and_the_others_are_read(tmp_path: Path, packed: int) -> None:
    members = {"1.png": RED, "2": RED, "3.png": BLUE}
    content = bytearray(zipped(tmp_path / "x.zip", members, compression=packed).read_bytes())
    for name in (b"1.png", b"2"):
        start = content.find(name) + len(name) + 12
        content[start : start + 30] = b"\xff" * 30
    found = records(put(tmp_path / "x.zip", bytes(content)))
    assert "damaged in its ZIP file" in problem(found[0])
    assert found[-1].read() == BLUE


def test_a_member_that_is_larger_than_it_says_is_a_problem(tmp_path: Path) -> None:
    content = bytearray(
        zipped(
            tmp_path / "x.zip", {"1.png": RED * 9}, compression=zipfile.ZIP_DEFLATED
        ).read_bytes()
    )
    struct.pack_into("<I", content, content.find(b"PK\1\2") + 24, 10)
    [record] = records(put(tmp_path / "x.zip", bytes(content)))
    assert "damaged" in problem(record)


def test_a_bomb_is_refused_by_the_size_it_admits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 1 << 20)
    for path in (
        zipped(tmp_path / "x.zip", {"1.png": bytes(2 << 20)}, compression=zipfile.ZIP_DEFLATED),
        tarred(tmp_path / "x.tar.gz", {"1.png": bytes(2 << 20)}),
    ):
        [record] = records(path)
        assert "are not read" in problem(record)


def test_a_dictionary_of_gigabytes_is_refused(tmp_path: Path) -> None:
    packing = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    content = tarred(tmp_path / "x.tar", TWO).read_bytes()
    with pytest.raises(SourceError, match="Memory usage limit"):
        sources.open(put(tmp_path / "x.tar.xz", lzma.compress(content, filters=packing)))
    bombs = {"a/1.png": RED, "b/c/2": BLUE}
    path = zipped(tmp_path / "x.zip", bombs, compression=zipfile.ZIP_LZMA)
    packed = bytearray(path.read_bytes())
    for name in bombs:
        struct.pack_into("<I", packed, packed.find(name.encode()) + len(name) + 5, 1 << 31)
    source = sources.open(put(path, bytes(packed)))
    [record] = source.records()
    assert problem(record) == "would take 2,048 MiB of memory to be unpacked"
    assert [other.uri for other in source.others] == [f"{path}!/b/c/2"]


def test_an_xz_file_may_have_several_parts(tmp_path: Path) -> None:
    content = tarred(tmp_path / "x.tar", TWO).read_bytes()
    parts = [lzma.compress(content[start : start + 700]) for start in range(0, len(content), 700)]
    path = put(tmp_path / "x.tar.xz", bytes(4).join(parts) + bytes(8) + b"and something else")
    assert [record.read() for record in records(path)] == [RED, BLUE]


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tar.xz"])
@pytest.mark.parametrize("kept", [0.7, 0.703])
def test_a_tar_that_is_cut_off_gives_what_it_has_and_says_so(
    tmp_path: Path, name: str, kept: float
) -> None:
    noise = {f"{n}.png": plain("red", side=16 + n) for n in range(60)}
    content = tarred(tmp_path / name, noise).read_bytes()
    found = records(put(tmp_path / name, content[: int(len(content) * kept)]))
    assert all(record.read() for record in found[:-1])
    assert "the archive is damaged after" in problem(found[-1])


def test_a_damaged_header_is_not_the_end_of_a_tar(tmp_path: Path) -> None:
    content = bytearray(tarred(tmp_path / "x.tar", TWO).read_bytes())
    at = content.find(b"b/c/2.png")
    content[at : at + 200] = b"\xff" * 200
    found = records(put(tmp_path / "x.tar", bytes(content)))
    assert [record.uri for record in found] == [f"{tmp_path}/x.tar!/a/1.png", f"{tmp_path}/x.tar!/"]
    assert "damaged after 1 pictures" in problem(found[-1])


def test_pruning_spares_what_a_damaged_archive_no_longer_shows(tmp_path: Path) -> None:
    path = tarred(tmp_path / "x.tar", TWO | {"3.png": plain("lime")})
    atlas, content = collect(tmp_path, path), path.read_bytes()
    put(path, content[:1100])  # the first picture and half of a header
    summary = atlas.index(path, prune=True)
    assert (summary.n_images, summary.n_missing, summary.n_problems) == (3, 0, 1)
    assert atlas.index(put(path, content)).n_unchanged == 3
    assert len(atlas.problems()) == 0


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("content", [b"", b"no archive at all" * 99, b"PK\3\4" + bytes(99)])
def test_what_is_no_archive_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(SourceError, match=r"x\.t|x\.zip"):
        sources.open(put(tmp_path / name, content))


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_cut_off_at_its_head_is_refused(tmp_path: Path, name: str) -> None:
    content = make(tmp_path / name, TWO).read_bytes()
    with pytest.raises(SourceError):
        sources.open(put(tmp_path / name, content[:30]))
