"""Hostile texts are shown as texts: no page runs them, and no page breaks on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser

from bilderatlas.collection import Collection
from bilderatlas.web import app
from tests.server.hostile import STORED, make_collection
from tests.web.visiting import Visit, served

PAGES = [*(path for path in app.PAGES if "(" not in path), "/clusters/0", "/nothing"]
PARAMETERS = ("q", "run", "where", "order", "seed", "page", "label", "space", "kind", "sort", "k")
REFUSED = re.compile(r"status of 40[04] \(")
SHOWN = ("a script", "out of an attribute", "written backwards")


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_collection(tmp_path_factory.mktemp("hostile-pages"))


@pytest.fixture(scope="module")
def address(atlas: Collection) -> Iterator[str]:
    with served(atlas) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """A visit that fails on a dialog, a request to elsewhere, or an error in the console."""
    context = browser.new_context()
    page = context.new_page()
    visit = Visit(page, address)
    page.on("dialog", lambda dialog: visit.complaints.append(f"dialog: {dialog.message}"))
    yield visit
    context.close()
    # Chromium notes every refusal: of a page that is not there, of data for a kind that is none
    assert [said for said in visit.complaints if not REFUSED.search(said)] == []


def is_whole(visit: Visit) -> bool:
    """Whether no text became a part of the page: none has added an element, or renamed it."""
    made = visit.page.locator("main svg[onload], main img[onerror], main script, main [onfocus]")
    return made.count() == 0 and visit.page.title() not in ("broken", "1")


@pytest.mark.parametrize("path", PAGES)
def test_pages_of_a_hostile_collection_are_whole(visit: Visit, path: str) -> None:
    visit.go(path)
    assert is_whole(visit)


def test_names_of_clusters_are_shown_as_they_are(visit: Visit) -> None:
    page = visit.go("/clusters")
    assert STORED["a script"] in page.inner_text("main")
    assert is_whole(visit)


@pytest.mark.parametrize("what", ["a script", "a picture", "5,000 characters", "a null"])
def test_facts_of_an_image_are_shown_as_they_are(
    visit: Visit, atlas: Collection, what: str
) -> None:
    image = next(i for i in atlas.all_images() if i.metadata["title"] == STORED[what])
    page = visit.go(f"/images/{image.image_id}")
    assert STORED[what].replace("\0", "") in page.inner_text("main").replace("\ufffd", "")
    assert is_whole(visit)


@pytest.mark.slow
@pytest.mark.parametrize("what", SHOWN)
@pytest.mark.parametrize("path", PAGES)
def test_an_address_with_a_hostile_text_does_no_harm(visit: Visit, path: str, what: str) -> None:
    for parameters in (PARAMETERS[:1], PARAMETERS):
        visit.go(f"{path}?{urlencode(dict.fromkeys(parameters, STORED[what]))}")
        assert is_whole(visit)


def test_a_search_finds_words_that_are_a_script(visit: Visit) -> None:
    page = visit.go("/search?q=" + "red")
    assert page.locator("main figure, main li").count() > 5
    assert is_whole(visit)
