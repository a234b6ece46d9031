"""A served collection for all tests of this folder; a fresh visit for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.server.coloured import make_collection
from tests.web.visiting import Visit, served

PATIENCE_MS = 15_000  # the machine may be busy
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(make_collection(tmp_path_factory.mktemp("web"))) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """A fresh visitor; the test fails on any error in the console or request to elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(PATIENCE_MS)
    visit = Visit(context.new_page(), address)
    yield visit
    context.close()
    assert visit.complaints == []
