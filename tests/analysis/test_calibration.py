"""Cut-offs and relevance, on scores that can be worked out by hand."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from bilderatlas.analysis import calibration
from bilderatlas.analysis.calibration import Background, Judgement, count, judge, measure
from bilderatlas.arrays import Embeddings, Scores, to_unit_length

LEVEL = np.array([[0.0], [0.1]])
WORDS = Background(mean=0.0, spread=0.1, floor=2.0, levels=LEVEL, whole_levels=LEVEL)


def scored(*scores: float, n_unrelated: int = 100) -> Scores:
    """These scores, and those of many images that have nothing to do with the query."""
    return np.array([*scores, *np.linspace(-0.15, 0.15, n_unrelated)], np.float32)


def judged(scores: Scores, background: Background = WORDS) -> Judgement:
    """As if each were an image of its own, without parts."""
    n = len(scores)
    return judge(scores, np.zeros(n, np.int8), np.arange(n), background)


def counts(scores: Scores, background: Background = WORDS) -> tuple[int, int, int]:
    """Likely, doubtful, background."""
    return astuple(count(judged(scores, background).relevance, np.arange(len(scores))))


def test_the_cut_off_lies_half_way_from_the_median_to_the_third_best() -> None:
    scores = scored(0.9, 0.7, 0.54, 0.3, 0.2)
    assert judged(scores).cut == pytest.approx(0.27, abs=0.005)
    assert counts(scores) == (3, 1, 101)


def test_copies_of_the_query_do_not_lift_the_cut_off() -> None:
    assert judged(scored(1, 1, 0.5, 0.3)).cut == judged(scored(0.6, 0.6, 0.5, 0.3)).cut


def test_the_cut_off_stays_between_the_floor_and_a_spread_above_it() -> None:
    assert judged(scored(0.3, 0.3, 0.3)).cut == pytest.approx(0.2)
    everything_fits = np.linspace(0.5, 0.7, 200, dtype=np.float32)
    assert judged(everything_fits).cut == pytest.approx(0.3)
    assert counts(everything_fits) == (200, 0, 0)


def test_nothing_matches_where_the_best_is_no_better_than_unrelated_queries() -> None:
    """The floor is 0.2, and half a spread more is 0.25."""
    assert counts(scored(0.249)) == (0, 0, 101)
    assert counts(scored(0.251)) == (0, 1, 100)
    assert (judged(scored(0.249)).relevance < calibration.DOUBTFUL).all()


def test_odds_are_one_to_three_at_the_cut_off_and_fourfold_a_spread_further() -> None:
    scores = scored(0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
    judgement = judged(scores)
    assert judgement.cut == pytest.approx(0.3)
    relevance = judgement.relevance[[6, 5, 4, 3]]
    assert relevance == pytest.approx([1 / 13, 1 / 4, 4 / 7, 16 / 19], abs=1e-4)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 30])
def test_relevance_is_a_share_and_rises_with_the_score(n: int) -> None:
    for background in (WORDS, calibration.blind(1)):
        scores = np.linspace(-1, 1, n, dtype=np.float32)
        relevance = judged(scores, background).relevance
        assert ((relevance > 0) & (relevance < 1)).all()
        assert (np.diff(relevance) >= 0).all()
        assert sum(counts(scores, background)) == n


def test_few_images_are_judged_by_the_background_alone() -> None:
    assert counts(np.array([0.9, 0.24, 0.1], np.float32)) == (1, 1, 1)
    assert counts(np.array([0.1], np.float32)) == (0, 0, 1)


def test_nothing_searched_is_nothing_found() -> None:
    assert counts(np.empty(0, np.float32)) == (0, 0, 0)
    one, not_searched = np.array([0]), np.array([False])
    judgement = judge(np.array([0.9], np.float32), one, one, WORDS, counted=not_searched)
    assert astuple(count(judgement.relevance, one, not_searched)) == (0, 0, 0)


def test_an_image_counts_once_by_its_best_region_that_is_searched() -> None:
    relevance, image_of = np.array([0.1, 0.9, 0.3, 0.1]), np.array([0, 0, 0, 1])
    assert astuple(count(relevance, image_of)) == (1, 0, 1)
    without_best = np.array([True, False, True, True])
    assert astuple(count(relevance, image_of, without_best)) == (0, 1, 1)


def test_only_what_is_searched_moves_the_cut_off() -> None:
    scores, image_of = scored(0.9, 0.9, 0.9, 0.3, 0.3, 0.3), np.arange(106)
    kinds = np.zeros(106, np.int8)
    assert judge(scores, kinds, image_of, WORDS).cut == pytest.approx(0.3)
    without_best = judge(scores, kinds, image_of, WORDS, counted=scores < 0.9)
    assert without_best.cut == pytest.approx(0.2)


# -- the background


def random_rows(n: int, seed: int, n_dims: int = 64) -> Embeddings:
    return to_unit_length(np.random.default_rng(seed).normal(size=(n, n_dims)))


def test_random_directions_have_the_background_that_theory_says() -> None:
    """Cosines of random directions have the mean 0 and the variance 1 / D."""
    background = measure(
        random_rows(100, 0), random_rows(300, 1), np.arange(300), np.zeros(300, int), floor=2.0
    )
    assert background.mean == pytest.approx(0, abs=0.01)
    assert background.spread == pytest.approx(1 / 8, rel=0.03)


def crops(n_images: int, share: float) -> tuple[Embeddings, np.ndarray, np.ndarray]:
    """Each image and a part of it, whose cosine to anything is `share` of its image's."""
    wholes = random_rows(n_images, 1, 63)
    wholes = np.pad(wholes, ((0, 0), (0, 1)))
    parts = share * wholes
    parts[:, -1] = np.sqrt(1 - share**2)  # a direction that nothing else has
    image_of = np.tile(np.arange(n_images), 2)
    return (
        np.concatenate([wholes, parts]).astype(np.float32),
        image_of,
        np.repeat([0, 1], n_images),
    )


def test_a_part_is_brought_to_the_level_of_its_whole_picture() -> None:
    embeddings, image_of, kinds = crops(200, 0.5)
    probes = np.pad(random_rows(100, 0, 63), ((0, 0), (0, 1)))
    background = measure(probes, embeddings, image_of, kinds, floor=2.0)
    assert background.levels[1, 1] == pytest.approx(background.whole_levels[1, 1] / 2, rel=1e-3)
    scores = np.array([0.6, 0.3], np.float32)  # of a picture, and of its part
    judgement = judge(scores, np.array([0, 1]), np.array([0, 1]), background)
    assert judgement.relevance[0] == pytest.approx(judgement.relevance[1], rel=1e-3)


def test_a_kind_with_few_regions_goes_by_all_parts() -> None:
    embeddings, image_of, kinds = crops(200, 0.5)
    kinds[-3:] = 2
    probes = np.pad(random_rows(100, 0, 63), ((0, 0), (0, 1)))
    levels = measure(probes, embeddings, image_of, kinds, floor=2.0).levels
    assert levels[:, 2] == pytest.approx(levels[:, 1], abs=1e-3)


def test_the_background_is_of_images_by_their_best_region() -> None:
    embeddings, image_of, kinds = crops(200, 0.5)
    probes = np.pad(random_rows(100, 0, 63), ((0, 0), (0, 1)))
    alone = measure(probes, embeddings[:200], image_of[:200], kinds[:200], floor=2.0)
    copied = np.concatenate([embeddings[:200], random_rows(200, 5)])
    both = measure(probes, copied, image_of, kinds, floor=2.0)
    assert both.mean > alone.mean + 0.05


def test_pictures_are_not_compared_with_themselves() -> None:
    """Every picture is alone in its direction."""
    embeddings = np.eye(40, dtype=np.float32)
    images = np.arange(40)
    kinds = np.zeros(40, int)
    background = measure(embeddings, embeddings, images, kinds, floor=1.0, owners=images)
    assert (background.mean, background.spread) == (0, calibration.SMALLEST_SPREAD)


def test_seven_pictures_say_nothing_of_the_usual() -> None:
    rows, images, kinds = random_rows(7, 0), np.arange(7), np.zeros(7, int)
    background = measure(rows, rows, images, kinds, floor=1.0, owners=images)
    assert background.mean + background.floor * background.spread == 0.5
    assert measure(random_rows(9, 1), rows, images, kinds, floor=2.0).spread != 0.25


def test_a_mixture_has_the_background_of_its_sum() -> None:
    """By a second route: the scores of pairs of unrelated queries, added up."""
    embeddings = random_rows(400, 2)
    words, pictures = random_rows(100, 3) * 0.5, random_rows(100, 4)
    images, kinds = np.arange(400), np.zeros(400, int)
    added = measure(0.8 * words + 0.3 * pictures, embeddings, images, kinds, floor=1.5)
    of_words = measure(words, embeddings, images, kinds, floor=2.0)
    of_pictures = measure(pictures, embeddings, images, kinds, floor=1.0)
    mixture = calibration.mixed([of_words, of_pictures], np.array([0.8, 0.3]))
    assert mixture.mean == pytest.approx(added.mean, abs=0.003)
    assert mixture.spread == pytest.approx(added.spread, rel=0.03)
    assert mixture.floor == pytest.approx((0.4 * 2 + 0.3 * 1) / 0.7, rel=0.05)
    assert mixture.levels == pytest.approx(added.levels, abs=0.005)


def test_what_pictures_are_to_be_unlike_only_moves_the_background() -> None:
    sea = Background(0.3, 0.1, 1.0, LEVEL, LEVEL)
    without_sea = calibration.mixed([WORDS, sea], np.array([1.0, -0.5]))
    assert (without_sea.mean, without_sea.spread, without_sea.floor) == (-0.15, 0.1, 2.0)


def test_many_regions_are_sampled_by_whole_images() -> None:
    n = 3 * calibration.N_ROWS
    embeddings = random_rows(n, 0, 4)
    embeddings[1::2] = embeddings[::2]  # the other half of each image
    image_of, kinds = np.arange(n) // 2, np.arange(n) % 2
    background = measure(random_rows(20, 1, 4), embeddings, image_of, kinds, floor=2.0)
    assert background.levels[:, 0] == pytest.approx(background.levels[:, 1])


def test_the_probes_are_a_hundred_different_words() -> None:
    assert len(set(calibration.PROBES)) == len(calibration.PROBES) == 100
