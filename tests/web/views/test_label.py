"""Labelling on the pages, by keyboard and by pointer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bilderatlas.collection import Collection
from tests.server.coloured import COLOURS, HOSTILE, N_OF_EACH, make_collection
from tests.web.visiting import Visit, served

pytestmark = pytest.mark.browser

N_IMAGES = len(COLOURS) * N_OF_EACH


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_collection(tmp_path_factory.mktemp("labels"))


@pytest.fixture(scope="module")
def address(atlas: Collection) -> Iterator[str]:
    with served(atlas) as address:
        yield address


@pytest.fixture(autouse=True)
def unlabelled(atlas: Collection) -> None:
    """Every test begins without labels."""
    for each in atlas.decisions():
        atlas.decide("undo", each.decision)


def of_colour(atlas: Collection, colour: str) -> list[str]:
    return atlas.select(where=f"path LIKE '%{colour}%.png'")


def boxes(page: Page) -> list[str]:
    page.wait_for_selector(".labelling [data-pick]")
    found = page.locator(".labelling [data-pick]").all()
    return [each.get_attribute("data-pick") or "" for each in found]


def test_pictures_are_labelled_without_the_pointer(visit: Visit, atlas: Collection) -> None:
    page = visit.go("/label?show=unlabelled")
    expect(page.get_by_text(f"0 of {N_IMAGES} images labelled")).to_be_visible()
    first = boxes(page)
    page.locator(f"[data-pick='{first[0]}']").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".dock output")).to_have_text("2 pictures selected")
    page.keyboard.type("warm")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"2 of {N_IMAGES} images labelled")).to_be_visible()
    assert atlas.labelled("warm") == first[:2]
    # the focus is on a picture again, and the label has a key now
    page.keyboard.press("1")
    expect(page.get_by_text(f"3 of {N_IMAGES} images labelled")).to_be_visible()
    expect(page.locator("#said")).to_contain_text("“warm”: 1")
    page.keyboard.press("z")
    expect(page.get_by_text(f"2 of {N_IMAGES} images labelled")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_text(f"0 of {N_IMAGES} images labelled")).to_be_visible()
    assert atlas.labelled() == []


def test_all_suggestions_of_a_group_are_accepted_at_once(visit: Visit, atlas: Collection) -> None:
    for colour in COLOURS:
        atlas.label(of_colour(atlas, colour)[:1], colour)
    page = visit.go("/label")
    n_left = N_OF_EACH - 1
    group = page.locator("section", has=page.get_by_role("heading", name="red", exact=True))
    expect(group.locator("[data-pick]")).to_have_count(n_left)
    page.get_by_role("button", name=f"Accept all {n_left} as “red”").click()
    expect(page.get_by_text(f"{N_OF_EACH + 3} of {N_IMAGES} images labelled")).to_be_visible()
    assert set(atlas.labelled("red")) == set(of_colour(atlas, "red"))
    page.locator("#said button").click()
    expect(page.get_by_text(f"4 of {N_IMAGES} images labelled")).to_be_visible()


def test_enter_accepts_what_is_suggested_for_a_picture(visit: Visit, atlas: Collection) -> None:
    red = of_colour(atlas, "red")
    atlas.label(red[:1], "red")
    page = visit.go("/label")
    page.locator(f"[data-pick='{red[1]}']").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"2 of {N_IMAGES} images labelled")).to_be_visible()
    assert set(atlas.labelled("red")) == set(red[:2])


def test_a_label_is_given_and_taken_by_the_pointer(visit: Visit, atlas: Collection) -> None:
    red = of_colour(atlas, "red")
    atlas.label(red[:1], "red")
    page = visit.go("/label?show=unlabelled")
    item = page.locator(".labelling > li", has=page.locator(f"[data-pick='{red[1]}']"))
    item.get_by_role("button", name="Give it “red”").click()
    expect(page.get_by_text(f"2 of {N_IMAGES} images labelled")).to_be_visible()
    visit.go("/label?label=red")
    assert set(boxes(page)) == set(red[:2])
    page.get_by_role("button", name="Remove “red”").first.click()
    expect(page.get_by_text(f"1 of {N_IMAGES} images labelled")).to_be_visible()
    expect(page.locator(".labelling > li")).to_have_count(1)


def test_everything_that_is_meant_is_labelled_after_a_question(
    visit: Visit, atlas: Collection
) -> None:
    page = visit.go("/label?q=red&show=unlabelled")
    n = len(atlas.select("red"))
    assert N_OF_EACH <= n < N_IMAGES
    page.get_by_text(f"Label all {n} images at once").click()
    page.locator("#label-all").fill(HOSTILE)
    page.once("dialog", lambda question: question.dismiss())
    page.get_by_role("button", name="Label all").click()
    assert atlas.labelled() == []
    page.once("dialog", lambda question: question.accept())
    page.get_by_role("button", name="Label all").click()
    expect(page.get_by_text(f"{n} of {N_IMAGES} images labelled")).to_be_visible()
    assert len(atlas.labelled(HOSTILE)) == n
    expect(page.get_by_text("Nothing is left to label here")).to_be_visible()


def test_a_cluster_and_its_pictures_are_meant(visit: Visit, atlas: Collection) -> None:
    cluster = atlas.clustering().clusters[0].cluster
    page = visit.go(f"/label?cluster={cluster}&show=unlabelled")
    assert boxes(page) == atlas.select(cluster=cluster)
    expect(page.get_by_text(f"In cluster {cluster}.")).to_be_visible()
    page.get_by_role("link", name="Everywhere").click()
    expect(page.locator(".labelling > li")).to_have_count(N_IMAGES)


def test_a_selection_and_a_condition_are_meant(visit: Visit, atlas: Collection) -> None:
    kept = atlas.keep_selection([*of_colour(atlas, "red"), *of_colour(atlas, "blue")])
    page = visit.go(f"/label?selection={kept}&where=year+%3E+1955&show=unlabelled")
    meant = atlas.select(selection=kept, where="year > 1955")
    assert boxes(page) == meant
    page.get_by_text(f"Label all {len(meant)} images at once").click()
    page.locator("#label-all").fill("late")
    page.once("dialog", lambda question: question.accept())
    page.get_by_role("button", name="Label all").click()
    page.wait_for_selector("text=Nothing is left to label here")
    assert atlas.labelled("late") == sorted(meant, key=atlas.select().index)


def test_before_there_are_labels_the_most_different_pictures_come_first(visit: Visit) -> None:
    page = visit.go("/label")
    expect(page.get_by_text("Nothing is labelled yet")).to_be_visible()
    alts = page.locator(".labelling img").evaluate_all("all => all.slice(0, 4).map(i => i.alt)")
    assert {colour for colour in COLOURS for alt in alts if colour in alt} == set(COLOURS)


def test_the_keys_are_listed(visit: Visit) -> None:
    page = visit.go("/label")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("undo the last change")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()


def test_a_label_that_cannot_be_is_refused_in_its_own_words(visit: Visit) -> None:
    page = visit.go("/label?show=sideways")
    expect(page.get_by_role("alert")).to_contain_text("show is 'sideways'")


def test_the_page_fits_a_narrow_window(visit: Visit, atlas: Collection) -> None:
    atlas.label(of_colour(atlas, "red")[:2], "W" * 200)
    visit.page.set_viewport_size({"width": 400, "height": 800})
    page = visit.go("/label")
    assert page.evaluate("document.documentElement.scrollWidth") == 400
