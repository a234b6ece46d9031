"""The page opens from disk, alone, and shows what it holds."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bilderatlas.collection import Collection
from tests.server.coloured import COLOURS, HOSTILE, make_collection
from tests.web.visiting import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_collection(tmp_path_factory.mktemp("static"))


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """The test fails on any complaint of the console and any request, to wherever."""
    context = browser.new_context(viewport={"width": 1000, "height": 700}, offline=True)
    context.set_default_timeout(15_000)
    visit = Visit(context.new_page(), "file://")
    yield visit
    context.close()
    assert visit.complaints == []


def opened(visit: Visit, atlas: Collection, file: Path, run: str, **how: str) -> Page:
    atlas.map_page(file, run=run, **how)  # type: ignore[arg-type]
    visit.page.goto(file.as_uri())
    expect(visit.page.locator(".pictures")).to_be_attached()
    visit.page.wait_for_timeout(500)
    return visit.page


@pytest.mark.parametrize("run", ["pca-1", "pca-2"])
def test_pointing_at_a_picture_enlarges_it(
    visit: Visit, atlas: Collection, tmp_path: Path, run: str
) -> None:
    page = opened(visit, atlas, tmp_path / "map.html", run)
    card = page.locator(".map-card")
    box = page.locator(".plot").bounding_box()
    assert box
    places = [(x, y) for y in range(10, 600, 15) for x in range(10, 700, 15)]
    for x, y in places:
        page.mouse.move(box["x"] + x, box["y"] + y)
        if card.is_visible():
            break
    expect(card.locator(".cluster")).to_have_text(re.compile("|".join(COLOURS)))
    expect(card.locator(".file")).to_have_text(re.compile(r"\.png$"))
    has_ink = """canvas => canvas.getContext("2d").getImageData(
        canvas.width / 2, canvas.height / 2, 1, 1).data[3] === 255"""
    assert card.locator("canvas").evaluate(has_ink)


def test_the_legend_lets_one_label_stand_out(
    visit: Visit, atlas: Collection, tmp_path: Path
) -> None:
    page = opened(visit, atlas, tmp_path / "map.html", "pca-1", color_by="year")
    entries = page.locator(".legend button")
    expect(entries).to_have_count(8)  # 1950 to 1957
    expect(entries.first).to_contain_text("1950")
    before = page.locator(".plot").screenshot()
    entries.first.click()
    expect(entries.first).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(300)
    assert page.locator(".plot").screenshot() != before


def test_pictures_can_be_put_away(visit: Visit, atlas: Collection, tmp_path: Path) -> None:
    page = opened(visit, atlas, tmp_path / "map.html", "pca-1")
    layer = page.locator(".pictures")
    n_bytes = "canvas => canvas.toDataURL().length"
    painted = layer.evaluate(n_bytes)
    page.get_by_role("button", name="Pictures").click()
    page.wait_for_timeout(300)
    assert layer.evaluate(n_bytes) < painted / 2


def test_names_stay_texts(visit: Visit, atlas: Collection, tmp_path: Path) -> None:
    page = opened(visit, atlas, tmp_path / "map.html", "pca-1", color_by="title")
    expect(page).to_have_title("colours · map")
    data = page.locator("#map-data").text_content() or ""
    assert HOSTILE in json.loads(data)["files"]
    assert "<" not in data  # "<!--<script>" would swallow the rest of the page
    assert page.locator("main img").count() == 0


def test_it_fits_a_telephone(visit: Visit, atlas: Collection, tmp_path: Path) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 780})
    page = opened(visit, atlas, tmp_path / "map.html", "pca-1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    plot = page.locator(".plot").bounding_box()
    assert plot
    assert plot["height"] > 400


def test_dark_and_light_can_be_chosen(visit: Visit, atlas: Collection, tmp_path: Path) -> None:
    page = opened(visit, atlas, tmp_path / "map.html", "pca-1")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_title("Light or dark").click()
    assert page.evaluate(ground) != light
