"""The map page: colours, selecting, what can be done to what is selected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server.coloured import COLOURS, N_OF_EACH, make_collection
from tests.web.test_accessibility import violations
from tests.web.visiting import Visit, served

pytestmark = pytest.mark.browser

N = len(COLOURS) * N_OF_EACH


@pytest.fixture(scope="module")
def own_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A collection that these tests may change."""
    with served(make_collection(tmp_path_factory.mktemp("map"))) as address:
        yield address


@pytest.fixture
def editing(browser: Browser, own_address: str) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(15_000)
    visit = Visit(context.new_page(), own_address)
    yield visit
    context.close()
    assert visit.complaints == []


def drawn(visit: Visit, path: str) -> Page:
    page = visit.go(path)
    page.wait_for_selector(".plot canvas[data-drawn-ms]")
    return page


def drag_around(page: Page, *, button: str | None = None) -> None:
    """Drag over the whole plot, from its upper left to its lower right, and back on the way."""
    if button:
        page.get_by_role("button", name=button, exact=True).click()
    box = page.locator(".plot canvas").bounding_box()
    assert box is not None
    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
    page.mouse.move(left, top)
    page.mouse.down()
    corners = [(right, bottom)] if button == "Rectangle" else [(right, top), (right, bottom)]
    for x, y in [*corners, *([] if button == "Rectangle" else [(left, bottom)])]:
        page.mouse.move(x, y, steps=3)
    page.mouse.up()


@pytest.mark.parametrize("tool", ["Lasso", "Rectangle"])
def test_what_is_drawn_around_is_selected_and_named_by_the_address(visit: Visit, tool: str) -> None:
    page = drawn(visit, "/map?run=pca-1")
    drag_around(page, button=tool)
    panel = page.get_by_role("region", name="What is selected")
    expect(panel.get_by_role("heading")).to_have_text(f"{N} pictures selected")
    assert re.search(r"run=pca-1&selection=[0-9a-f]{16}$", page.url)
    page.reload()
    expect(panel.get_by_role("heading")).to_have_text(f"{N} pictures selected")
    assert violations(page) == []
    panel.get_by_role("link", name="Select none").click()
    expect(panel).to_have_count(0)


def test_shift_and_a_drag_is_a_lasso_also_in_space(visit: Visit) -> None:
    page = drawn(visit, "/map?run=pca-2")
    page.keyboard.down("Shift")
    drag_around(page)
    page.keyboard.up("Shift")
    page.wait_for_url("**selection=**")
    expect(page.get_by_text("pictures selected")).to_be_visible()


def test_all_in_view_is_selected_by_keyboard(visit: Visit) -> None:
    page = drawn(visit, "/map?run=pca-1")
    page.locator(".plot canvas").focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")  # until only some are in view
    page.get_by_role("button", name="Select all in view").press("Enter")
    selected = page.get_by_role("heading", name=re.compile(r"\d+ pictures? selected"))
    assert 0 < int(selected.inner_text().split()[0]) < N


def test_a_map_is_coloured_by_what_is_chosen(visit: Visit) -> None:
    page = drawn(visit, "/map?run=pca-1")
    legend = page.get_by_role("navigation", name="What the colours mean")
    expect(legend.get_by_role("button")).to_have_count(len(COLOURS))
    before = page.locator(".plot canvas").screenshot()
    page.get_by_label("Coloured by").select_option("year")
    page.wait_for_url("**colour=year**")
    expect(legend.get_by_role("button")).to_have_count(N_OF_EACH)  # years, each with four colours
    expect(legend.get_by_role("button").first).to_contain_text("1950")
    page.wait_for_timeout(300)
    assert page.locator(".plot canvas").screenshot() != before


def test_an_entry_of_the_legend_stands_out_and_a_cluster_opens(visit: Visit) -> None:
    page = drawn(visit, "/map?run=pca-1")
    before = page.locator(".plot canvas").screenshot()
    entry = page.locator(".legend button").first
    entry.press("Enter")
    expect(entry).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(200)
    assert page.locator(".plot canvas").screenshot() != before
    page.locator(".legend a").first.click()
    page.wait_for_url("**/clusters/*")


def test_what_is_selected_is_labelled_and_the_map_coloured_by_it(editing: Visit) -> None:
    page = drawn(editing, "/map?run=pca-1")
    drag_around(page, button="Rectangle")
    page.get_by_label("Give them the label").fill("everything")
    page.get_by_role("button", name="Label", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Labelled.")
    page.get_by_label("Coloured by").select_option("labels")
    expect(page.locator(".legend button")).to_have_text([re.compile(f"everything.*{N}")])


def test_what_is_selected_moves_to_a_cluster(editing: Visit) -> None:
    page = drawn(editing, "/map?run=pca-1")
    drag_around(page, button="Rectangle")
    page.get_by_label("Move them to the cluster").select_option(index=0)
    page.get_by_role("button", name="Move", exact=True).last.click()
    expect(page.get_by_role("status")).to_contain_text("Moved.")
    expect(page.locator(".legend button")).to_have_count(1)


@pytest.mark.parametrize("way", ["Open as a list", "Label one by one"])
def test_what_is_selected_opens_on_other_pages(visit: Visit, way: str) -> None:
    page = drawn(visit, "/map?run=pca-1")
    drag_around(page, button="Rectangle")
    page.get_by_role("link", name=way).click()
    page.wait_for_url(re.compile("/(gallery|label).selection="))
    expect(page.locator("main")).to_contain_text(f"{N}")


def test_what_is_selected_is_exported(visit: Visit) -> None:
    page = drawn(visit, "/map?run=pca-1")
    drag_around(page, button="Rectangle")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export (CSV)").click()
    assert len(Path(download.value.path()).read_text().splitlines()) >= N


def test_an_unknown_selection_or_colour_is_refused_in_words(visit: Visit) -> None:
    page = visit.go(f"/map?selection={'0' * 16}")
    expect(page.get_by_role("alert")).to_contain_text("Select the images again")
    page = visit.go("/map?colour=nothing")
    expect(page.get_by_role("alert")).to_contain_text("no column 'nothing'")


def test_a_new_map_is_asked_for_as_a_job(editing: Visit) -> None:
    page = drawn(editing, "/map?run=pca-1")
    page.get_by_text("Draw a new map").click()
    page.get_by_label("Method").select_option("pca")
    expect(page.get_by_label("perplexity")).to_be_hidden()
    page.get_by_label("Dimensions").select_option("3")
    with page.expect_response("**/api/v1/jobs") as asked:
        page.get_by_role("button", name="Start").click()
    assert asked.value.request.post_data_json == {
        "verb": "project",
        "options": {"method": "pca", "dims": "3"},
    }
    assert asked.value.ok
