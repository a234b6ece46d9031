"""Every page can be used by a screen reader, in the dark, and on a narrow screen.

axe-core (https://github.com/dequelabs/axe-core) looks for what keeps people out.
"""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from bilderatlas.web.app import PAGES
from tests.web.visiting import Visit

pytestmark = pytest.mark.browser

GRAVE = ("serious", "critical")
# Pages whose address names something: how to find one.
NAMED = {"(?P<image_id>": "/gallery", r"(?P<cluster>": "/clusters"}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def address_of(visit: Visit, pattern: str) -> str:
    """An address of a page; one that names something is taken from the links to it."""
    if "(?P<" not in pattern:
        return pattern + ("?q=red" if pattern == "/search" else "")
    listing = next(path for group, path in NAMED.items() if group in pattern)
    page = visit.go(listing)
    hrefs = page.eval_on_selector_all("main a", "links => links.map(a => a.getAttribute('href'))")
    return next(href for href in hrefs if re.fullmatch(pattern, href.split("?")[0]))


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or critical, and where."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {[node['html'] for node in one['nodes']]}"
        for one in found
        if one["impact"] in GRAVE
    ]


@pytest.mark.parametrize("pattern", PAGES)
def test_nothing_on_a_page_keeps_people_out(visit: Visit, pattern: str) -> None:
    address = address_of(visit, pattern)
    assert violations(visit.go(address)) == []


@pytest.mark.parametrize("pattern", PAGES)
def test_a_page_fits_a_narrow_screen_in_the_dark(visit: Visit, pattern: str) -> None:
    visit.page.set_viewport_size({"width": 400, "height": 800})
    visit.page.emulate_media(color_scheme="dark")
    page = visit.go(address_of(visit, pattern))
    assert page.evaluate(OVERFLOW) == 0
    assert violations(page) == []
