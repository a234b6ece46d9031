"""Trying classifiers on a sample, and two spaces side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bilderatlas.collection import Collection
from bilderatlas.storage import Store
from tests.server.coloured import COLOURS, N_OF_EACH, make_collection
from tests.toy_encoder import ToyEncoder
from tests.web.visiting import Visit, served

pytestmark = pytest.mark.browser

N_IMAGES = len(COLOURS) * N_OF_EACH


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A collection with a second space, of the built-in encoder."""
    atlas = make_collection(tmp_path_factory.mktemp("spaces"))
    atlas.reindex(encoder="builtin")
    with served(Collection(Store.open(atlas.path), encoder=ToyEncoder())) as address:
        yield address


def test_words_are_tried_on_a_sample_and_none_of_them_is_said(visit: Visit) -> None:
    page = visit.go("/compare")
    page.get_by_label("Words, separated by commas").fill("red, blue, <b>yellow</b>")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"text={N_IMAGES} images drawn at random")
    bars = page.get_by_role("table")
    assert {"red", "blue", "<b>yellow</b>"} & set(bars.locator("th bdi").all_text_contents())
    n_blue = bars.get_by_role("row").filter(has_text="blue").locator("td").nth(1)
    expect(n_blue).to_have_text(str(N_OF_EACH))
    bars.get_by_role("link", name="blue").click()
    page.wait_for_url("**label=blue*")
    expect(page.locator(".small-panel")).to_have_count(1, timeout=15_000)
    alts = page.locator(".small-panel img").evaluate_all("all => all.map(i => i.alt)")
    assert len(alts) == N_OF_EACH
    assert all("blue" in alt for alt in alts)
    page.goto(f"{visit.address}/compare?prompts=red&none=1")
    page.wait_for_selector("main h2:has-text('none of these')")
    assert page.locator(".bars [aria-current]").all_text_contents() == ["none of these"]


def test_another_sample_is_drawn_by_another_seed(visit: Visit) -> None:
    page = visit.go("/compare?prompts=red,blue&n=5")
    page.wait_for_selector("text=5 images drawn at random")
    page.get_by_role("link", name="Another sample").click()
    page.wait_for_url("**seed=1*")
    expect(page.get_by_label("Seed")).to_have_value("1")


def test_what_cannot_be_tried_is_refused_in_its_own_words(visit: Visit) -> None:
    page = visit.go("/compare?by=builtin")
    expect(page.get_by_role("alert")).to_contain_text("space 'toy' holds those of 'toy'")


def test_with_one_space_the_way_to_another_is_told(visit: Visit) -> None:
    page = visit.go("/compare?view=spaces")
    expect(page.get_by_text("There is only one space")).to_be_visible()
    expect(page.get_by_text("bilderatlas reindex")).to_be_visible()


@pytest.mark.model
def test_two_spaces_answer_side_by_side_and_shared_hits_lead_to_each_other(
    visit: Visit, both: str
) -> None:
    visit.address = both
    page = visit.go("/compare?view=spaces")
    page.get_by_label("What does the picture show?").fill("red")
    page.get_by_label("How many answers").fill(str(N_IMAGES))
    page.keyboard.press("Enter")
    page.wait_for_selector(f"text={N_IMAGES} of {N_IMAGES} are shared")
    titles = page.locator(".sides h2").all_text_contents()
    assert set(titles) == {"toy", "builtin"}
    expect(page.locator(".sides li.shared")).to_have_count(2 * N_IMAGES)
    first = page.locator(".sides section").first.locator("li").first
    there = first.get_by_role("link", name=re.compile("there")).get_attribute("href") or ""
    assert page.locator(there).locator("img").get_attribute("alt") == first.locator(
        "img"
    ).get_attribute("alt")
    visit.go("/compare?view=spaces&q=red&k=5&space=toy&other=builtin")
    alts = (
        page.locator(".sides section")
        .first.locator("img")
        .evaluate_all("all => all.map(i => i.alt)")
    )
    assert len(alts) == 5
    assert all("red" in Path(alt).name for alt in alts)
