"""The page of an evaluation: complete, self-contained, and at home in a browser of any width."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bilderatlas.collection import Collection
from bilderatlas.errors import StoreError
from bilderatlas.output.evaluation_report import Evaluation, page
from tests.pictures import collect, plain, put

NASTY = "<b>\"&'\N{PILE OF POO}"
COLOURS = {"red": "warm", "yellow": "warm", "blue": NASTY}


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    folder = tmp_path_factory.mktemp("page")
    table = ["file,class,text\n"]
    for n, colour in enumerate(["red", "red", "red", "yellow", "blue", "blue", "blue"]):
        put(folder / f"{n}-{colour}.png", plain(colour, side=20 + n))
        kind = COLOURS[colour].replace('"', '""')
        table.append(f'{n}-{colour}.png,"{kind}",{colour}\n')
    put(folder / "all.csv", "".join(table).encode())
    atlas: Collection = collect(folder, folder / "all.csv")
    atlas.cluster("kmeans", k=3)
    atlas.cluster("dbscan", eps=0.1)
    return atlas.evaluate("column:class", runs=["kmeans-1", "dbscan-1"], captions="text")


def test_every_section_is_there(evaluation: Evaluation) -> None:
    made = evaluation.to_html()
    heads = re.findall("<h2>(.*?)</h2>", made)
    assert heads == [
        "Clusterings", "Side by side", "Likeness within and between classes",
        "DBSCAN over its settings", "Captions and pictures",
    ]  # fmt: skip
    assert made.count("<svg") == 5
    assert made.count("data:image/jpeg;base64,") == 7 + 2 * 7  # side by side; twice in the matrix
    assert "<em>without its noise</em>" in made


def test_figures_are_those_of_the_evaluation(evaluation: Evaluation) -> None:
    made = evaluation.to_html()
    assert f"{evaluation.runs[0].agreement.ari:.3f}" in made
    assert f"<strong>{evaluation.dbscan.best.eps:g}</strong>" in made
    assert evaluation.similarity.separation is not None
    assert f"<strong>{evaluation.similarity.separation.threshold:.3f}</strong>" in made


def test_names_are_text_and_never_html(evaluation: Evaluation) -> None:
    made = evaluation.to_html()
    assert NASTY not in made
    assert "&lt;b&gt;&quot;&amp;&#x27;\N{PILE OF POO}" in made


def test_a_notebook_shows_the_classes(evaluation: Evaluation) -> None:
    made = evaluation.heat_map()
    assert set(made.names) == set(evaluation.labels.classes)
    assert (made.matrix == evaluation.similarity.matrix).all()
    assert evaluation._repr_png_().startswith(b"\x89PNG")


def test_nothing_is_loaded_from_elsewhere(evaluation: Evaluation) -> None:
    made = evaluation.to_html()
    assert not re.search(r"https?:|url\(|<script|<link|@import", made)


def test_of_many_pictures_as_many_of_each_class_are_shown() -> None:
    chosen = page._chosen(["a"] * 500 + ["b"] * 5 + ["c"] * 100)
    assert len(chosen) == 40 + 5 + 40
    assert chosen[:2] == [0, 1]
    assert len(page._chosen([str(i) for i in range(999)])) == page.N_ROWS


def test_a_place_that_cannot_be_written_is_told(evaluation: Evaluation, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        evaluation.write(tmp_path)


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_shows_it_without_a_complaint(
    evaluation: Evaluation, browser: Browser, tmp_path: Path, width: int
) -> None:
    evaluation.write(tmp_path / "deep" / "report.html")
    complaints: list[str] = []
    requests: list[str] = []
    opened = browser.new_page(viewport={"width": width, "height": 800})
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("request", lambda request: requests.append(request.url[:5]))
    opened.goto((tmp_path / "deep" / "report.html").as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    cell = opened.locator(".heat td[style]").first
    assert cell.evaluate("cell => getComputedStyle(cell).backgroundColor") != "rgba(0, 0, 0, 0)"
    opened.close()
    assert complaints == []
    assert set(requests) <= {"file:", "data:"}
