"""Searching on the pages: expressions, sliders, bands of results, their pages."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import Page, expect

from tests.server.coloured import N_OF_EACH
from tests.web.visiting import Visit

pytestmark = pytest.mark.browser


def names(page: Page) -> list[str]:
    page.wait_for_selector(".panel img")
    return page.locator(".panel .name").all_text_contents()


def test_an_image_is_added_to_what_is_asked_and_taken_out_again(visit: Visit) -> None:
    page = visit.go("/search?q=red")
    first = page.locator(".panel li").first
    first.hover()
    first.get_by_role("link", name="Less like").click()
    page.wait_for_url(re.compile(r"q=red\+-\+image%3A"))
    terms = page.get_by_role("list", name="What is searched for").get_by_role("listitem")
    expect(terms).to_have_count(2)
    expect(page.get_by_label("What does the picture show?")).to_have_value(
        re.compile("^red - image:[0-9a-f]{32}$")
    )
    terms.nth(1).get_by_role("link", name="Change the sign of this image").click()
    page.wait_for_url(re.compile(r"q=red\+%2B\+image%3A"))
    terms.nth(0).get_by_role("link", name="Remove red").click()
    page.wait_for_url(re.compile(r"q=image%3A[0-9a-f]{32}$"))
    expect(page.get_by_role("heading", name="Images for “this image”")).to_be_visible()
    assert all("red" in name for name in names(page)[:N_OF_EACH])


def test_an_expression_that_cannot_be_read_is_said_beside_it(visit: Visit) -> None:
    page = visit.go("/search?q=-+red")
    expect(page.get_by_role("alert")).to_contain_text("only says what the pictures should not show")
    expect(page.get_by_label("What does the picture show?")).to_have_value("- red")


def test_a_slider_shows_its_number_and_searches_when_it_is_let_go(visit: Visit) -> None:
    page = visit.go("/search?q=red")
    page.get_by_text("Narrow it down").click()
    page.get_by_label("Score at least").fill("0.05")
    page.wait_for_url("**threshold=0.05**")
    expect(page.locator("html")).not_to_have_class(re.compile("is-turning"))
    assert "k=" not in page.url
    expect(page.locator("output").first).to_have_text("0.05")
    expect(page.get_by_label("Score at least")).to_have_value("0.05")
    page.get_by_label("Score at least").fill("0")
    page.wait_for_url(lambda url: "threshold" not in url)


def test_the_next_page_shows_the_next_results(visit: Visit) -> None:
    page = visit.go("/search?q=red&k=8")
    first = names(page)
    page.get_by_role("link", name="Later").click()
    page.wait_for_url("**page=2**")
    expect(page.locator(".pager")).to_contain_text("9 to 16 of 32")
    assert not set(first) & set(names(page))


def test_results_that_answer_can_be_labelled_and_taken_along(visit: Visit) -> None:
    page = visit.go("/search?q=red")
    all_of_them = page.get_by_role("link", name=re.compile(r"^Label all \d+$"))
    expect(all_of_them).to_have_attribute("href", "/label?q=red")
    with page.expect_download() as download:
        page.get_by_role("link", name="Results as a table (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert len(rows) == int(all_of_them.inner_text().split()[-1])
    assert "red" in rows[0]["path"]
    assert float(rows[0]["relevance"]) >= float(rows[-1]["relevance"]) >= 0.25


def test_a_result_is_left_for_the_next_by_keyboard_and_found_again(visit: Visit) -> None:
    page = visit.go("/search?q=red")
    shown = names(page)
    page.locator(".panel a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(shown[0])
    expect(page.get_by_role("navigation", name="Through the list")).to_contain_text("1 of")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", level=1)).to_have_text(shown[1])
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text(shown[2])
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_have_text(shown[1])
    page.keyboard.press("Escape")
    page.wait_for_url("**/search?q=red")


def test_only_images_chosen_by_hand_are_searched(visit: Visit) -> None:
    page = visit.go("/search?q=green")
    ids = [link.split("/")[2][:32] for link in _links(page)[:3]]
    kept = page.evaluate("(ids) => bilderatlas.send('/api/v1/selections', ids)", {"image_ids": ids})
    visit.go(f"/search?q=green&selection={kept['selection']}")
    assert len(names(page)) == 3
    page.get_by_role("link", name="Remove chosen by hand").click()
    page.wait_for_url("**/search?q=green")


def _links(page: Page) -> list[str]:
    page.wait_for_selector(".panel img")
    return [link.get_attribute("href") or "" for link in page.locator(".panel li > a").all()]
