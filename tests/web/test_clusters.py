"""Clusters are looked at, selected from and changed, in headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bilderatlas.collection import Collection
from bilderatlas.server.auth import Access
from bilderatlas.storage import Store
from tests.models.detectors.detectors import write_yolox
from tests.pictures import put, quarters, saved
from tests.server.coloured import COLOURS, HOSTILE, N_OF_EACH, make_collection
from tests.toy_encoder import ToyEncoder
from tests.web.visiting import Visit, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_collection(tmp_path_factory.mktemp("clusters"))


@pytest.fixture(scope="module")
def address(atlas: Collection) -> Iterator[str]:
    with served(atlas) as address:
        yield address


@pytest.fixture(scope="module")
def later_runs(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """A cluster of four was named; then came a run of two, and one of one."""
    atlas = make_collection(tmp_path_factory.mktemp("later"))
    atlas.decide("name", 0, "Mine")
    atlas.cluster("kmeans", k=2)
    atlas.cluster("kmeans", k=1)  # it has no cluster that is that one
    return atlas


@pytest.fixture(autouse=True)
def as_computed(atlas: Collection) -> Iterator[None]:
    """Every test begins with the clusters as they were computed."""
    yield
    for decision in atlas.decisions():
        atlas.decide("undo", decision.decision)


def sheets(page: Page) -> list[str]:
    """The names of the clusters, in their order."""
    page.wait_for_selector(".sheets li")
    return page.locator("main > .sheets h2").all_text_contents()


def first_cluster(visit: Visit, atlas: Collection) -> tuple[Page, int]:
    number = atlas.clustering().clusters[0].cluster
    return visit.go(f"/clusters/{number}?run=kmeans-1"), number


def n_members(page: Page) -> int:
    page.wait_for_selector("main > .panel li")
    return page.locator("main > .panel li").count()


def n_selected(page: Page) -> int:
    return page.locator("[data-pick][aria-checked=true]").count()


def test_clusters_are_sorted_by_what_the_address_says(visit: Visit, atlas: Collection) -> None:
    names = {one.cluster: one.name for one in atlas.clustering().clusters}
    page = visit.go("/clusters?sort=name")
    assert sheets(page) == sorted(names.values(), key=str.casefold)
    page.get_by_role("link", name="tightness", exact=True).click()
    page.wait_for_url("**/clusters?sort=tightness")
    tightest = sorted(atlas.cluster_shapes(), key=lambda shape: -shape.tightness)
    expect(page.locator("main > .sheets h2")).to_have_text([names[t.cluster] for t in tightest])


def test_clusters_are_found_by_a_part_of_their_name(visit: Visit, atlas: Collection) -> None:
    atlas.decide("name", 2, "Grandma's garden")
    page = visit.go("/clusters")
    page.get_by_role("searchbox", name="Only clusters called").fill("GARDEN")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clusters?q=GARDEN")
    expect(page.locator("main > .sheets h2")).to_have_text(["Grandma's garden"])
    visit.go("/clusters?q=nothing+like+it")
    expect(page.get_by_text("No cluster has this name.")).to_be_visible()


def test_an_unknown_order_is_refused(visit: Visit) -> None:
    page = visit.go("/clusters?sort=colour")
    expect(page.get_by_role("alert")).to_contain_text("sort is 'colour'")


def test_members_come_from_core_to_edge_and_the_nearest_clusters_below(
    visit: Visit, atlas: Collection
) -> None:
    page, number = first_cluster(visit, atlas)
    assert n_members(page) == N_OF_EACH
    shown = page.locator("main > .panel [data-pick]").evaluate_all(
        "boxes => boxes.map(box => box.dataset.pick)"
    )
    assert shown == [member.region_id for member in atlas.members(number)]
    shape = next(one for one in atlas.cluster_shapes() if one.cluster == number)
    assert len(sheets(page)) == len(shape.nearest) == len(COLOURS) - 1
    expect(page.get_by_text(f"tightness {shape.tightness:.2f}").first).to_be_visible()


def test_a_cluster_is_renamed_where_it_is_and_the_name_taken_back(
    visit: Visit, atlas: Collection
) -> None:
    page, _ = first_cluster(visit, atlas)
    before = page.locator("h1").inner_text()
    page.get_by_label("Name", exact=True).fill("Sunsets")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator("h1")).to_have_text("Sunsets")
    expect(page.locator("#said")).to_contain_text("Renamed.")
    page.locator("#said").get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_have_text(before)
    assert len(atlas.decisions()) == 0


def test_a_name_that_another_cluster_bears_is_refused_in_the_form(
    visit: Visit, atlas: Collection
) -> None:
    page, _ = first_cluster(visit, atlas)
    page.get_by_label("Name", exact=True).fill(atlas.clustering().clusters[1].name)
    page.get_by_role("button", name="Rename").click()
    expect(page.locator(".tools [role=alert]")).to_contain_text("already")
    visit.complaints.clear()  # the browser notes that the request was refused


def test_clusters_are_merged_by_name_and_with_a_near_one(visit: Visit, atlas: Collection) -> None:
    page, _ = first_cluster(visit, atlas)
    assert n_members(page) == N_OF_EACH
    page.get_by_label("Merge with").fill(atlas.clustering().clusters[3].name)
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator("main > .panel li")).to_have_count(2 * N_OF_EACH)
    page.get_by_role("button", name="Merge into this one").first.click()
    expect(page.locator("main > .panel li")).to_have_count(3 * N_OF_EACH)


def test_a_cluster_is_split_into_as_many_parts_as_are_asked_for(
    visit: Visit, atlas: Collection
) -> None:
    page, _ = first_cluster(visit, atlas)
    page.get_by_label("Into how many parts").fill("3")
    page.get_by_role("button", name="Split", exact=True).click()
    expect(page.locator("#said")).to_contain_text("Split.")
    clusters = atlas.clustering().clusters
    assert len(clusters) == len(COLOURS) + 2
    (decision,) = atlas.decisions()
    assert len(decision.payload["sizes"]) == 2


def test_selected_members_become_a_cluster_and_undo_brings_them_back(
    visit: Visit, atlas: Collection
) -> None:
    page, _ = first_cluster(visit, atlas)
    boxes = page.locator("[data-pick]")
    expect(page.get_by_role("region", name="What is selected")).to_be_hidden()
    boxes.nth(1).click()
    boxes.nth(3).click(modifiers=["Shift"])
    assert n_selected(page) == 3
    bar = page.get_by_role("region", name="What is selected")
    expect(bar).to_contain_text("3 pictures selected")
    bar.get_by_role("button", name="A cluster of their own").click()
    expect(page.locator("main > .panel li")).to_have_count(N_OF_EACH - 3)
    expect(bar).to_be_hidden()
    page.locator("#said").get_by_role("button", name="Undo").click()
    expect(page.locator("main > .panel li")).to_have_count(N_OF_EACH)


def test_selected_members_move_to_another_cluster_or_out_of_all(
    visit: Visit, atlas: Collection
) -> None:
    page, _ = first_cluster(visit, atlas)
    other = atlas.clustering().clusters[2]
    page.locator("[data-pick]").first.click()
    page.get_by_label("To the cluster").fill(other.name)
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator("main > .panel li")).to_have_count(N_OF_EACH - 1)
    page.locator("[data-pick]").first.click()
    page.get_by_role("button", name="Out of all clusters").click()
    expect(page.locator("main > .panel li")).to_have_count(N_OF_EACH - 2)
    assert atlas.clustering().n_noise == 1
    visit.go("/clusters/-1?run=kmeans-1")
    expect(page.get_by_role("heading", level=1)).to_have_text("In no cluster")
    assert n_members(page) == 1


def test_members_are_selected_by_keyboard(visit: Visit, atlas: Collection) -> None:
    page, _ = first_cluster(visit, atlas)
    page.locator("[data-pick]").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    assert n_selected(page) == 1
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert n_selected(page) == 4
    page.keyboard.press("Control+a")
    assert n_selected(page) == N_OF_EACH
    page.keyboard.press("Escape")
    assert n_selected(page) == 0
    page.get_by_role("button", name="Select all on this page").click()
    assert n_selected(page) == N_OF_EACH


def test_a_cluster_that_became_empty_says_so(visit: Visit, atlas: Collection) -> None:
    page, number = first_cluster(visit, atlas)
    other = atlas.clustering().clusters[1].cluster
    atlas.decide("merge", other, number)
    page.reload()
    expect(page.get_by_text("This cluster is empty now")).to_be_visible()


def test_the_log_shows_who_decided_what_and_takes_it_back(visit: Visit, atlas: Collection) -> None:
    atlas.decide("name", 1, HOSTILE, who="Anna")
    atlas.decide("move", atlas.members(0)[0].region_id, 2, who="Mehmet")
    page = visit.go("/decisions")
    rows = page.locator(".decisions > li")
    expect(rows.first).to_contain_text("1 picture moved to cluster 2 of kmeans-1")
    expect(rows.first).to_contain_text("Mehmet")
    expect(rows.first.get_by_role("img")).not_to_have_js_property("naturalWidth", 0)
    expect(rows.nth(1)).to_contain_text(f"Cluster 1 of kmeans-1 is called “{HOSTILE}”")
    rows.nth(1).get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(1)
    assert [one.verb for one in atlas.decisions()] == ["move"]
    page.get_by_role("link", name="Also those undone").click()
    page.wait_for_url("**/decisions?all=yes")
    expect(page.get_by_text("undone", exact=True).first).to_be_visible()


def test_two_runs_are_compared_side_by_side(browser: Browser, later_runs: Collection) -> None:
    with served(later_runs) as address:
        both = "first=kmeans-1&second=kmeans-2"
        page = Visit(browser.new_page(), address).go(f"/clusters/compare?{both}")
        expect(page.get_by_text("The runs agree by")).to_be_visible()
        pairs = page.locator(".pairs > li")
        expect(pairs).to_have_count(2)
        expect(pairs.first).to_contain_text(f"{N_OF_EACH} in both")
        expect(pairs.first.locator("img").first).not_to_have_js_property("naturalWidth", 0)
        expect(page.get_by_role("heading", name="Only in kmeans-1")).to_be_visible()
        page.get_by_label("Second run").select_option("kmeans-1")
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_text("The runs agree by 1.00")).to_be_visible()
        page.close()


def test_decisions_that_a_later_run_does_not_honour_are_told(
    browser: Browser, later_runs: Collection
) -> None:
    with served(later_runs) as address:
        page = Visit(browser.new_page(), address).go("/clusters")
        page.get_by_text("1 decision does not hold here").click()
        expect(
            page.get_by_text("is called 'Mine': no cluster of this run corresponds to it")
        ).to_be_visible()
        page.close()


def test_advice_is_drawn_and_a_run_started_with_it(visit: Visit) -> None:
    page = visit.go("/clusters/advice")
    silhouette = page.get_by_role("img", name="Silhouette")
    expect(silhouette).to_be_visible(timeout=60_000)  # it is measured first
    expect(page.get_by_text("k = 4:")).to_be_visible()
    expect(page.locator("[data-answer] figure")).to_have_count(8)
    page.get_by_text("The same in numbers").first.click()
    expect(page.get_by_role("columnheader", name="silhouette")).to_be_visible()
    asked = start(page, page.get_by_role("button", name="Start with this").first)
    assert asked == {"verb": "cluster", "options": {"method": "kmeans", "k": "4"}}


def test_a_new_run_is_started_with_what_its_method_reads(visit: Visit) -> None:
    page = visit.go("/clusters")
    page.get_by_text("Cluster the pictures again").click()
    page.get_by_label("Method").select_option("kmeans")
    expect(page.get_by_label("min_cluster_size")).to_be_hidden()
    page.get_by_label("k, how many clusters").fill("3")
    asked = start(page, page.get_by_role("button", name="Start"))
    assert asked == {"verb": "cluster", "options": {"method": "kmeans", "k": "3"}}


def start(page: Page, button: Locator) -> Any:
    """Press a button that starts a job; what is asked. It is not done here."""
    page.route("**/api/v1/jobs", lambda route: route.fulfill(json={}))
    with page.expect_request("**/api/v1/jobs") as sent:
        button.click()
    expect(page.locator("#said")).to_contain_text("Started.")
    return sent.value.post_data_json


def test_who_may_not_change_anything_sees_clusters_without_forms(
    browser: Browser, atlas: Collection
) -> None:
    with served(atlas, Access(is_read_only=True)) as address:
        page = Visit(browser.new_page(), address).go("/clusters/0?run=kmeans-1")
        assert n_members(page) == N_OF_EACH
        expect(page.locator("main form")).to_have_count(0)
        expect(page.locator("[data-pick]")).to_have_count(0)
        page.close()


def test_parts_are_shown_as_they_were_cut_out(browser: Browser, tmp_path: Path) -> None:
    upper_left = {0: (1, 1, np.log(2), np.log(2), 0.9, 16)}  # a quarter of the picture: a dog
    detector = write_yolox(tmp_path / "dogs.onnx", upper_left)
    put(tmp_path / "pile" / "a.png", saved(quarters(64, 64), "PNG"))
    atlas = Collection(Store.create(tmp_path / "parts.atlas"), encoder=ToyEncoder())
    atlas.index(tmp_path / "pile", find=["objects"], detector=detector)
    atlas.cluster("kmeans", k=1, kind="animal")
    with served(atlas) as address:
        page = Visit(browser.new_page(), address).go("/clusters/0")
        picture = page.locator("main > .panel img")
        expect(picture).not_to_have_js_property("naturalWidth", 0)
        assert "/api/v1/regions/" in (picture.get_attribute("src") or "")
        page.close()
