"""The ledger of what was skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

import bilderatlas
from bilderatlas.collection import Collection
from bilderatlas.web.views.problems import N_A_PAGE
from tests.server.coloured import HOSTILE, paint
from tests.web.visiting import Visit, served

pytestmark = pytest.mark.browser
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("skipped") / "pictures"
    folder.mkdir()
    paint("red", 1).save(folder / "red.png")
    for n in range(N_A_PAGE):
        (folder / f"empty-{n:03}.png").touch()
    (folder / f"{HOSTILE}.png").write_bytes(PNG + b"and then nothing but noise, and more of it")
    (folder / "\u202egnp.exe.png").write_bytes(PNG)
    (folder / "letter.pdf").write_bytes(b"%PDF-1.7")
    return folder


@pytest.fixture(scope="module")
def address(pictures: Path) -> Iterator[str]:
    atlas: Collection = bilderatlas.create(pictures.parent / "skipped")
    atlas.index(pictures)
    with served(atlas) as address:
        yield address


def test_reasons_are_filters_with_their_counts(visit: Visit) -> None:
    page = visit.go("/problems")
    expect(page.locator("main .lead")).to_have_text(f"{N_A_PAGE + 2} files could not be read")
    page.get_by_role("link", name=f"the file is empty {N_A_PAGE}").click()
    page.wait_for_url("**/problems?reason=the+file+is+empty")
    expect(page.locator("main .lead")).to_have_text(f"{N_A_PAGE} files could not be read")
    expect(page.locator(".problems tbody tr")).to_have_count(N_A_PAGE)
    page.get_by_label("Part of the path").fill("PTY-007")
    page.keyboard.press("Enter")
    expect(page.locator(".problems tbody tr")).to_have_count(1)
    assert "reason=" in page.url
    expect(page.locator(".problems .path")).to_contain_text("empty-007.png")


def test_what_was_passed_over_is_a_kind_of_its_own(visit: Visit) -> None:
    page = visit.go("/problems")
    page.get_by_role("link", name="not pictures, or passed over 1").click()
    page.wait_for_url("**/problems?kind=other")
    expect(page.locator("main .lead")).to_have_text("1 file was passed over")
    expect(page.locator(".problems .path")).to_contain_text("letter.pdf")
    expect(page.locator(".problems tbody")).to_contain_text("PDF documents are not read")


def test_a_long_ledger_has_pages_and_names_stay_texts(visit: Visit) -> None:
    page = visit.go("/problems")
    rows = page.locator(".problems tbody tr")
    expect(rows).to_have_count(N_A_PAGE)
    expect(page.locator(".problems .path").first).to_contain_text(HOSTILE)
    page.get_by_role("link", name="Later").click()
    expect(rows).to_have_count(2)
    visit.go("/problems?q=nothing-like-this")
    expect(page.locator("main .lead")).to_contain_text("No skipped file fits")


def test_the_ledger_is_taken_along_as_it_is_filtered(visit: Visit) -> None:
    page = visit.go("/problems?q=empty-00")
    with page.expect_download() as download:
        page.get_by_role("link", name="As CSV").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    assert download.value.suggested_filename == "problems.csv"
    assert len(lines) == 1 + 10


def test_what_was_mended_is_read_when_it_is_tried_again(visit: Visit, pictures: Path) -> None:
    paint("blue", 2).save(pictures / "empty-000.png")
    page = visit.go("/problems")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#jobs")).to_contain_text("1 new picture", timeout=60_000)
    # The page was drawn again by itself.
    expect(page.locator("main .lead")).to_have_text(f"{N_A_PAGE + 1} files could not be read")


def test_the_first_page_says_what_was_skipped_and_leads_there(visit: Visit) -> None:
    page = visit.go("/")
    page.locator(".inside").get_by_role("link", name="the file is empty").click()
    page.wait_for_url("**/problems?reason=*")
    expect(page.locator(".problems tbody tr").first).to_contain_text("empty-")
