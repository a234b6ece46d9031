"""What a person sees and does on the pages, in headless Chromium."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from bilderatlas.web.views.home import N_SAMPLE
from tests.server.coloured import COLOURS, HOSTILE, N_OF_EACH, paint
from tests.web.visiting import Visit

pytestmark = pytest.mark.browser

N_IMAGES = len(COLOURS) * N_OF_EACH


def names(page: Page) -> list[str]:
    """The file names under the pictures, in their order."""
    page.wait_for_selector(".panel img")
    return page.locator(".panel .name").all_text_contents()


def test_the_first_page_shows_pictures(visit: Visit) -> None:
    page = visit.go("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("colours")
    expect(page.get_by_text(f"{N_SAMPLE} of {N_IMAGES} images")).to_be_visible()
    assert len(names(page)) == N_SAMPLE
    for picture in page.locator(".panel img").all()[:6]:
        expect(picture).not_to_have_js_property("naturalWidth", 0)


def test_another_sample_has_its_own_address(visit: Visit) -> None:
    page = visit.go("/")
    first = names(page)
    page.get_by_role("link", name="Another sample").click()
    page.wait_for_url("**/?seed=1")
    expect(page.locator(".panel .name").first).not_to_have_text(first[0])
    second = names(page)
    page.go_back()
    expect(page.locator(".panel .name").first).to_have_text(first[0])
    visit.go("/?seed=1")
    assert names(page) == second


@pytest.mark.parametrize("colour", COLOURS)
def test_searching_a_colour_shows_it_first(visit: Visit, colour: str) -> None:
    page = visit.go("/")
    page.get_by_label("What does the picture show?").fill(colour)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"for “{colour}”")).to_be_visible()
    assert all(colour in name for name in names(page)[:N_OF_EACH])
    assert page.url.endswith(f"/search?q={colour}")
    expect(page).to_have_title(re.compile(f"^{colour} · colours"))


def test_a_search_can_be_bookmarked(visit: Visit) -> None:
    page = visit.go("/search?q=blue&k=4&where=year+%3E%3D+1954")
    assert sorted(names(page)) == [f"blue-{seed}.png" for seed in (4, 5, 6, 7)]
    expect(page.get_by_label("What does the picture show?")).to_have_value("blue")
    expect(page.get_by_label("Only where")).to_have_value("year >= 1954")


def test_results_are_parted_into_likely_doubtful_and_background(visit: Visit) -> None:
    page = visit.go("/search?q=red&k=50")
    expect(page.get_by_role("status").filter(has_text="likely")).to_be_visible()
    titles = page.locator("main h3").all_text_contents()
    assert titles[0].startswith("Likely · ")
    assert titles[-1].startswith("Background · ")
    likely = page.locator("h3 + .panel").first.locator(".name").all_text_contents()
    assert likely
    assert all("red" in name for name in likely)


def test_a_query_that_nothing_answers_is_told_so_beside_the_closest(visit: Visit) -> None:
    page = visit.go("/search?q=umbrella")
    expect(page.get_by_role("status").filter(has_text="Nothing here matches")).to_be_visible()
    expect(page.locator("main h3")).to_have_text(["Background · 32"])
    expect(page.locator(".panel img").first).to_be_hidden()
    page.get_by_text("Background · 32").click()
    expect(page.locator(".panel img").first).to_be_visible()


def test_nothing_found_is_said(visit: Visit) -> None:
    page = visit.go("/search?q=red&where=year+%3E+2000")
    expect(page.get_by_role("heading", name="Nothing here matches")).to_be_visible()


def test_a_refusal_is_shown_in_its_own_words(visit: Visit) -> None:
    page = visit.go("/search?q=red&threshold=high")
    expect(page.get_by_role("alert")).to_contain_text("threshold is 'high'")


DROP = """([kind, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "mine.png", { type: "image/png" }));
  const event = kind === "drop"
    ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
    : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true });
  document.querySelector(".drop").dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_dropped_or_pasted_picture_finds_its_like(visit: Visit, kind: str) -> None:
    mine = io.BytesIO()
    paint("blue", seed=78).save(mine, format="PNG")
    page = visit.go("/search?k=8")
    page.evaluate(DROP, [kind, base64.b64encode(mine.getvalue()).decode()])
    page.wait_for_url("**/search?picture=*k=8*")
    expect(page.get_by_role("heading", name="like this one")).to_be_visible()
    assert all("blue" in name for name in names(page))


def test_a_picture_and_words_ask_together(visit: Visit, tmp_path: Path) -> None:
    """Words are added to a picture, the picture is let go, and brought again beside the words."""
    paint("blue", seed=79).save(tmp_path / "mine.png")
    page = visit.go("/search?k=60")
    _choose(page, tmp_path / "mine.png")
    page.wait_for_url("**/search?picture=*")
    alone = names(page)
    page.get_by_label("What does the picture show?").fill("red")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url("**q=red**")
    assert "picture=" in page.url
    expect(page.get_by_role("heading", name="Images for “red” and like this one")).to_be_visible()
    expect(page.get_by_alt_text("Your picture")).to_be_visible()
    together = names(page)
    page.get_by_role("link", name="Remove Your picture").click()
    page.wait_for_url(lambda url: "picture=" not in url)
    expect(page.get_by_role("heading", name="Images for “red”", exact=True)).to_be_visible()
    words = names(page)
    assert together not in (alone, words)
    page.get_by_label("What does the picture show?").fill("red")
    _choose(page, tmp_path / "mine.png")
    page.wait_for_url("**/search?picture=*q=red*")
    expect(page.get_by_alt_text("Your picture")).to_be_visible()
    assert names(page) == together


def _choose(page: Page, file: Path | FilePayload) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator(".drop").click()
    chooser.value.set_files(file)


def test_a_chosen_picture_finds_its_like(visit: Visit, tmp_path: Path) -> None:
    paint("green", seed=77).save(tmp_path / "mine.png")
    page = visit.go("/search")
    _choose(page, tmp_path / "mine.png")
    page.wait_for_url("**/search?picture=*")
    expect(page.get_by_role("heading", name="like this one")).to_be_visible()
    assert all("green" in name for name in names(page)[:N_OF_EACH])
    expect(page.get_by_alt_text("Your picture")).to_be_visible()
    page.get_by_text("Narrow it down").click()
    page.get_by_label("How many per page").fill("3")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*k=3*")
    expect(page.locator(".panel .name")).to_have_count(3)
    page.reload()
    assert all("green" in name for name in names(page))


def test_a_text_is_no_picture_to_search_with(visit: Visit) -> None:
    page = visit.go("/search")
    letter = FilePayload(name="letter.png", mimeType="image/png", buffer=b"dear all, no picture")
    _choose(page, letter)
    expect(page.get_by_role("alert")).to_contain_text("not a picture")
    visit.complaints.clear()  # Chromium notes that the request was refused


def test_a_result_leads_to_its_image_and_its_neighbors(visit: Visit) -> None:
    page = visit.go("/search?q=red")
    name = names(page)[0]
    page.locator(".panel a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_alt_text(name, exact=True).first).to_be_visible()
    expect(page.locator("dd").first).to_have_text(re.compile(r"^\d+ by \d+ pixels$"))
    expect(page.get_by_role("heading", name="Nearest in this collection")).to_be_visible()
    neighbors = names(page)
    assert name not in neighbors
    assert all("red" in neighbor for neighbor in neighbors[: N_OF_EACH - 1])


def test_hostile_names_and_metadata_stay_text(visit: Visit) -> None:
    page = visit.go("/search?q=red&k=50&where=year+%3D+1950")
    assert HOSTILE in names(page)[0]
    page.locator(".panel a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(HOSTILE)
    expect(page.get_by_text("<script>document.title = 'broken'</script>")).to_be_visible()
    expect(page).not_to_have_title("broken")


def test_a_cluster_shows_its_members(visit: Visit) -> None:
    page = visit.go("/clusters")
    expect(page.get_by_text("4 clusters in kmeans-1")).to_be_visible()
    sheet = page.locator(".sheets li").first
    expect(sheet).to_contain_text(str(N_OF_EACH))
    sheet.get_by_role("link").click()
    page.wait_for_url("**/clusters/*?run=kmeans-1")
    shown = names(page)
    assert len(shown) == N_OF_EACH
    colour = next(colour for colour in COLOURS if colour in shown[0])
    assert all(colour in name for name in shown)


@pytest.mark.parametrize("run", ["pca-1", "pca-2"])
def test_pointing_at_the_map_shows_a_picture(visit: Visit, run: str) -> None:
    page = visit.go(f"/map?run={run}")
    x, y = point_at_some_point(page)
    card = page.locator(".map-card")
    expect(card.locator(".cluster")).to_have_text(re.compile("|".join(COLOURS)))
    expect(card.get_by_role("img")).not_to_have_js_property("naturalWidth", 0)
    expect(card.locator(".file")).to_have_text(re.compile(r"\.png$"))
    source = card.get_by_role("img").get_attribute("src") or ""
    page.mouse.click(x, y)
    page.wait_for_url("**/images/*")
    assert page.url.rsplit("/", 1)[1] in source
    expect(page.get_by_role("heading", name="Nearest in this collection")).to_be_visible()


def point_at_some_point(page: Page) -> tuple[float, float]:
    """Move the pointer over the map in rows until a picture appears."""
    box = page.locator(".plot canvas").bounding_box()
    assert box is not None, "the map is drawn"
    for y in range(int(box["y"]) + 20, int(box["y"] + box["height"]), 20):
        for x in range(int(box["x"]) + 20, int(box["x"] + box["width"]), 20):
            page.mouse.move(x, y)
            if page.locator(".map-card").is_visible():
                return x, y
    raise AssertionError("no point of the map shows its picture")


def test_dragging_turns_the_map(visit: Visit) -> None:
    page = visit.go("/map?run=pca-2")
    canvas = page.locator(".plot canvas")
    page.wait_for_timeout(300)
    before = canvas.screenshot()
    box = canvas.bounding_box()
    assert box is not None, "the map is drawn"
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 420, box["y"] + 240, steps=4)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert canvas.screenshot() != before
    assert "/map" in page.url, "a drag is no click"


def test_the_pages_can_be_walked_by_keyboard(visit: Visit) -> None:
    page = visit.go("/clusters")
    page.locator(".sheets a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/clusters/*")
    expect(page.locator("main")).to_be_focused()
    visit.go("/")
    page.keyboard.press("/")
    expect(page.get_by_label("What does the picture show?")).to_be_focused()


def test_dark_and_light_are_remembered(visit: Visit) -> None:
    page = visit.go("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_title("Light or dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    visit.go("/clusters")
    assert page.evaluate(ground) == dark


@pytest.mark.parametrize("path", ["/", "/search?q=red", "/clusters", "/clusters/0", "/map"])
def test_nothing_is_wider_than_a_telephone(visit: Visit, path: str) -> None:
    visit.page.set_viewport_size({"width": 400, "height": 800})
    page = visit.go(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_every_picture_has_the_name_of_its_file(visit: Visit) -> None:
    page = visit.go("/clusters")
    page.wait_for_selector(".contact img")
    without = page.evaluate("[...document.querySelectorAll('main img')].filter(i => !i.alt).length")
    assert without == 0


def test_unknown_addresses_lead_back(visit: Visit) -> None:
    page = visit.go("/nothing")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    visit.complaints.clear()  # Chromium reports the status 404 of the document itself
    page.get_by_role("link", name="To the gallery").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gallery")


def test_an_image_that_is_not_here_is_said_so(visit: Visit) -> None:
    page = visit.go("/images/nothere")
    expect(page.get_by_role("alert")).to_contain_text("nothere")


def test_a_weight_that_is_no_number_is_refused(visit: Visit) -> None:
    page = visit.go("/search?q=red&weight-person=heavy")
    expect(page.get_by_role("alert")).to_contain_text("weight-person is 'heavy'")


def test_leaving_out_whole_pictures_leaves_nothing_where_there_are_no_parts(visit: Visit) -> None:
    page = visit.go("/search?q=red&weight-image=0")
    expect(page.get_by_role("heading", name="Nothing here matches")).to_be_visible()


def test_a_query_that_is_a_novel_is_refused(visit: Visit) -> None:
    page = visit.go(f"/search?q={'red' * 1000}")
    assert "3,000 characters" in page.get_by_role("alert").inner_text()
