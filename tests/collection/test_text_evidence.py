"""Searching by what is read in pictures: text by its words and its meaning, labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

import bilderatlas
from bilderatlas.collection import Collection
from bilderatlas.collection.queries import parse
from bilderatlas.collection.text_evidence import Readings
from bilderatlas.results import Hit
from bilderatlas.storage import Store
from bilderatlas.storage.rows import Parts, RegionRow
from tests.indexing.pile import new_collection, open_collection
from tests.pictures import plain, put, saved
from tests.toy_encoder import ToyEncoder

# What is said to have been read in pictures of one colour. Words that are no colours have a cosine
# of 0.5 to each of the pictures.
READ = {"blue": "Fresh bread", "lime": "Fresh FISH\nred snapper", "red": None, "black": "No entry"}


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    """Pictures of one colour with one region each, that of the whole picture again."""
    for colour in READ:
        put(tmp_path / "pile" / f"{colour}.png", plain(colour))
    atlas = new_collection(tmp_path / "c.atlas")
    atlas.index(tmp_path / "pile")
    store, encoder = Store.open(atlas.path), ToyEncoder()
    for hit in atlas.search("red", k=None):
        colour = Path(hit.path).stem
        kind, label = ("text", None) if READ[colour] else ("animal", "dog")
        row = RegionRow(
            f"{hit.image_id}-1", hit.image_id, kind, label, (0, 0, 1, 1), 0.9, READ[colour]
        )
        made = encoder.embed_images(encoder.prepare(Image.new("RGB", (8, 8), colour))[None])
        with store.writing():
            store.replace_parts("toy", [hit.image_id], Parts([row], made, "by hand"))
    return open_collection(atlas.path)


def hit_of(atlas: Collection, name: str, query: str, **how: object) -> Hit:
    hits = atlas.search(query, k=None, **how)
    return next(hit for hit in hits if Path(hit.path).stem == name)


def test_words_are_found_without_a_space_of_words(atlas: Collection) -> None:
    hit = atlas.search("FRESH BREAD")[0]
    assert (Path(hit.path).stem, hit.matched_by) == ("blue", "words")
    best, whole = hit.regions
    assert (best.kind, best.text, best.matched_by) == ("text", "Fresh bread", "words")
    assert whole.matched_by == "picture"
    assert best.relevance == hit.relevance > 0.99 > whole.relevance
    assert best.share == pytest.approx(best.relevance / (best.relevance + whole.relevance))


def test_only_words_that_are_asked_for_are_matched(atlas: Collection) -> None:
    """A picture asks for no words, and what is not wanted is not looked for."""
    grey = Image.new("RGB", (8, 8), "grey")
    assert {hit.matched_by for hit in atlas.search(image=grey)} == {"picture"}
    assert hit_of(atlas, "black", "red - entry").matched_by == "picture"
    assert hit_of(atlas, "black", "red + 2:entry").matched_by == "words"


def test_a_phrase_is_matched_as_one(atlas: Collection) -> None:
    assert hit_of(atlas, "lime", "snapper fish").matched_by == "words"
    assert hit_of(atlas, "lime", '"snapper fish"').matched_by == "picture"
    assert hit_of(atlas, "lime", '"red snapper"').matched_by == "words"


def test_text_that_is_left_out_is_not_matched(atlas: Collection) -> None:
    for left_out in ({"without": ["text"]}, {"weights": {"text": 0}}, {"kinds": ["image"]}):
        hit = hit_of(atlas, "blue", "fresh bread", **left_out)
        assert (hit.matched_by, [region.kind for region in hit.regions]) == ("picture", ["image"])


def test_a_label_is_matched_by_its_meaning_as_surely_as_it_was_found(atlas: Collection) -> None:
    for query in ("dog", "puppy"):
        hit = hit_of(atlas, "red", query)
        assert (hit.matched_by, hit.regions[0].label) == ("label", "dog")
    [evidence] = Readings(None)._by_label(
        Readings(None)._embed(parse("dog")), atlas._space().catalogue
    )
    assert evidence.relevance == pytest.approx([0.9 * 0.98], abs=1e-2)
    assert hit_of(atlas, "red", "vase").matched_by == "picture"


def test_meaning_is_asked_of_the_space_of_words(atlas: Collection) -> None:
    assert hit_of(atlas, "black", "no admittance").matched_by == "words"  # "no"
    assert hit_of(atlas, "blue", "a loaf from the bakery").matched_by == "picture"
    atlas.reindex(encoder="builtin-text", text_column="text")
    hit = hit_of(atlas, "blue", "a loaf of bread from the bakery")
    assert (hit.matched_by, hit.regions[0].kind) == ("meaning", "text")


def test_other_spaces_are_asked_alone(atlas: Collection) -> None:
    atlas.reindex(encoder="builtin-text", text_column="text")
    hits = atlas.search("fresh bread", space="text-builtin-text")
    assert {hit.matched_by for hit in hits} == {"meaning"}
    assert Path(hits[0].path).stem == "blue"


def test_a_search_sees_what_was_read_since(atlas: Collection, tmp_path: Path) -> None:
    assert atlas.search("closed")[0].matched_by == "picture"
    image_id = hit_of(atlas, "red", "red").image_id
    store, encoder = Store.open(atlas.path), ToyEncoder()
    row = RegionRow(f"{image_id}-1", image_id, "text", None, (0, 0, 1, 1), 0.9, "CLOSED")
    made = encoder.embed_images(encoder.prepare(Image.new("RGB", (8, 8), "red"))[None])
    with store.writing():
        store.replace_parts("toy", [image_id], Parts([row], made, "by hand again"))
    assert atlas.search("closed")[0].matched_by == "words"


@pytest.mark.model
@pytest.mark.slow
def test_words_that_rapidocr_reads_are_found(tmp_path: Path) -> None:
    font = ImageFont.load_default(60)
    for name, words in (("bakery", "Fresh bread daily"), ("door", "Mind the step")):
        sign = Image.new("RGB", (800, 600), "white")
        ImageDraw.Draw(sign).text((60, 250), words, "black", font=font)
        put(tmp_path / "pile" / f"{name}.png", saved(sign, "PNG"))
    atlas = bilderatlas.create(tmp_path / "c.atlas")
    atlas.index(tmp_path / "pile", find=["text"], encoder="builtin")
    by_words = atlas.search("fresh bread")[0]
    assert (Path(by_words.path).stem, by_words.matched_by) == ("bakery", "words")
    assert by_words.regions[0].text == "Fresh bread daily"
    by_meaning = atlas.search("newly baked loaves of bread")[0]
    assert (Path(by_meaning.path).stem, by_meaning.matched_by) == ("bakery", "meaning")
