"""What people send lies inside the collection, whatever they call it."""

from __future__ import annotations

import io
import tarfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bilderatlas.errors import (
    CollectionNotFound,
    DiskFull,
    StoreError,
    UploadError,
    UploadNotFound,
    UploadTooLarge,
)
from bilderatlas.indexing.sources import open as open_source
from bilderatlas.server import uploads
from bilderatlas.server.uploads import Received, UploadLimits, Uploads, safe_name
from tests.disks import full_disk, make_read_only, small_disk
from tests.server.coloured import paint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pile.atlas").mkdir()
    return tmp_path / "pile.atlas"


def picture(seed: int = 1) -> bytes:
    out = io.BytesIO()
    paint("red", seed).save(out, "PNG")
    return out.getvalue()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(mode: str, **files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def pictures_in(folder: Path, upload: str) -> list[bytes]:
    """What `index` would read of a finished upload."""
    found = (open_source(source).records() for source in uploads.sources(folder, upload))
    return [record.read() for records in found for record in records]


def send(
    open_: Uploads,
    upload: str,
    name: str,
    content: bytes,
    *,
    meanwhile: Callable[[], object] = lambda: None,
) -> Received:
    """Send a file; `meanwhile` happens when all of it is there."""
    with open_.receive(upload, name) as incoming:
        for start in range(0, len(content), 100):
            incoming.write(content[start : start + 100])
        meanwhile()
        return incoming.close()


def test_pictures_and_archives_are_kept_and_can_be_indexed(folder: Path) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()

    first = send(open_, upload, "summer/a.png", picture())
    second = send(open_, upload, "more.zip", zipped(**{"b.png": picture(2)}))
    assert open_.finish(upload) == 2

    assert first == Received("summer/a.png", "pictures/summer/a.png", "picture", len(picture()))
    assert (second.kept_as, second.kind) == ("archives/more.zip", "archive")
    pictures, archive = uploads.sources(folder, upload)
    assert (pictures / "summer" / "a.png").read_bytes() == picture()
    assert [record.read() for record in open_source(archive).records()] == [picture(2)]


def test_the_content_says_what_a_file_is(folder: Path) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()

    assert send(open_, upload, "letter.txt", picture()).kind == "picture"
    kept = send(open_, upload, "holiday.jpg", zipped(**{"b.png": picture()}))
    assert (kept.kind, kept.kept_as) == ("archive", "archives/holiday.jpg.zip")
    for content in (b"<svg onload='alert(1)'>", b"<!doctype html>", b"path\n/etc/passwd\n", b""):
        with pytest.raises(UploadError, match=r"x\.png: neither a picture nor a ZIP or tar"):
            send(open_, upload, "x.png", content)
    assert open_.finish(upload) == 2  # nothing is left of what was refused


def test_a_name_that_was_sent_before_gets_a_number(folder: Path) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()
    names = [send(open_, upload, "a.png", picture(seed)).kept_as for seed in range(3)]
    assert names == ["pictures/a.png", "pictures/a (2).png", "pictures/a (3).png"]


def test_a_folder_with_the_name_of_a_file_is_refused(folder: Path) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()
    send(open_, upload, "a", picture())
    with pytest.raises(UploadError, match="has the name of a file"):
        send(open_, upload, "a/b.png", picture())


@pytest.mark.parametrize(
    "name",
    [
        "../a.png",
        "a/../../b.png",
        "/etc/passwd",
        "\\\\server\\a.png",
        "C:\\a.png",
        "",
        ".",
        "a\\..\\b",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(UploadError, match="cannot be the name of an upload"):
        safe_name(name)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a\x00b.png", "a_b.png"),
        ("evil\u202egnp.exe", "evil_gnp.exe"),
        (".hidden.png", "_hidden.png"),
        ("my.atlas/a.png", "my_atlas/a.png"),
        ("a\\b.png", "a/b.png"),
        ("what?.png", "what_.png"),
        ("./a//b.png", "a/b.png"),
        ("<script>.png", "_script_.png"),
        ("end. /a.png", "end/a.png"),
        ("Größe 1.png", "Größe 1.png"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_is_shortened_and_keeps_its_suffix() -> None:
    safe = safe_name("ä" * 5000 + ".png")
    assert safe.endswith(".png")
    assert len(safe.encode()) <= 255


def test_more_than_an_upload_holds_is_refused(folder: Path) -> None:
    limits = UploadLimits(n_files=2, picture_bytes=len(picture()), total_bytes=3 * len(picture()))
    open_ = Uploads(folder, limits)
    upload = open_.begin()
    with pytest.raises(UploadTooLarge, match=r"big\.png: more than"):
        send(open_, upload, "big.png", picture() + b"more")
    send(open_, upload, "a.png", picture())
    send(open_, upload, "b.png", picture())
    with pytest.raises(UploadTooLarge, match="2 files at most"):
        send(open_, upload, "c.png", picture())

    small = Uploads(folder, UploadLimits(total_bytes=len(picture()) + 10))
    other = small.begin()
    send(small, other, "a.png", picture())
    with pytest.raises(UploadTooLarge, match="no room"):
        send(small, other, "b.png", picture())


def test_an_archive_that_would_explode_is_refused(folder: Path) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()
    bomb = zipped(**{"a.png": b"\0" * 150_000_000})
    with pytest.raises(UploadTooLarge, match="would be too large unpacked"):
        send(open_, upload, "bomb.zip", bomb)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("a.png")
        member.size = 150_000_000
        archive.addfile(member, io.BytesIO(b"\0" * member.size))
    with pytest.raises(UploadTooLarge, match="would be too large unpacked"):
        send(open_, upload, "bomb.tar.gz", packed.getvalue())
    few = Uploads(folder, UploadLimits(n_members=1))
    with pytest.raises(UploadTooLarge, match="would be too large unpacked"):
        send(few, upload, "two.zip", zipped(**{"a.png": picture(), "b.png": picture()}))


def test_a_damaged_archive_is_refused(folder: Path) -> None:
    open_ = Uploads(folder)
    with pytest.raises(UploadError, match="damaged archive"):
        send(open_, open_.begin(), "a.zip", zipped(**{"a.png": picture()})[:60])


def test_links_in_a_tar_lead_nowhere(folder: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        link = tarfile.TarInfo("passwd.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        climbing = tarfile.TarInfo("../../out.png")
        climbing.size = len(picture())
        archive.addfile(climbing, io.BytesIO(picture()))
    open_ = Uploads(folder)
    upload = open_.begin()
    send(open_, upload, "links.tar", packed.getvalue())
    open_.finish(upload)

    (archive_path,) = uploads.sources(folder, upload)
    assert [record.read() for record in open_source(archive_path).records()] == [picture()]
    assert sorted(path.name for path in folder.parent.rglob("*.png")) == []  # nothing unpacked


def test_an_upload_without_files_cannot_be_finished(folder: Path) -> None:
    open_ = Uploads(folder)
    with pytest.raises(UploadError, match="Nothing was uploaded"):
        open_.finish(open_.begin())


@pytest.mark.parametrize("upload", ["0" * 32, "../pile", "", "0" * 31])
def test_what_is_no_upload_is_not_found(folder: Path, upload: str) -> None:
    with pytest.raises(UploadNotFound):
        Uploads(folder).receive(upload, "a.png")
    with pytest.raises(UploadNotFound):
        uploads.sources(folder, upload)


def test_a_server_that_came_back_counts_what_is_there(folder: Path) -> None:
    upload = Uploads(folder).begin()
    send(Uploads(folder), upload, "a.png", picture())
    with pytest.raises(UploadTooLarge, match="1 files at most"):
        send(Uploads(folder, UploadLimits(n_files=1)), upload, "b.png", picture())


def test_uploads_that_rest_are_swept_away(folder: Path) -> None:
    open_ = Uploads(folder)
    left, finished = open_.begin(), open_.begin()
    send(open_, left, "a.png", picture())
    send(open_, finished, "a.png", picture())
    open_.finish(finished)

    assert uploads.sweep(folder) == 0
    assert uploads.sweep(folder, now=time.time() + 25 * 3600) == 1
    assert uploads.sources(folder, finished)
    with pytest.raises(UploadNotFound):
        open_.receive(left, "b.png")


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "tar.xz", "tgz", "cbz"])
@pytest.mark.parametrize("folders", [("", ""), ("a/", "b/")])
def test_two_archives_of_one_name_are_both_read(
    folder: Path, suffix: str, folders: tuple[str, str]
) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()
    mode = {"tar": "w", "tar.xz": "w:xz"}.get(suffix, "w:gz")
    for seed, above in enumerate(folders):
        files = {"b.png": picture(seed)}
        content = zipped(**files) if suffix in ("zip", "cbz") else tarred(mode, **files)
        kept = send(open_, upload, f"{above}Summer.2024.{suffix.upper()}", content).kept_as
        number = " (2)" if seed else ""
        assert kept == f"archives/Summer.2024{number}.{suffix.upper()}"
    open_.finish(upload)
    assert sorted(pictures_in(folder, upload)) == sorted([picture(0), picture(1)])


def test_a_tar_that_ends_in_a_zip_is_looked_through_as_a_tar(folder: Path) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()
    inner = zipped(**{"c.png": picture(3)})
    send(open_, upload, "more.tar", tarred("w", **{"b.png": picture(2), "c.zip": inner}))
    large = Uploads(folder, UploadLimits(unpacked_bytes=len(picture(2)) + len(inner) - 1))
    with pytest.raises(UploadTooLarge, match="would be too large unpacked"):
        send(large, upload, "n.tar", tarred("w", **{"b.png": picture(2), "c.zip": inner}))
    open_.finish(upload)
    assert pictures_in(folder, upload) == [picture(2)]


def test_an_archive_of_many_empty_members_is_read_no_further_than_it_may(folder: Path) -> None:
    open_ = Uploads(folder, UploadLimits(n_members=1000))
    content = tarred("w:gz", **{f"{number}.png": b"" for number in range(1500)})
    with pytest.raises(UploadTooLarge, match="would be too large unpacked"):
        send(open_, open_.begin(), "many.tar.gz", content)


def test_a_collection_that_was_moved_is_told_and_not_made_anew(folder: Path) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()
    with pytest.raises(CollectionNotFound, match="is no longer there"):
        send(
            open_,
            upload,
            "summer/a.png",
            picture(),
            meanwhile=lambda: folder.rename(folder.with_name("elsewhere")),
        )
    for ask in (open_.begin, lambda: open_.receive(upload, "b.png"), lambda: open_.finish(upload)):
        with pytest.raises(CollectionNotFound, match="is no longer there"):
            ask()
    assert not folder.exists()


@pytest.mark.parametrize("end", ["finish", "discard"])
def test_a_file_that_comes_after_the_end_of_its_upload_is_refused(folder: Path, end: str) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()
    send(open_, upload, "a.png", picture())
    with pytest.raises(UploadNotFound, match=r"finished or given up while 'summer/b\.png'"):
        send(
            open_,
            upload,
            "summer/b.png",
            picture(),
            meanwhile=lambda: getattr(open_, end)(upload),
        )
    assert not list((folder / "uploads").glob("*.part"))
    if end == "finish":
        assert pictures_in(folder, upload) == [picture()]
        assert not list((folder / "uploads" / upload).glob(".*"))


def test_an_upload_that_was_reopened_takes_files_again(folder: Path) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()
    send(open_, upload, "a.png", picture(1))
    open_.finish(upload)
    open_.reopen(upload)
    send(open_, upload, "b.png", picture(2))
    assert open_.finish(upload) == 2
    assert open_.finish(upload) == 2  # it stays closed


def test_a_disk_that_fills_meanwhile_is_told_and_leaves_nothing_behind(folder: Path) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()
    with full_disk(), pytest.raises(DiskFull, match="make room"):
        send(open_, upload, "a.png", picture())
    assert [file for file in (folder / "uploads").rglob("*") if file.is_file()] == []
    assert send(open_, upload, "a.png", picture()).kept_as == "pictures/a.png"


def test_a_disk_without_room_for_an_upload_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "ROOM_LEFT", 10**18)
    open_ = Uploads(folder)
    with pytest.raises(DiskFull, match=r"a\.png: there is no room for it on the disk of"):
        send(open_, open_.begin(), "a.png", picture())


def test_a_read_only_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "ROOM_LEFT", 0)
    with small_disk(tmp_path / "disk") as disk:
        open_ = Uploads(disk)
        upload = open_.begin()
        send(open_, upload, "a.png", picture())
        make_read_only(disk)
        for ask in (
            open_.begin,
            lambda: send(open_, upload, "b.png", picture()),
            lambda: open_.finish(upload),
            lambda: open_.discard(upload),
        ):
            with pytest.raises(StoreError, match="cannot be written: its disk is read-only"):
                ask()
        assert not open_.is_finished(upload)


def test_files_that_are_sent_at_once_are_all_counted(folder: Path) -> None:
    open_ = Uploads(folder, UploadLimits(n_files=40))
    upload = open_.begin()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: send(open_, upload, f"{n}.png", picture()), range(40)))
    with pytest.raises(UploadTooLarge, match="40 files at most"):
        send(open_, upload, "more.png", picture())
    assert open_.finish(upload) == 40


def test_what_a_killed_server_had_begun_counts_nothing(folder: Path) -> None:
    open_ = Uploads(folder)
    upload = open_.begin()
    draft = folder / "uploads" / f"{upload}.part" / ".0123456789abcdef"
    draft.write_bytes(picture())
    with pytest.raises(UploadError, match="Nothing was uploaded"):
        Uploads(folder).finish(upload)


def test_a_name_that_no_disk_takes_is_refused() -> None:
    with pytest.raises(UploadError, match="2,000 bytes"):
        safe_name("/".join(["ä" * 100] * 15))
