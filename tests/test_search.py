"""Nearest images by hand, and the verbs that ask for them."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bilderatlas import search
from bilderatlas.collection import Collection
from bilderatlas.errors import ImageNotFound, ImageProblem, QueryError
from tests.pictures import collect, plain, put

# Four regions of three images in two dimensions; the second image has two regions.
EMBEDDINGS = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0]], np.float32)
IMAGE_OF = np.array([0, 1, 1, 2])
EAST, NORTH = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


def test_an_image_is_as_close_as_its_best_region() -> None:
    found = search.nearest(EAST, EMBEDDINGS, IMAGE_OF)
    assert found.images.tolist() == [0, 1, 2]
    assert found.scores.tolist() == pytest.approx([1, 0.6, -1])
    assert [rows.tolist() for rows in found.rows] == [[0], [2, 1], [3]]
    assert found.row_scores.tolist() == pytest.approx([1, 0.6, 0, -1])


@pytest.mark.parametrize(("k", "images"), [(1, [1]), (2, [1, 0]), (3, [1, 0, 2]), (99, [1, 0, 2])])
def test_k_images_are_found_where_there_are_as_many(k: int, images: list[int]) -> None:
    assert search.nearest(NORTH, EMBEDDINGS, IMAGE_OF, k=k).images.tolist() == images


@pytest.mark.parametrize(
    ("threshold", "images"), [(-1, [0, 1, 2]), (0.6, [0, 1]), (0.61, [0]), (1, [0]), (1.01, [])]
)
def test_below_the_threshold_nothing_is_found(threshold: float, images: list[int]) -> None:
    found = search.nearest(EAST, EMBEDDINGS, IMAGE_OF, threshold=threshold)
    assert found.images.tolist() == images
    assert len(found.rows) == len(found.scores) == len(found.relevance) == len(images)


def test_ties_come_by_number() -> None:
    same = np.tile(EAST, (5, 1))
    assert search.nearest(EAST, same, np.array([4, 3, 2, 1, 0]), k=3).images.tolist() == [0, 1, 2]


def test_only_allowed_rows_count() -> None:
    allowed = np.array([False, True, False, True])
    found = search.nearest(EAST, EMBEDDINGS, IMAGE_OF, allowed=allowed)
    assert found.images.tolist() == [1, 2]
    assert found.scores.tolist() == [0, -1]
    assert [rows.tolist() for rows in found.rows] == [[1], [3]]
    nothing = search.nearest(EAST, EMBEDDINGS, IMAGE_OF, k=2, allowed=np.zeros(4, bool))
    assert nothing.images.tolist() == []


def test_nothing_is_found_among_nothing() -> None:
    found = search.nearest(EAST, np.empty((0, 2), np.float32), np.empty(0, np.int32), k=5)
    assert (found.images.tolist(), found.rows, found.row_scores.tolist()) == ([], (), [])


def test_scores_never_leave_their_range() -> None:
    longer = np.array([[1.0001, 0]], np.float32)
    assert search.nearest(EAST, longer, np.array([0])).scores.tolist() == [1]


def test_all_of_many_images_are_listed_in_time() -> None:
    n = 100_000
    angles = np.random.default_rng(0).uniform(0, np.pi, n)
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    started = time.monotonic()
    found = search.nearest(EAST, embeddings, np.arange(n))
    assert time.monotonic() - started < 2
    assert [int(rows[0]) for rows in found.rows] == found.images.tolist()


def test_what_stands_out_is_relevant_and_the_crowd_is_not() -> None:
    crowd = np.random.default_rng(0).normal(0.1, 0.02, 1000)
    scores = np.append(crowd, 0.9).astype(np.float32)
    relevance = search.relevance(scores, np.array([1000, int(crowd.argsort()[500])]))
    assert relevance[0] > 0.95
    assert relevance[1] < 0.05


@pytest.mark.parametrize("n", [1, 7, 8, 50])
def test_relevance_is_a_share_and_rises_with_the_score(n: int) -> None:
    scores = np.linspace(-1, 1, n, dtype=np.float32)
    relevance = search.relevance(scores, np.arange(n))
    assert np.all((relevance >= 0) & (relevance <= 1))
    assert np.all(np.diff(relevance) >= 0)


def test_equal_scores_have_a_relevance() -> None:
    assert np.isfinite(search.relevance(np.full(20, 0.3, np.float32), np.arange(20))).all()


# -- the verbs


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pile")
    for colour in ("red", "lime", "blue", "yellow"):
        put(folder / f"{colour}.png", plain(colour))
    put(folder / "also-red.bmp", plain("red", format="BMP"))
    return folder


@pytest.fixture(scope="module")
def atlas(pile: Path, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return collect(tmp_path_factory.mktemp("atlas"), pile)


def found(hits: object) -> list[str]:
    return [Path(hit.path).name for hit in hits]  # type: ignore[attr-defined]


def test_words_find_pictures(atlas: Collection) -> None:
    assert found(atlas.search("blue", k=1)) == ["blue.png"]
    assert set(found(atlas.search("red", k=2))) == {"red.png", "also-red.bmp"}


def test_a_picture_finds_pictures(atlas: Collection, pile: Path) -> None:
    path = pile / "lime.png"
    for query in (path, str(path), path.read_bytes(), Image.new("RGB", (9, 9), (0, 255, 0))):
        hit = atlas.search(image=query, k=1)[0]
        assert Path(hit.path).name == "lime.png"
        assert hit.score == pytest.approx(1)


def test_a_hit_says_which_region_matched(atlas: Collection) -> None:
    hit = atlas.search("yellow", k=1)[0]
    [region] = hit.regions
    assert (region.kind, region.box) == ("image", (0, 0, 1, 1))
    assert region.region_id == hit.image_id
    assert region.score == hit.score == pytest.approx(1)


def test_conditions_and_kinds_narrow_a_search(atlas: Collection) -> None:
    assert found(atlas.search("red", where="media_type = 'image/bmp'")) == ["also-red.bmp"]
    assert found(atlas.search("red", kinds=["person"])) == []
    assert len(atlas.search("red", kinds=["image", "person"])) == 5


def test_all_within_a_radius_are_similar(atlas: Collection, pile: Path) -> None:
    """Red and yellow have the cosine 4 / (2 * sqrt(8)) = 0.7071."""
    red = str(pile / "red.png")
    assert found(atlas.similar(red, radius=0)) == ["also-red.bmp"]
    assert found(atlas.similar(red, radius=0.29)) == ["also-red.bmp"]
    assert found(atlas.similar(red, radius=0.30)) == ["also-red.bmp", "yellow.png"]
    assert len(atlas.similar(red, radius=2)) == 4
    assert found(atlas.similar(red, k=1)) == ["also-red.bmp"]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"query": "red", "k": 0}, "k is 0"),
        ({"query": "red", "k": -3}, "k is -3"),
        ({"query": "  "}, "empty"),
        ({}, "one of the two"),
        ({"query": "red", "image": "x.png"}, "one of the two"),
        ({"query": "red", "where": "nonsense ="}, "cannot be used"),
    ],
)
def test_a_question_without_answer_is_refused(
    atlas: Collection, how: dict[str, object], reason: str
) -> None:
    with pytest.raises(QueryError, match=reason):
        atlas.search(**how)  # type: ignore[arg-type]


def damaged_webp() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(buffer, "WEBP")
    return buffer.getvalue()[:-20]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"Dear diary, no picture today.", "not a picture"),
        (plain("red", side=64, format="BMP")[:300], "damaged or cut off"),
        (damaged_webp(), "damaged or cut off"),
    ],
)
def test_a_query_picture_that_is_none_is_refused(
    atlas: Collection, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = put(tmp_path / "query.jpg", content)
    with pytest.raises(ImageProblem, match=reason) as refused:
        atlas.search(image=path)
    assert str(path) in str(refused.value)
    with pytest.raises(ImageProblem, match=reason):
        atlas.search(image=content)


@pytest.mark.parametrize(("name", "reason"), [("nowhere.png", "No such file"), ("", "a folder")])
def test_a_query_file_that_is_not_there_is_refused(
    atlas: Collection, tmp_path: Path, name: str, reason: str
) -> None:
    with pytest.raises(ImageProblem, match=reason):
        atlas.search(image=tmp_path / name)


@pytest.mark.parametrize("image", ["nowhere.png", "0" * 32, "", "caf\udce9.png", "~$x", "a\0b"])
def test_an_image_that_is_not_in_the_collection_is_refused(atlas: Collection, image: str) -> None:
    with pytest.raises(ImageNotFound, match="holds no image"):
        atlas.similar(image)


@pytest.mark.parametrize("radius", [-0.1, 2.1, float("nan")])
def test_a_radius_that_is_none_is_refused(atlas: Collection, pile: Path, radius: float) -> None:
    with pytest.raises(QueryError, match="between 0 and 2"):
        atlas.similar(str(pile / "red.png"), radius=radius)
