"""`duplicates`: groups of files, which to keep and why, and what people said of them."""

import os
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from bilderatlas.collection import Collection
from bilderatlas.errors import DecisionError, ImageNotFound, QueryError
from tests.analysis.duplicates.pictures import scene
from tests.pictures import collect, plain, put, saved


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """Three scenes: the first with a small, a turned and an exact copy; and two blank pictures."""
    pile = tmp_path / "pile"
    for seed in range(3):
        put(pile / f"scene-{seed}.png", saved(scene(seed), "PNG"))
    put(pile / "small.jpg", saved(scene(0).resize((120, 80)), "JPEG"))
    put(pile / "turned.png", saved(scene(0).transpose(Image.Transpose.ROTATE_90), "PNG"))
    put(pile / "a second one.png", saved(scene(0), "PNG"))
    put(pile / "blank.png", plain("#eeeeee"))
    put(pile / "blank too.png", plain("#eeeeef"))
    for age, name in enumerate(("turned.png", "scene-0.png", "a second one.png")):
        os.utime(pile / name, (1_000_000_000 + age, 1_000_000_000 + age))
    return pile


@pytest.fixture
def atlas(pile: Path, tmp_path: Path) -> Collection:
    return collect(tmp_path, pile)


def names(group: object) -> list[str]:
    return [Path(copy.path).name for copy in group.copies]  # type: ignore[attr-defined]


def test_copies_are_in_one_group_with_the_reason(atlas: Collection) -> None:
    found = atlas.duplicates()
    assert len(found) == 1
    assert found.n_copies == 3
    group = found[0]
    told = {Path(copy.path).name: copy for copy in group.copies}
    assert set(told) == {"scene-0.png", "a second one.png", "small.jpg"}
    assert told["a second one.png"].reason == "exact"
    assert told["small.jpg"].turn == "turned right"
    assert "hash" in told["small.jpg"].reason
    assert told["small.jpg"].likeness > 0.9


def test_a_copy_with_a_frame_is_found(tmp_path: Path) -> None:
    pile = tmp_path / "pile"
    put(pile / "scene.png", saved(scene(0), "PNG"))
    put(pile / "framed.jpg", saved(ImageOps.expand(scene(0), 12, "white"), "JPEG"))
    copy = collect(tmp_path, pile).duplicates(max_bits=20, min_cosine=0.1)[0].copies[0]
    assert Path(copy.path).name == "scene.png"
    assert copy.likeness > 0.9


def test_the_largest_is_kept_then_the_oldest(atlas: Collection, pile: Path) -> None:
    group = atlas.duplicates()[0]
    assert Path(group.path).name == "turned.png"
    assert group.why == "the oldest: 2001-09-09 01:46"
    put(pile / "large.png", saved(scene(0).resize((480, 320)), "PNG"))
    atlas.index(pile)
    group = atlas.duplicates()[0]
    assert (Path(group.path).name, group.why) == ("large.png", "the largest: 480 x 320")


def test_exact_copies_alone_are_a_group(tmp_path: Path) -> None:
    for name in ("b.png", "a.png"):
        put(tmp_path / "pile" / name, saved(scene(7), "PNG"))
        os.utime(tmp_path / "pile" / name, (1e9, 1e9))
    (group,) = collect(tmp_path, tmp_path / "pile").duplicates()
    assert (Path(group.path).name, names(group)) == ("a.png", ["b.png"])
    assert group.why == "the first by name: size and age are the same"


def test_two_that_are_said_to_be_none_are_apart_ever_after(atlas: Collection, pile: Path) -> None:
    decision = atlas.not_duplicates(str(pile / "scene-0.png"), str(pile / "small.jpg"))
    assert decision.verb == "not-duplicate"
    shown = [{Path(group.path).name, *names(group)} for group in atlas.duplicates()]
    assert not any({"scene-0.png", "small.jpg"} <= group for group in shown)


def test_one_image_is_no_pair(atlas: Collection, pile: Path) -> None:
    with pytest.raises(DecisionError, match="one image"):
        atlas.not_duplicates(str(pile / "scene-0.png"), str(pile / "a second one.png"))
    with pytest.raises(ImageNotFound, match="nosuch"):
        atlas.not_duplicates("nosuch.png", str(pile / "small.jpg"))


@pytest.mark.parametrize("limit", [{"min_likeness": 1}, {"max_bits": 0, "min_cosine": 1}])
def test_stricter_limits_find_less(atlas: Collection, limit: dict[str, float]) -> None:
    strict = atlas.duplicates(**limit)  # type: ignore[arg-type]
    assert strict.n_copies < atlas.duplicates().n_copies


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"max_bits": 64}, "max_bits is 64"),
        ({"min_cosine": 0}, "min_cosine is 0"),
        ({"min_likeness": 2}, "min_likeness is 2"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(
    atlas: Collection, limit: dict[str, float], said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        atlas.duplicates(**limit)  # type: ignore[arg-type]


def test_results_become_tables_and_pictures(atlas: Collection) -> None:
    found = atlas.duplicates()
    document = found.to_dict()
    assert (document["n_groups"], document["n_copies"]) == (1, 3)
    assert found.to_pandas()["why"].str.startswith("the oldest").all()
    assert found.contact_sheet().startswith(b"\x89PNG")


def test_a_pile_without_copies_has_no_groups(tmp_path: Path) -> None:
    put(tmp_path / "pile" / "one.png", saved(scene(0), "PNG"))
    found = collect(tmp_path, tmp_path / "pile").duplicates()
    assert len(found) == 0
    assert found._repr_png_() is None
