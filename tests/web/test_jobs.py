"""Sending files from the first page, and the tray that shows what becomes of them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

import bilderatlas
from bilderatlas.collection import Collection
from bilderatlas.storage import job_history
from tests.server.auth.keyed import ACCESS, VIEWER, bearer
from tests.server.coloured import make_collection, paint
from tests.web.visiting import Visit, served

pytestmark = pytest.mark.browser
SOON_MS = 60_000  # a job starts a process, and loads an encoder


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return bilderatlas.create(tmp_path_factory.mktemp("sent") / "sent")


@pytest.fixture(scope="module")
def address(atlas: Collection) -> Iterator[str]:
    with served(atlas) as address:
        yield address


def picture(name: str, colour: str, seed: int = 1) -> FilePayload:
    out = io.BytesIO()
    paint(colour, seed).save(out, "PNG")
    return FilePayload(name=name, mimeType="image/png", buffer=out.getvalue())


def choose(page: Page, *files: FilePayload) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(list(files))


def tray(page: Page, verb: str) -> str:
    """The item of a job in the tray."""
    return f"#jobs .job:has(strong:text-is('{verb}'))"


DROP_A_FOLDER = """async (base64) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const file = (name) => ({ isFile: true, name, file: (done) => done(new File([bytes], name)) });
  const folder = (name, inner) => ({
    name,
    createReader: () => {
      const batches = [inner, []];
      return { readEntries: (done) => done(batches.shift()) };
    },
  });
  const event = new Event("drop", { bubbles: true, cancelable: true });
  const entry = folder("trip", [folder("day 1", [file("dropped.png")])]);
  event.dataTransfer = { items: [{ webkitGetAsEntry: () => entry }], files: [] };
  document.querySelector(".adding").dispatchEvent(event);
}"""


def test_files_are_sent_read_and_counted(visit: Visit, atlas: Collection) -> None:
    page = visit.go("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("There are no images here yet")
    letter = FilePayload(name="letter.png", mimeType="image/png", buffer=b"dear all")

    choose(page, picture("red.png", "red"), picture("blue.png", "blue"), letter)

    refused = page.locator("#uploads-list .refused")
    expect(refused.locator("summary")).to_have_text("1 file was refused")
    refused.locator("summary").click()
    expect(refused.locator("li")).to_contain_text("letter.png letter.png: neither a picture nor")
    done = page.locator(tray(page, "Reading pictures"))
    expect(done).to_contain_text("2 new pictures", timeout=SOON_MS)
    expect(page.locator("#jobs-news")).to_have_text("Reading pictures: 2 new pictures")
    # The page was drawn again by itself.
    expect(page.get_by_role("heading", level=1)).to_have_text("sent")
    expect(page.locator(".inside")).to_contain_text("Pictures2in 2 places")
    assert sorted(page.locator(".drawn .name").all_text_contents()) == ["blue.png", "red.png"]
    visit.complaints.clear()  # Chromium notes that a file was refused

    visit.go("/search")  # the tray survives the document
    expect(done.get_by_role("link", name="See the pictures")).to_be_visible()
    done.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#jobs")).to_be_hidden()
    page.reload()
    page.wait_for_selector("main h1")
    expect(page.locator("#jobs")).to_be_hidden()


def test_a_dropped_folder_keeps_its_names(visit: Visit, atlas: Collection) -> None:
    page = visit.go("/")
    content = picture("", "green")["buffer"]
    page.evaluate(DROP_A_FOLDER, base64.b64encode(content).decode())
    done = page.locator(tray(page, "Reading pictures")).first
    expect(done).to_contain_text("1 new picture", timeout=SOON_MS)
    assert any(image.path.endswith("/trip/day 1/dropped.png") for image in atlas.browse(n=10))


def test_a_step_is_started_by_its_button_and_leads_to_its_result(visit: Visit) -> None:
    page = visit.go("/")
    step = page.locator(".steps li", has_text="Lay them out on a map")
    step.get_by_role("button").click()
    expect(page.locator("#said")).to_have_text("Started. You can follow it under Jobs.")
    done = page.locator(tray(page, "Drawing a map"))
    done.get_by_role("link", name="See the map").click(timeout=SOON_MS)
    page.wait_for_url("**/map?run=*")
    visit.go("/")
    expect(page.locator(".steps")).not_to_contain_text("Lay them out on a map")


def test_a_job_is_cancelled_resumed_and_fails_in_its_own_words(visit: Visit) -> None:
    page = visit.go("/")
    asked = {"verb": "cluster", "options": {"method": "kmeans", "k": 99}}
    page.evaluate("asked => bilderatlas.act('/api/v1/jobs', asked)", asked)
    job = page.locator(tray(page, "Forming clusters"))
    job.get_by_role("button", name="Cancel").click()
    expect(job).to_contain_text("cancelled")
    job.get_by_role("button", name="Resume").click()
    expect(job).to_have_count(1)  # in the place of the one that was cancelled
    expect(job.locator(".refusal")).to_contain_text("99", timeout=SOON_MS)
    expect(job).to_contain_text("failed")


def test_the_tray_folds_and_stays_folded(visit: Visit) -> None:
    page = visit.go("/")
    fold = page.get_by_role("button", name="Jobs")
    expect(page.locator("#jobs-list li").first).to_be_visible()
    fold.click()
    expect(page.locator("#jobs-list li").first).to_be_hidden()
    page.reload()
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#jobs-list li").first).to_be_hidden()


def test_the_tray_fits_a_narrow_screen(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 400, "height": 800})
    page = visit.go("/")
    page.get_by_role("button", name="Jobs").click()  # it is folded there, until it is asked for
    expect(page.locator("#jobs-list li").first).to_be_visible()
    box = page.locator("#jobs").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 400
    assert box["height"] <= 400


def test_an_upload_whose_reading_was_refused_is_gone_on_with(
    visit: Visit, atlas: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit.go("/")
    expect(page.locator("#jobs")).to_be_visible()
    read = page.locator(tray(page, "Reading pictures"))
    n_read, n_images = read.count(), atlas.info().n_images
    with monkeypatch.context() as refusing:
        refusing.setattr(job_history, "FILE", "no folder/jobs.json")  # it cannot be written
        choose(page, picture("late.png", "yellow", 9))
        shown = page.locator("#uploads-list .job")
        expect(shown).to_contain_text("Writing to", timeout=SOON_MS)
    shown.get_by_role("button", name="Resume").click()
    expect(read).to_have_count(n_read + 1)
    expect(page.locator("#uploads-list .job")).to_have_count(0)
    expect(read.first).to_contain_text("1 new picture", timeout=SOON_MS)
    assert atlas.info().n_images == n_images + 1
    visit.complaints.clear()  # Chromium notes the refusals


def test_a_viewer_sees_jobs_but_may_start_none(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    atlas = make_collection(tmp_path_factory.mktemp("viewer"))
    with served(atlas, ACCESS) as address:
        context = browser.new_context(extra_http_headers=bearer(VIEWER))
        page = Visit(context.new_page(), address).go("/")
        expect(page.locator(".inside")).to_be_visible()
        expect(page.locator(".adding")).to_have_count(0)
        expect(page.locator(".steps")).to_have_count(0)
        context.close()
