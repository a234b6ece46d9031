"""A form that changes something is sent to the REST API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from bilderatlas.collection import Collection
from tests.server.coloured import make_collection
from tests.web.visiting import Visit, served

ADD_FORM = """([action, fields]) => {
  const form = Object.assign(document.createElement("form"), { method: "post" });
  form.setAttribute("action", action);
  form.dataset.said = "Kept.";
  for (const [name, value] of fields)
    form.append(Object.assign(document.createElement("input"), { name, value }));
  form.append(Object.assign(document.createElement("button"), { textContent: "Send" }));
  document.querySelector("main").append(form);
}"""


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_collection(tmp_path_factory.mktemp("actions"))


@pytest.fixture(scope="module")
def address(atlas: Collection) -> Iterator[str]:
    with served(atlas) as address:
        yield address


def _send(page: Page, action: str, *fields: tuple[str, str]) -> None:
    page.evaluate(ADD_FORM, [action, list(fields)])
    page.click("main form button:has-text('Send')")


def test_a_decision_is_kept_said_shown_and_taken_back(visit: Visit, atlas: Collection) -> None:
    page = visit.go("/clusters")
    number = atlas.clustering().clusters[0].cluster

    _send(
        page,
        "/api/v1/decisions",
        ("verb", "name"),
        ("what[]", str(number)),
        ("what[]", "Renamed here"),
        ("run", ""),  # left empty, so left out
    )

    page.wait_for_selector("main h2:has-text('Renamed here')")  # the page is drawn again
    assert "Kept." in page.inner_text("#said")
    page.click("#said button")
    page.wait_for_selector("main h2:has-text('Renamed here')", state="detached")
    assert [each.verb for each in atlas.decisions(with_undone=True)] == ["name", "undo"]


def test_a_refusal_is_said_in_the_form(visit: Visit) -> None:
    page = visit.go("/clusters")

    _send(page, "/api/v1/decisions", ("verb", "name"), ("what[]", "77"), ("what[]", "x"))

    page.wait_for_selector("main form [role=alert]")
    assert "77" in page.inner_text("main form [role=alert]")
    assert any("404" in complaint for complaint in visit.complaints)
    visit.complaints.clear()  # the browser notes that the request was refused


def test_a_form_with_the_method_get_turns_the_page(visit: Visit) -> None:
    page = visit.go("/search")
    page.fill("#q", "red")
    page.press("#q", "Enter")
    page.wait_for_url("**/search?q=red*")


def test_dots_in_names_nest_and_brackets_list(visit: Visit) -> None:
    page = visit.go("/gallery")
    with page.expect_request("**/api/v1/nothing-here") as sent:
        fields = (("verb", "cluster"), ("options.k", "3"), ("options.kinds[]", "person"))
        _send(page, "/api/v1/nothing-here", *fields)
    assert sent.value.post_data_json == {
        "verb": "cluster",
        "options": {"k": "3", "kinds": ["person"]},
    }
    page.wait_for_selector("main form [role=alert]")
    visit.complaints.clear()  # there is no such route
