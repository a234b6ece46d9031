"""The gallery: its orders, what images are chosen by, and its pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError
from bilderatlas.web.address import Address, Desk
from bilderatlas.web.query_pictures import QueryPictures
from bilderatlas.web.views import gallery
from tests.pictures import collect, put, saved
from tests.server.coloured import N_OF_EACH
from tests.web.visiting import Visit

N_DATED = 130  # three pages


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Pictures of three years, one a month from January 2001 on, and then many of June 2003."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("dated")
    for n in range(N_DATED):
        image = Image.new("RGB", (16 + n, 16), "red")
        exif = image.getexif()
        year, month = (2001 + n // 12, n % 12 + 1) if n < 24 else (2003, 6)
        exif[0x0132] = f"{year}:{month:02}:01 00:00:00"
        put(folder / "pile" / f"{n:03}.jpg", saved(image, "JPEG", exif=exif))
    return collect(folder, folder / "pile")


def shown(atlas: Collection, **parameters: str) -> str:
    desk = Desk(atlas, QueryPictures())
    return str(gallery.page(desk, Address("/gallery", parameters)).children)


def names(page: Page) -> list[str]:
    page.wait_for_selector(".panel img")
    return page.locator(".panel .name").all_text_contents()


def test_a_list_by_date_is_grouped_by_months(dated: Collection) -> None:
    said = shown(dated, order="date")
    assert said.index("January 2001") < said.index("December 2002") < said.index("June 2003")
    assert "H2('June 2003')" not in shown(dated, order="name")


def test_the_years_lead_to_their_pages(dated: Collection) -> None:
    said = shown(dated, order="newest")
    assert "href='/gallery?order=newest&page=2'" in said  # 106 are of 2003
    assert "2002" in said


def test_a_later_page_shows_later_images(dated: Collection) -> None:
    said = shown(dated, order="name", page="3")
    assert "120.jpg" in said
    assert "119.jpg" not in said
    assert "121 to 130 of 130" in said


def test_a_page_behind_the_last_says_that_there_is_nothing(dated: Collection) -> None:
    assert "No image matches all of this" in shown(dated, order="name", page="9")


def test_dates_are_chosen_by_years_or_months(dated: Collection) -> None:
    said = shown(dated, **{"from.taken_at": "2001-11", "to.taken_at": "2002"})
    assert "14 images" in said


def test_the_pictures_know_which_list_they_are_of(dated: Collection) -> None:
    assert "?from=%2Fgallery%3Forder%3Dname'" in shown(dated, order="name")


def test_only_images_chosen_by_hand_are_shown(dated: Collection) -> None:
    chosen = dated.keep_selection([image.image_id for image in dated.browse(n=2)])
    said = shown(dated, order="name", selection=chosen, **{"to.width": "16"})
    assert "'1 image'" in said
    assert "000.jpg" in said
    assert "Remove chosen by hand" in said


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"order": "size"}, "size"),
        ({"is.colour": "red"}, "cannot be chosen by 'colour'"),
        ({"from.width": "wide"}, "from.width is 'wide'"),
        ({"where": "colour = 1"}, "colour"),
        ({"page": "0"}, "page is '0'"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    dated: Collection, parameters: dict[str, str], said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        shown(dated, **parameters)


@pytest.mark.browser
def test_images_are_chosen_by_what_is_known_of_them(visit: Visit) -> None:
    page = visit.go("/gallery?order=name")
    page.get_by_role("link", name="Narrow it down").click()
    page.get_by_role("link", name="1953 4").click()
    page.wait_for_url("**is.year=1953**")
    of_1953 = [f"{colour}-3.png" for colour in ("blue", "green", "red", "yellow")]
    expect(page.locator(".panel .name")).to_have_text(of_1953)  # the address comes first
    page.get_by_label("from", exact=True).first.fill("300")
    page.get_by_label("from", exact=True).first.press("Enter")
    page.wait_for_url("**from.width=300**")
    expect(page.locator(".chips")).to_contain_text("width, pixels: ≥ 300")
    expect(page.get_by_role("status").filter(has_text="images")).to_have_text("4 images")
    page.get_by_role("link", name="Remove year: 1953").click()
    page.wait_for_function("!location.search.includes('year')")
    expect(page.locator(".chips")).to_have_text("width, pixels: ≥ 300")


@pytest.mark.browser
def test_labelled_images_are_chosen_by_their_label(visit: Visit) -> None:
    page = visit.go("/gallery?order=name")
    post = "(body) => bilderatlas.send('/api/v1/labels', body)"
    page.evaluate(post, {"label": "warm", "all": {"query": "red"}})
    page.reload()
    page.get_by_role("link", name="Narrow it down").click()
    page.get_by_role("link", name="warm 8").click()
    page.wait_for_url("**label=warm**")
    expect(page.locator(".panel .name")).to_have_count(N_OF_EACH)
    assert all("red" in name for name in names(page))
    take = "(body) => bilderatlas.send('/api/v1/labels', body, 'DELETE')"
    page.evaluate(take, {"label": "warm", "all": {"label": "warm"}})  # others visit it, too


@pytest.mark.browser
def test_another_sample_is_another_one(visit: Visit) -> None:
    page = visit.go("/gallery")
    first = names(page)
    page.get_by_role("link", name="Another sample").click()
    page.wait_for_url("**/gallery?seed=1")
    expect(page.locator(".panel .name").first).not_to_have_text(first[0])
    page.get_by_role("link", name="By name").click()
    page.wait_for_url("**/gallery?order=name")
    expect(page.locator(".panel .name").first).to_contain_text("<img")
