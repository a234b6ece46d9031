"""Images in an order, a stretch at a time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError
from tests.pictures import collect, plain, put

DATES = {"a": "2003:03:03", "b": "2001:01:01", "c": None, "d": "2002:02:02"}


def dated(name: str, date: str | None) -> bytes:
    from PIL import Image

    from tests.pictures import saved

    image = Image.new("RGB", (16 + ord(name) - ord("a"), 16), "red")
    exif = image.getexif()
    if date:
        exif[0x0132] = f"{date} 00:00:00"
    return saved(image, "JPEG", exif=exif)


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    for name, date in DATES.items():
        put(tmp_path / "pile" / f"{name}.jpg", dated(name, date))
    return collect(tmp_path, tmp_path / "pile")


def names(atlas: Collection, order: str, **how: object) -> str:
    """The names of all images, fetched three at a time."""
    found, cursor = "", None
    while True:
        page = atlas.browse(order, n=3, after=cursor, **how)  # type: ignore[arg-type]
        found += "".join(Path(image.path).stem for image in page)
        cursor = page.next
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("order", "found"), [("name", "abcd"), ("date", "bdac"), ("newest", "adbc")]
)
def test_images_come_in_the_order_asked_for(atlas: Collection, order: str, found: str) -> None:
    assert names(atlas, order) == found


def test_the_same_seed_gives_the_same_order(atlas: Collection) -> None:
    orders = {names(atlas, "random", seed=seed) for seed in range(40)}
    assert all(sorted(order) == list("abcd") for order in orders)
    assert len(orders) > 12  # of 24
    assert names(atlas, "random", seed=7) == names(atlas, "random", seed=7)


def test_a_condition_and_kinds_narrow_the_list(atlas: Collection) -> None:
    page = atlas.browse(where="taken_at >= '2002'")
    assert [image.taken_at for image in page] == [datetime(2003, 3, 3), datetime(2002, 2, 2)]
    assert page.n_images == 2
    assert len(atlas.browse(kinds=["image"])) == 4
    assert len(atlas.browse(kinds=["image", "person"])) == 0


@pytest.mark.parametrize("order", ["name", "date", "newest", "random"])
def test_a_list_goes_on_where_it_was_when_images_come_and_go(
    atlas: Collection, tmp_path: Path, order: str
) -> None:
    before = names(atlas, order)
    first = atlas.browse(order, n=2)
    put(tmp_path / "pile" / "A.png", plain("blue"))
    put(tmp_path / "pile" / "e.png", plain("green"))
    Path(first[1].path).unlink()  # the one that the cursor is of
    atlas.index(tmp_path / "pile", prune=True)
    rest = "".join(Path(i.path).stem for i in atlas.browse(order, n=9, after=first.next))
    assert "".join(name for name in rest if name in before) == before[2:]
    assert set(rest) - set(before) <= {"A", "e"}


def test_an_image_in_two_places_is_listed_once(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        put(tmp_path / "pile" / name, plain("red"))
    page = collect(tmp_path, tmp_path / "pile").browse()
    assert [len(image.paths) for image in page] == [2]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"order": "size"}, "no order 'size'"),
        ({"n": 0}, "0 images were asked for"),
        ({"order": "random", "seed": -1}, "The seed is -1"),
        ({"where": "colour = 1"}, "colour"),
        ({"after": "nonsense"}, "cursor 'nonsense' is damaged"),
    ],
)
def test_what_cannot_be_listed_is_refused(
    atlas: Collection, how: dict[str, object], said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        atlas.browse(**how)  # type: ignore[arg-type]


def test_a_list_gives_any_stretch_of_it(atlas: Collection) -> None:
    listed = atlas.listed("newest")
    assert len(listed) == 4
    assert [Path(image.path).stem for image in listed.stretch(1, 2)] == ["d", "b"]
    assert [Path(image.path).stem for image in listed.stretch(3, 9)] == ["c"]
    assert len(listed.stretch(4, 9)) == 0


@pytest.mark.parametrize("order", ["name", "date", "newest", "random"])
def test_an_image_stands_between_those_before_and_after_it(atlas: Collection, order: str) -> None:
    listed = atlas.listed(order, seed=3)
    ids = [image.image_id for image in listed.stretch(0, 9)]
    for place, image_id in enumerate(ids):
        beside = listed.beside(image_id)
        assert beside
        assert (beside.place, beside.n_images) == (place, 4)
        assert beside.previous == (ids[place - 1] if place else None)
        assert beside.next == (ids[place + 1] if place < 3 else None)


def test_nothing_is_beside_an_image_that_is_not_in_the_list(atlas: Collection) -> None:
    early = atlas.listed(where="taken_at < '2003'")
    assert early.beside(atlas.browse("newest")[0].image_id) is None
    assert early.beside("0" * 32) is None


@pytest.mark.parametrize(
    ("order", "months"),
    [
        ("date", [((2001, 1), 0, 1), ((2002, 2), 1, 1), ((2003, 3), 2, 1), (None, 3, 1)]),
        ("newest", [((2003, 3), 0, 1), ((2002, 2), 1, 1), ((2001, 1), 2, 1), (None, 3, 1)]),
    ],
)
def test_a_list_by_date_has_months(
    atlas: Collection, order: str, months: list[tuple[tuple[int, int] | None, int, int]]
) -> None:
    found = atlas.listed(order).months()
    assert [(month.month, month.start, month.n_images) for month in found] == months


def test_an_empty_list_has_no_months(atlas: Collection) -> None:
    assert atlas.listed("date", where="width > 9000").months() == []


def test_a_narrowed_list_follows_the_labels(atlas: Collection) -> None:
    first = atlas.browse()[0].image_id
    atlas.label([first], "seen")
    assert len(atlas.listed(unlabelled=True)) == 3
    atlas.label([atlas.browse()[1].image_id], "seen")
    assert len(atlas.listed(unlabelled=True)) == 2
