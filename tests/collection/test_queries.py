"""How a query that a person writes is taken apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from bilderatlas.collection import Collection, queries
from bilderatlas.collection.queries import Term, parse
from bilderatlas.errors import ImageNotFound, ImageProblem, QueryError
from bilderatlas.storage import Store
from tests.pictures import saved
from tests.toy_encoder import COLOURS, ToyEncoder


def test_plain_words_are_one_term() -> None:
    assert parse("a dog on the beach") == (Term(1.0, words="a dog on the beach"),)


def test_words_and_pictures_are_mixed_with_weights() -> None:
    assert parse("2:dog + ./beach.jpg - snow") == (
        Term(2.0, words="dog"),
        Term(1.0, file="./beach.jpg"),
        Term(-1.0, words="snow"),
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("t-shirt", "t-shirt"),
        ("16:9 television", "16:9 television"),
        ("black-and-white photo", "black-and-white photo"),
        ("C++", "C++"),
        ('"rock + roll"', "rock + roll"),
        ('"2:1 aspect"', "2:1 aspect"),
        ("St. Mark's", "St. Mark's"),
    ],
)
def test_signs_inside_words_stay_there(query: str, words: str) -> None:
    assert parse(query) == (Term(1.0, words=words, is_phrase=query.startswith('"')),)


@pytest.mark.parametrize(
    "text",
    [
        "- a cat in the sun",
        "+ a cat",
        "Berlin - the gate + its quadriga",
        'a "red" door - 5" wide',
        '"quoted"',
        "2:1",
        "./beach.jpg",
        "beach.jpg",
        "image:" + "a" * 32,
    ],
)
def test_a_text_that_is_data_is_asked_for_as_it_is(text: str) -> None:
    assert parse(queries.phrase(text)) == (Term(1.0, words=text, is_phrase=True),)
    both = (Term(1.0, words=text, is_phrase=True), Term(-1.0, words="snow"))
    assert parse(f"{queries.phrase(text)} - snow") == parse(queries.written(both)) == both


def test_beside_a_picture_a_query_may_only_say_what_is_unwanted() -> None:
    assert parse("- snow", beside_picture=True) == (Term(-1.0, words="snow"),)
    with pytest.raises(QueryError, match="empty"):
        parse("", beside_picture=True)


def test_weights_may_be_fractions_and_stand_with_minus() -> None:
    assert parse("0.5:sea - 1.5: boats") == (Term(0.5, words="sea"), Term(-1.5, words="boats"))


def test_a_leading_minus_is_a_sign() -> None:
    assert parse("- snow + dog") == (Term(-1.0, words="snow"), Term(1.0, words="dog"))


@pytest.mark.parametrize("file", ["beach.JPG", "/pictures/a b.png", "~/x.webp", "../up/scan"])
def test_what_looks_like_a_picture_file_is_one(file: str) -> None:
    assert parse(file) == (Term(1.0, file=file),)


def test_an_image_of_the_collection_is_named_by_its_id() -> None:
    assert parse("image:" + "a" * 32) == (Term(1.0, image_id="a" * 32),)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('""', "empty"),
        ("- snow", "only says what the pictures should not show"),
        ("0:dog", "only says what the pictures should not show"),
        (" + ".join(["dog"] * 33), "33 terms"),
        ("9" * 400 + ":dog + cat", "weight 99999999999999999999 is too large"),
        ("dog\0", "The query .* not a valid character"),
        ("dog - 2:caf\udce9", r"The query .* holds '\\udce9' at character 4"),
    ],
)
def test_a_query_that_asks_for_nothing_is_refused(query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        parse(query)


@pytest.fixture
def colours(tmp_path: Path) -> Collection:
    """One picture of each colour, and one half red, half blue."""
    folder = tmp_path / "colours"
    folder.mkdir()
    for name, rgb in COLOURS.items():
        Image.new("RGB", (16, 16), tuple(int(255 * part) for part in rgb)).save(
            folder / f"{name}.png"
        )
    half = Image.new("RGB", (16, 16), "red")
    half.paste("blue", (8, 0, 16, 16))
    half.save(folder / "half.png")
    atlas = Collection(Store.create(tmp_path / "c.atlas"), encoder=ToyEncoder())
    atlas.index(folder)
    return atlas


def best(atlas: Collection, query: str, **how: bool) -> str:
    return Path(atlas.search(query, k=1, **how)[0].path).stem


def test_two_words_find_what_is_both(colours: Collection) -> None:
    assert best(colours, "red + blue") in ("half", "magenta")
    assert best(colours, "red") == "red"


def test_minus_takes_away(colours: Collection) -> None:
    assert best(colours, "yellow - red") == "green"
    assert best(colours, "magenta - blue") == "red"


def test_words_and_a_picture_file_are_mixed(colours: Collection, tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    Image.new("RGB", (9, 9), (255, 0, 0)).save(picture)
    assert best(colours, f"{picture} + green") == "yellow"
    assert best(colours, f"9:{picture} + green") == "red"


def test_an_image_of_the_collection_is_a_term(colours: Collection) -> None:
    image_id = colours.search("red", k=1)[0].image_id
    assert best(colours, f"image:{image_id} + green") == "yellow"


def test_a_file_that_is_not_there_is_an_error_not_a_word(colours: Collection) -> None:
    with pytest.raises(ImageProblem, match=r"nowhere\.jpg"):
        colours.search("red + ./nowhere.jpg")


def test_without_leave_no_file_is_opened(colours: Collection, tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    Image.new("RGB", (9, 9), "red").save(outside)
    with pytest.raises(ImageNotFound):
        colours.search(str(outside), may_open_files=False)
    inside = tmp_path / "colours" / "red.png"
    assert best(colours, f"{inside} + green", may_open_files=False) == "yellow"


def test_terms_that_cancel_out_are_refused(colours: Collection) -> None:
    with pytest.raises(QueryError, match="cancel each other out"):
        colours.search("red - red")


def test_weights_are_kinds_with_numbers() -> None:
    assert queries.weights(["person=2", "text = 0.5"]) == {"person": 2, "text": 0.5}


@pytest.mark.parametrize("given", ["person", "person=", "person=many", "2=person", "person:2"])
def test_a_weight_without_a_number_is_refused(given: str) -> None:
    with pytest.raises(QueryError, match=f"'{given}' cannot be read. Write .* person=2"):
        queries.weights([given])


@pytest.mark.parametrize(
    "query",
    [
        "dog",
        "2:dog + ./beach.jpg - snow",
        "- snow + dog",
        'dog - 0.5:"t-shirt + hat"',
        f"1.5:image:{'a1' * 16} - red car",
    ],
)
def test_a_query_is_put_together_again_from_its_terms(query: str) -> None:
    assert queries.written(queries.parse(query)) == query


def test_a_caption_finds_its_picture_whatever_it_begins_with(colours: Collection) -> None:
    for caption in ("- red", "+ red", "red - blue"):
        first = colours.search(queries.phrase(caption), k=1)[0]
        assert Path(first.path).stem == "red" or caption == "red - blue"
    with pytest.raises(QueryError, match=r"'- red' only says .* into double quotes"):
        colours.search("- red")


def test_words_and_a_picture_together_ask_for_both(colours: Collection, tmp_path: Path) -> None:
    """Red and blue are magenta, which neither asks for alone."""
    blue = saved(Image.new("RGB", (16, 16), "blue"), "PNG")
    assert Path(colours.search("red", k=1)[0].path).stem == "red"
    assert Path(colours.search(image=blue, k=1)[0].path).stem == "blue"
    for image in (blue, Image.new("RGB", (16, 16), "blue")):
        assert Path(colours.search("red", image=image, k=1)[0].path).stem == "magenta"
    unlike = colours.search("- red", image=saved(Image.new("RGB", (16, 16), "magenta"), "PNG"), k=1)
    assert Path(unlike[0].path).stem == "blue"
