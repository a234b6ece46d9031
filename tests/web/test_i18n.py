"""The pages say the same in every language."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from types import ModuleType

import pytest

from bilderatlas.results import Verdict
from bilderatlas.web import i18n, request_context
from bilderatlas.web.i18n import LANGUAGES
from bilderatlas.web.locales import english
from tests.web.visiting import Visit

OTHERS = {name: module for name, module in LANGUAGES.items() if module is not english}


def _said(module: ModuleType) -> dict[str, object]:
    """Everything public that a language defines itself."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and (not callable(value) or value.__module__ == module.__name__)
        and name != "annotations"
    }


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_text_of_english(language: str) -> None:
    ours, theirs = _said(english), _said(OTHERS[language])

    assert theirs.keys() == ours.keys()
    for name, text in ours.items():
        other = theirs[name]
        if callable(text) and callable(other):
            assert inspect.signature(other) == inspect.signature(text), name
        elif isinstance(text, dict) and isinstance(other, dict):
            assert other.keys() == text.keys(), name
        else:
            assert type(other) is type(text), name
            assert other, name


@pytest.mark.parametrize("module", LANGUAGES.values(), ids=LANGUAGES)
def test_no_text_takes_the_name_of_another(module: ModuleType) -> None:
    body = ast.parse(inspect.getsource(module)).body
    names = [one.name for one in body if isinstance(one, ast.FunctionDef)]
    names += [
        name.id
        for one in body
        if isinstance(one, ast.Assign)
        for name in ast.walk(one.targets[0])
        if isinstance(name, ast.Name)
    ]
    assert [name for name, n in Counter(names).items() if n > 1] == []


def test_german_numbers_have_points_for_thousands() -> None:
    assert OTHERS["de"].n_images(12345) == "12.345 Bilder"
    verdict = Verdict(n_likely=1000, n_doubtful=0, n_background=5, cut_off=0.1)
    assert "1.000 wahrscheinlich" in OTHERS["de"].verdict(verdict)


def test_without_a_visitor_the_texts_are_english() -> None:
    assert request_context.current().language == "en"
    assert i18n.GALLERY == "Gallery"


def test_the_browsers_language_is_spoken(visit: Visit) -> None:
    visit.page.set_extra_http_headers({"Accept-Language": "fr, de-AT;q=0.8, en;q=0.5"})

    page = visit.go("/gallery")

    assert page.inner_text("main h1") == "Galerie"
    assert page.get_attribute("html", "lang") == "de"
    assert "Gruppen" in page.inner_text("header nav")


def test_the_other_language_is_chosen_and_stays(visit: Visit) -> None:
    page = visit.go("/gallery")
    assert page.inner_text("main h1") == "Gallery"

    page.click("header .language")

    page.wait_for_selector("h1:has-text('Galerie')")
    assert visit.go("/search").inner_text("main h1") == "Suche"
    page.click("header .language")
    page.wait_for_selector("h1:has-text('Search')")


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_every_stage_of_a_problem_has_words(words: ModuleType) -> None:
    stages = {"read", "decode", "embed", "incomplete", "find", "reindex", "other", "small"}
    assert set(words.STAGES) == stages
