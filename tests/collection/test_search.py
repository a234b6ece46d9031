"""Nearest images by hand, and the verbs that ask for them."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bilderatlas.analysis import search
from bilderatlas.analysis.search import Evidence
from bilderatlas.collection import Collection
from bilderatlas.errors import ImageNotFound, ImageProblem, QueryError
from bilderatlas.storage import Store
from tests.pictures import collect, plain, put
from tests.toy_encoder import ToyEncoder

# Four regions of three images in two dimensions; the second image has two regions.
EMBEDDINGS = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0]], np.float32)
IMAGE_OF = np.array([0, 1, 1, 2])
EAST, NORTH = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


def ranked(
    relevance: Sequence[float],
    *,
    weights: Sequence[float] | None = None,
    scores: Sequence[float] | None = None,
    image_of: Sequence[int] = (0, 1, 1, 2),
    **how: Any,
) -> search.NearestImages:
    """The images of some regions; their scores are a tenth of their relevance unless said."""
    worth = np.array(relevance, np.float64)
    return search.nearest(
        worth.astype(np.float32) / 10 if scores is None else np.array(scores, np.float32),
        worth,
        np.array(image_of, np.int32),
        np.ones(len(worth)) if weights is None else np.array(weights, np.float64),
        **how,
    )


def test_the_score_is_the_cosine() -> None:
    assert search.cosines(EAST, EMBEDDINGS).tolist() == pytest.approx([1, 0, 0.6, -1])
    longer = np.array([[1.0001, 0]], np.float32)
    assert search.cosines(EAST, longer).tolist() == [1]


def test_an_image_is_as_relevant_as_its_best_region() -> None:
    found = ranked([0.7, 0.1, 0.9, 0.2])
    assert found.images.tolist() == [1, 0, 2]
    assert found.relevance.tolist() == [0.9, 0.7, 0.2]
    assert found.scores.tolist() == pytest.approx([0.09, 0.07, 0.02])
    assert [rows.tolist() for rows in found.rows] == [[2, 1], [0], [3]]


def test_the_share_of_a_region_is_its_part_of_what_speaks_for_the_image() -> None:
    found = ranked([0.7, 0.1, 0.9, 0.2])
    assert found.row_shares.tolist() == pytest.approx([0.9, 0.1, 1, 1])
    doubled = ranked([0.7, 0.1, 0.9, 0.2], weights=[1, 27, 1, 1])
    assert doubled.rows[0].tolist() == [1, 2]
    assert doubled.row_shares[:2].tolist() == pytest.approx([0.75, 0.25])
    assert ranked([0.0, 0.0, 0.0, 0.0]).row_shares.tolist() == [1, 0.5, 0.5, 1]


def test_a_weight_lifts_a_region_and_leaves_its_relevance() -> None:
    found = ranked([0.7, 0.1, 0.4, 0.2], weights=[1, 1, 2, 1])
    assert found.images.tolist() == [1, 0, 2]
    assert found.relevance.tolist() == [0.4, 0.7, 0.2]


def test_by_the_mean_every_region_counts_by_its_weight() -> None:
    found = ranked([0.7, 0.1, 0.9, 0.2], aggregate="mean")
    assert found.images.tolist() == [0, 1, 2]
    assert found.relevance.tolist() == pytest.approx([0.7, 0.5, 0.2])
    weighted = ranked([0.7, 0.1, 0.9, 0.2], weights=[1, 1, 7, 1], aggregate="mean")
    assert weighted.images.tolist() == [1, 0, 2]
    assert weighted.relevance.tolist() == pytest.approx([0.8, 0.7, 0.2])
    assert weighted.row_shares.tolist() == pytest.approx([6.3 / 6.4, 0.1 / 6.4, 1, 1])


@pytest.mark.parametrize("aggregate", search.AGGREGATES)
def test_a_region_of_weight_0_does_not_count(aggregate: str) -> None:
    found = ranked([0.7, 0.1, 0.9, 0.2], weights=[0, 1, 0, 1], aggregate=aggregate)
    assert found.images.tolist() == [2, 1]
    assert found.relevance.tolist() == [0.2, 0.1]
    assert [rows.tolist() for rows in found.rows] == [[3], [1]]
    nothing = ranked([0.7, 0.1, 0.9, 0.2], weights=[0, 0, 0, 0], aggregate=aggregate, k=2)
    assert (nothing.images.tolist(), nothing.rows) == ([], ())


@pytest.mark.parametrize(("k", "images"), [(1, [1]), (2, [1, 0]), (3, [1, 0, 2]), (99, [1, 0, 2])])
def test_k_images_are_found_where_there_are_as_many(k: int, images: list[int]) -> None:
    assert ranked([0.7, 0.1, 0.9, 0.2], k=k).images.tolist() == images


def test_ties_go_by_score_and_then_by_number() -> None:
    same = [0.5] * 5
    assert ranked(same, image_of=[4, 3, 2, 1, 0], k=3).images.tolist() == [0, 1, 2]
    by_score = ranked(same, scores=[0.1, 0.3, 0.1, 0.2, 0.1], image_of=[4, 3, 2, 1, 0], k=3)
    assert by_score.images.tolist() == [3, 1, 0]


def test_nothing_is_found_among_nothing() -> None:
    found = ranked([], image_of=[], k=5)
    assert (found.images.tolist(), found.rows, found.row_shares.tolist()) == ([], (), [])


def test_all_of_many_images_are_listed_in_time() -> None:
    n = 100_000
    relevance = np.random.default_rng(0).uniform(0, 1, n)
    started = time.monotonic()
    found = search.nearest(relevance.astype(np.float32), relevance, np.arange(n), np.ones(n))
    assert time.monotonic() - started < 2
    assert [int(rows[0]) for rows in found.rows] == found.images.tolist()


def evidence(way: str, rows: list[int], relevance: list[float]) -> Evidence:
    return Evidence(way, np.array(rows, np.int64), np.array(relevance))


def test_a_region_is_irrelevant_only_if_by_everything_that_speaks_for_it() -> None:
    by_picture = np.array([0.5, 0.2, 0.0, 0.4])
    words, label = evidence("words", [1, 3], [0.5, 0.3]), evidence("label", [2, 1], [0.9, 0.5])
    relevance, ways = search.combine(by_picture, [words, label])
    assert relevance.tolist() == pytest.approx([0.5, 1 - 0.8 * 0.5 * 0.5, 0.9, 1 - 0.6 * 0.7])
    assert [search.WAYS[way] for way in ways] == ["picture", "words", "label", "picture"]
    assert by_picture.tolist() == [0.5, 0.2, 0.0, 0.4]


def test_without_anything_read_the_picture_decides() -> None:
    relevance, ways = search.combine(np.array([0.5, 0.2]), [])
    assert (relevance.tolist(), ways.tolist()) == ([0.5, 0.2], [0, 0])


def test_terms_count_by_how_far_their_scores_spread() -> None:
    """East's scores, 1 and -1, spread twice as far as those of the other, 0.5 and -0.5."""
    embeddings = np.array([[1, 0], [-1, 0]] * 4, np.float32)
    queries = np.array([EAST, [0.5, np.sqrt(0.75)]], np.float32)
    shares = search.balance(queries, [1, 1], embeddings)
    assert shares[1] == pytest.approx(2 * shares[0])
    assert np.linalg.norm(shares @ queries) == pytest.approx(1)
    few = search.balance(queries, [1, 1], embeddings[:7])
    assert few[1] == pytest.approx(few[0])


def test_terms_that_cancel_out_count_nothing() -> None:
    assert search.balance(np.stack([EAST, EAST]), [1, -1], EMBEDDINGS).tolist() == [0, 0]


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


def test_a_model_that_wants_a_prompt_before_questions_gets_it(tmp_path: Path) -> None:
    put(tmp_path / "pile" / "red.png", plain("red"))
    atlas = collect(tmp_path, tmp_path / "pile")
    asking = Collection(Store.open(atlas.path), encoder=ToyEncoder(query_prompt="blue "))
    assert atlas.search("red")[0].score == pytest.approx(1, abs=1e-5)
    # blue and red are (.5, 0, .5) and darkness .5 beside (1, 0, 0) and none: 1 / 3 ** .5
    assert asking.search("red")[0].score == pytest.approx(3**-0.5, abs=1e-5)


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


def test_an_image_is_found_by_any_of_its_places(atlas: Collection, pile: Path) -> None:
    put(pile / "copies" / "a.png", (pile / "red.png").read_bytes())
    atlas.index(pile)
    by_one, by_other = (
        [hit.image_id for hit in atlas.search("red", where=f"path LIKE '%/{path}'")]
        for path in ("copies/a.png", "red.png")
    )
    assert len(by_one) == 1
    assert by_one == by_other


def test_below_the_threshold_nothing_is_found(atlas: Collection) -> None:
    """Red and yellow have the cosine 4 / (2 * sqrt(8)) = 0.7071."""
    assert len(atlas.search("red", threshold=0.7)) == 3
    assert len(atlas.search("red", threshold=0.71)) == 2
    assert len(atlas.search("red", threshold=1.01)) == 0


def test_a_search_says_how_many_of_the_images_answer(atlas: Collection) -> None:
    """Of red, red, yellow, lime and blue; k and the threshold do not change the count."""
    verdict = atlas.search("red", k=1, threshold=0.9).verdict
    assert verdict.n_likely + verdict.n_doubtful + verdict.n_background == 5
    assert verdict.n_likely == 2
    assert str(verdict) == f"2 likely, {verdict.n_doubtful} doubtful"
    within = atlas.search("red", where="media_type = 'image/bmp'").verdict
    assert within.n_likely + within.n_doubtful + within.n_background == 1


def test_what_is_in_no_picture_is_refused(atlas: Collection) -> None:
    hits = atlas.search("black", k=2)
    assert len(hits) == 2
    assert str(hits.verdict) == "nothing here matches"
    assert all(hit.relevance < 0.25 for hit in hits)


def test_a_mixture_is_judged_as_well(atlas: Collection, pile: Path) -> None:
    assert found(atlas.search(f"{pile / 'red.png'} + green", k=1)) == ["yellow.png"]
    verdict = atlas.search(f"{pile / 'red.png'} + green").verdict
    assert verdict.n_likely + verdict.n_doubtful + verdict.n_background == 5


def test_new_images_change_what_a_search_is_judged_by(pile: Path, tmp_path: Path) -> None:
    atlas = collect(tmp_path, pile)
    assert atlas.search("red").verdict.n_background < 5
    for shade in range(20):
        put(tmp_path / "more" / f"{shade}.png", plain(f"rgb(0, 0, {100 + shade})"))
    atlas.index(tmp_path / "more")
    verdict = atlas.search("red").verdict
    assert verdict.n_likely + verdict.n_doubtful + verdict.n_background == 25
    assert verdict.n_background >= 20


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
        ({"query": "red", "where": "nonsense ="}, "cannot be used"),
        ({"query": "red", "kinds": ["persn"]}, "no kind of region 'persn'.*image, person"),
        ({"query": "red", "without": ["dogs"]}, "no kind of region 'dogs'"),
        ({"query": "red", "weights": {"dogs": 2}}, "no kind of region 'dogs'"),
        ({"query": "red", "weights": {"person": -1}}, "weight of kind 'person' is -1"),
        ({"query": "red", "weights": {"text": float("nan")}}, "weight of kind 'text' is nan"),
        ({"query": "red", "kinds": ["text"], "without": ["text"]}, "Every kind .* left out"),
        ({"query": "red", "aggregate": "sum"}, "by 'sum'. Use max"),
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
