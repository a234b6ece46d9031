"""The page of one image: its parts, its labels, its clusters, and the way through its list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bilderatlas.collection import Collection
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage.rows import Parts, RegionRow
from tests.pictures import collect, plain, put, quarters, saved
from tests.toy_encoder import ToyEncoder
from tests.web.visiting import Visit, served

pytestmark = pytest.mark.browser

CORNER, LINE = (0.5, 0.0, 1.0, 0.5), (0.1, 0.6, 0.4, 0.7)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Four plain pictures, and one with a green corner and a word in it."""
    folder = tmp_path_factory.mktemp("parts")
    put(folder / "pile" / "quarters.png", saved(quarters(480, 320), "PNG"))
    for colour in ("blue", "green", "red", "yellow"):
        put(folder / "pile" / f"{colour}.png", plain(colour, side=64))
    atlas = collect(folder, folder / "pile")
    image_id = _id(atlas, "quarters.png")
    rows = [
        RegionRow(f"{image_id}-1", image_id, "object", "a corner", CORNER, 0.9, None),
        RegionRow(f"{image_id}-2", image_id, "text", None, LINE, 0.8, "<b>Ulm</b> 1950"),
    ]
    embeddings = ImageEmbeddings(ToyEncoder().embed_texts(["green", "red"]), None)
    atlas._store.replace_parts("toy", [image_id], Parts(rows, embeddings, "toy"))
    atlas.cluster("kmeans", k=2)
    return atlas


@pytest.fixture(scope="module")
def address(collection: Collection) -> Iterator[str]:
    with served(collection) as address:
        yield address


@pytest.fixture
def quartered(visit: Visit, collection: Collection) -> Page:
    """The page of the picture with parts."""
    return visit.go(f"/images/{_id(collection, 'quarters.png')}")


def _id(atlas: Collection, name: str) -> str:
    return next(image.image_id for image in atlas.browse() if Path(image.path).name == name)


def test_its_parts_are_listed_and_outlined(quartered: Page) -> None:
    expect(quartered.get_by_role("heading", name="2 parts")).to_be_visible()
    parts = quartered.locator(".parts li")
    expect(parts).to_have_text(["a cornerobject · 90%", "“<b>Ulm</b> 1950”text · 80%"])
    outline = quartered.locator(".boxes a").first
    picture = quartered.locator(".stage img").bounding_box()
    box = outline.bounding_box()
    assert picture
    assert box
    assert box["x"] == pytest.approx(picture["x"] + picture["width"] / 2, abs=2)
    assert box["height"] == pytest.approx(picture["height"] / 2, abs=2)
    parts.first.get_by_role("link").focus()
    expect(outline.get_by_text("a corner 90%")).to_be_visible()


def test_a_part_finds_others_like_it(quartered: Page) -> None:
    quartered.locator(".parts a").first.click()
    quartered.wait_for_url("**/search?part=*-1")
    expect(quartered.get_by_alt_text("The part that is searched for")).to_be_visible()
    quartered.wait_for_selector(".panel img")
    names = quartered.locator(".panel .name").all_text_contents()
    assert set(names[:2]) == {"green.png", "quarters.png"}


def test_the_words_found_can_be_copied(quartered: Page) -> None:
    expect(quartered.locator("#words-found")).to_have_text("<b>Ulm</b> 1950")
    quartered.get_by_role("button", name="Copy").click()
    expect(quartered.locator("#said")).to_have_text("Copied")


def test_keys_show_it_in_full_size_and_with_its_parts(quartered: Page) -> None:
    quartered.keyboard.press("z")
    expect(quartered.get_by_role("button", name="Full size")).to_have_attribute(
        "aria-pressed", "true"
    )
    box = quartered.locator(".stage img").bounding_box()
    assert box
    assert box["width"] == pytest.approx(480, abs=1)
    quartered.keyboard.press("b")
    expect(quartered.locator(".mount")).to_have_class("mount is-full shows-boxes")


def test_it_leads_to_its_cluster(quartered: Page, collection: Collection) -> None:
    [cluster] = collection.clusters_of(_id(collection, "quarters.png"))
    quartered.locator(".in-clusters a").click()
    quartered.wait_for_url(f"**/clusters/{cluster.cluster}?run=kmeans-1")


def test_labels_are_given_and_taken(visit: Visit, collection: Collection) -> None:
    page = visit.go(f"/images/{_id(collection, 'red.png')}")
    page.get_by_label("New label").fill("warm")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("link", name="warm")).to_have_attribute("href", "/gallery?label=warm")
    assert collection.labels_of([_id(collection, "red.png")]) == [("warm",)]
    page.get_by_role("button", name="Remove the label warm").click()
    expect(page.locator("#said")).to_contain_text("Removed the label warm")
    expect(page.get_by_role("link", name="warm")).to_have_count(0)


def test_without_a_list_all_images_come_by_name(visit: Visit, collection: Collection) -> None:
    page = visit.go(f"/images/{_id(collection, 'blue.png')}")
    way = page.get_by_role("navigation", name="Through the list")
    expect(way).to_contain_text("1 of 5")
    expect(way.get_by_role("link", name="Previous")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", level=1)).to_have_text("green.png")


def test_a_list_with_choices_is_gone_through(visit: Visit, collection: Collection) -> None:
    page = visit.go("/gallery?order=name&to.width=100")
    page.locator(".panel a").nth(2).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("red.png")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", level=1)).to_have_text("yellow.png")
    page.keyboard.press("Escape")
    page.wait_for_url("**/gallery?order=name&to.width=100")


@pytest.mark.parametrize("listing", ["//elsewhere.example", "/gallery?order=size", "/nothing"])
def test_a_list_that_there_is_not_is_passed_over(
    visit: Visit, collection: Collection, listing: str
) -> None:
    page = visit.go(f"/images/{_id(collection, 'blue.png')}?from={listing}")
    back = page.get_by_role("link", name="Back to the list")
    expect(back).to_have_attribute("href", "/gallery?order=name")


def test_a_picture_whose_file_is_gone_is_shown_small(browser: Browser, tmp_path: Path) -> None:
    gone = put(tmp_path / "pile" / "gone.png", plain("red", side=64))
    put(tmp_path / "pile" / "here.png", plain("blue", side=64))
    atlas = collect(tmp_path, tmp_path / "pile")
    image_id = _id(atlas, "gone.png")
    gone.unlink()
    with served(atlas) as address:
        page = browser.new_context().new_page()
        Visit(page, address).go(f"/images/{image_id}")
        expect(page.get_by_text("The file is not where it was")).to_be_visible()
        small = re.compile(f"/images/{image_id}/thumbnail$")
        expect(page.locator(".stage img")).to_have_attribute("src", small)
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", level=1)).to_have_text("here.png")
        expect(page.get_by_text("The file is not where it was")).to_be_hidden()
        page.context.close()
