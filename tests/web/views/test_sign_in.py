"""A browser is given a key, and works with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bilderatlas.server.auth.permissions import Need, need
from bilderatlas.web.app import PAGES
from tests.server.auth.keyed import ACCESS, EDITOR, VIEWER
from tests.server.coloured import make_collection, paint
from tests.web.test_accessibility import address_of, violations
from tests.web.visiting import Visit, served


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(make_collection(tmp_path_factory.mktemp("keyed")), ACCESS) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, keyed: str) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 400, "height": 800}, locale="en-GB")
    context.set_default_timeout(15_000)
    visit = Visit(context.new_page(), keyed)
    yield visit
    context.close()
    assert visit.complaints == []


def sign_in(visit: Visit, key: str) -> None:
    visit.page.get_by_label("Key").fill(key)
    visit.page.get_by_role("button", name="Sign in").click()


@pytest.mark.browser
def test_whoever_has_a_key_comes_to_the_page_that_was_asked_for(visit: Visit) -> None:
    page = visit.go("/search?q=red")
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    sign_in(visit, VIEWER)
    page.wait_for_url("**/search?q=red")
    page.wait_for_selector(".panel img")
    assert page.locator("header .visitor").inner_text() == "ben"


@pytest.mark.browser
def test_signing_out_is_in_the_frame_and_ends_it(visit: Visit) -> None:
    page = visit.go("/")
    sign_in(visit, EDITOR)
    page.locator("header .visitor").click()
    page.get_by_text("As anna, who may change things.").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Key").wait_for()
    assert visit.go("/gallery").url.endswith("/sign-in?next=%2Fgallery")


@pytest.mark.browser
def test_a_wrong_key_is_said_and_can_be_mended(visit: Visit) -> None:
    page = visit.go("/")
    sign_in(visit, "ba_wrong")
    assert "does not know this key" in page.get_by_role("alert").inner_text()
    visit.complaints.clear()  # the browser's own word about status 401
    sign_in(visit, VIEWER)
    page.wait_for_selector("header nav")


@pytest.mark.browser
def test_a_viewer_searches_by_a_picture(visit: Visit, tmp_path: Path) -> None:
    page = visit.go("/search")
    sign_in(visit, VIEWER)
    page.locator(".drop").wait_for()
    paint("blue", 70).save(tmp_path / "mine.png")
    with page.expect_file_chooser() as chosen:
        page.locator(".drop").click()
    chosen.value.set_files(tmp_path / "mine.png")
    page.wait_for_url("**/search?picture=*")
    page.wait_for_selector(".panel img")
    assert "blue" in page.locator(".panel .name").first.inner_text()


@pytest.mark.browser
def test_the_page_that_asks_for_a_key_keeps_nobody_out(visit: Visit) -> None:
    for scheme in ("light", "dark"):
        visit.page.emulate_media(color_scheme=scheme)
        assert violations(visit.go("/sign-in")) == []


@pytest.mark.browser
def test_nothing_is_wider_than_a_small_screen(visit: Visit) -> None:
    page = visit.go("/sign-in")
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    sign_in(visit, EDITOR)
    page.wait_for_selector("header .visitor")
    assert page.evaluate("document.documentElement.scrollWidth") == 400


@pytest.mark.browser
def test_a_page_that_is_open_when_the_key_is_gone_asks_for_one(visit: Visit) -> None:
    page = visit.go("/")
    sign_in(visit, EDITOR)
    page.wait_for_selector("header nav")
    page.route("**/api/v1/**", lambda route: route.abort())  # the tray of jobs would ask first
    page.context.clear_cookies()
    page.get_by_role("link", name="Gallery").first.click()
    page.get_by_label("Key").wait_for()
    page.wait_for_load_state("networkidle")
    assert page.url.endswith("/sign-in?next=%2Fgallery")
    visit.complaints.clear()  # the browser's own word about status 401


SENT = "forms => forms.map(form => [form.dataset.method || 'POST', form.getAttribute('action')])"


@pytest.mark.browser
def test_a_viewer_is_offered_nothing_that_would_be_refused(visit: Visit) -> None:
    visit.go("/")
    sign_in(visit, VIEWER)
    visit.page.wait_for_selector("header .visitor")
    for pattern in PAGES:
        page = visit.go(address_of(visit, pattern))
        for method, action in page.eval_on_selector_all("form[method=post]", SENT):
            assert need(method.upper(), action) != Need.EDITOR, (pattern, action)


@pytest.mark.browser
def test_what_an_editor_changes_bears_their_name(visit: Visit) -> None:
    page = visit.go("/clusters/0")
    sign_in(visit, EDITOR)
    page.get_by_label("Name", exact=True).fill("Poppies of mine")
    page.get_by_role("button", name="Rename").click()
    page.locator("#said").get_by_text("Renamed.").wait_for()
    page = visit.go("/decisions")
    assert "anna" in page.locator("main").inner_text()
