"""The panel of hits: the part that matched is named and outlined on its picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from bilderatlas.results import Hit, ImageFacts, Region
from bilderatlas.web.views.results import hits_panel

WHOLE = Region(
    "a", "image", None, (0, 0, 1, 1), 0.3, None, relevance=0.2, share=0.25, matched_by="picture"
)
DOG = Region(
    "a-1",
    "animal",
    "dog",
    (0.5, 0.25, 1, 0.75),
    0.4,
    None,
    relevance=0.6,
    share=0.75,
    matched_by="picture",
)
FACTS = ImageFacts("a", "/p/a.jpg", 200, 100, "image/jpeg", None, ("/p/a.jpg",), {}, ())


def shown(*regions: Region) -> dict[str, Any]:
    document: dict[str, Any] = hits_panel(
        [Hit("a", "/p/a.jpg", 0.4, 0.6, regions, {}, "picture", ())], [FACTS]
    ).to_plotly_json()
    link = document["props"]["children"][0].children[0]
    frame, caption = link.children
    return {
        "outlines": [unquote(each.src) for each in frame.children[1:]],
        "notes": [part.children for part in caption.children],
    }


def test_the_part_that_speaks_most_is_outlined_in_the_pictures_own_pixels() -> None:
    (outline,) = shown(WHOLE, DOG)["outlines"]
    assert 'viewBox="0 0 200 100"' in outline
    assert outline.count('x="100.0" y="25.0" width="100.0" height="50.0"') == 2
    assert "dog 75%" in shown(WHOLE, DOG)["notes"]


def test_a_part_without_a_label_goes_by_its_kind() -> None:
    assert "person 75%" in shown(replace(DOG, kind="person", label=None))["notes"]


def test_words_on_a_picture_are_told_as_they_stand_there() -> None:
    assert "“STOP” 75%" in shown(replace(DOG, kind="text", label=None, text="STOP"))["notes"]


def test_a_whole_picture_has_no_outline() -> None:
    both = shown(replace(WHOLE, share=0.8), replace(DOG, share=0.2))
    assert both["outlines"] == []
    assert "dog 20%" not in both["notes"]
