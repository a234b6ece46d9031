"""A browser and a served collection for all tests of this folder; a fresh visit for each."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.server.coloured import make_collection
from tests.web.visiting import Visit, find_browser, launched, served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = find_browser()
    if executable is None:
        reason = "no Chromium on this machine; on Debian: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with launched(executable) as browser:
        yield browser


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(make_collection(tmp_path_factory.mktemp("web"))) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """A fresh visitor; the test fails on any error in the console or request to elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(15_000)
    visit = Visit(context.new_page(), address)
    yield visit
    context.close()
    assert visit.complaints == []
