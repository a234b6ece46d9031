"""Whatever people type is answered, or refused in our words: in Python, on the command line, by
REST and on the pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

import bilderatlas
from bilderatlas import characters, cli
from bilderatlas.client.protocol import Atlas
from bilderatlas.collection import Collection
from bilderatlas.errors import BilderatlasError, DecisionError, QueryError, ServerError
from bilderatlas.models import encoders
from bilderatlas.server import app
from bilderatlas.storage import Store
from bilderatlas.web.address import Address, Desk
from bilderatlas.web.app import PAGES
from bilderatlas.web.app import _page as page_of
from bilderatlas.web.query_pictures import QueryPictures
from tests.random_texts import texts
from tests.server.coloured import paint_all
from tests.web.visiting import served

API = "/api/v1"
AS_JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Pictures of four colours, with an encoder that reads words in earnest."""
    folder = tmp_path_factory.mktemp("characters")
    table = paint_all(folder / "pictures")
    made = Collection(Store.create(folder / "a.atlas"), encoder=encoders.load("builtin"))
    made.index(table, column="path")
    made.cluster("kmeans", k=4)
    made.project("pca")
    return made


@pytest.fixture(scope="module")
def client(atlas: Collection) -> Iterator[TestClient]:
    made = app.create(atlas)
    with TestClient(made, "http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("text", ["a cat", "größe \U0001f600", "\u202egnp", "tab\t", "\ufffe", ""])
def test_what_is_text_is_let_through(text: str) -> None:
    characters.check(text, "The query")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\0b", r"The query 'a\\x00b' holds '\\x00' at character 2"),
        ("caf\udce9", r"holds '\\udce9' at character 4"),
        ("x" * 90 + "\ud800", r"x\.\.\.' holds '\\ud800' at character 91"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        characters.check(text, "The query")


@pytest.mark.parametrize("name", ["a\x01b", "\x1b[31mred", "a\0", "\ud800", "\x85"])
def test_a_name_that_nobody_can_read_is_refused(name: str) -> None:
    with pytest.raises(DecisionError, match=r"The name .* cannot be shown\. Leave it out"):
        characters.check_name(name, "The name", DecisionError)


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "x" * 256, "é" * 128, "a/" * 2048 + "b"])
def test_a_path_that_no_file_has_is_refused(path: str) -> None:
    with pytest.raises(QueryError, match="No file can be called"):
        characters.check_path(Path(path))


@pytest.mark.parametrize("path", ["caf\udce9.jpg", "x" * 255, "é" * 127, "a/" * 2000 + "b"])
def test_a_path_may_have_any_bytes(path: str) -> None:
    characters.check_path(Path(path))


Ask = Callable[[Collection, str], object]
ASKED: dict[str, Ask] = {
    "a query": lambda atlas, text: atlas.search(text, k=3),
    "a query without files": lambda atlas, text: atlas.search(text, may_open_files=False),
    "a picture": lambda atlas, text: atlas.search(image=text),
    "a condition": lambda atlas, text: atlas.browse(where=text),
    "an image": lambda atlas, text: atlas.similar(text),
    "an image's facts": lambda atlas, text: atlas.image(text),
    "a name": lambda atlas, text: atlas.decide("name", 0, text),
    "a cluster": lambda atlas, text: atlas.decide("name", text, "x"),
    "who": lambda atlas, text: atlas.decide("split", 0, who=text),
    "a verb": lambda atlas, text: atlas.decide(text, text),
    "a decision": lambda atlas, text: atlas.decide("undo", text),
    "a label": lambda atlas, text: atlas.unlabel([], text),
    "labelled images": lambda atlas, text: atlas.label([text], "x"),
    "labels": lambda atlas, text: atlas.evaluate(text),
    "images of a label": lambda atlas, text: atlas.select(label=text),
    "a selection": lambda atlas, text: atlas.select(selection=text),
    "selected images": lambda atlas, text: atlas.keep_selection([text]),
    "a cursor": lambda atlas, text: atlas.browse(after=text),
    "an order": lambda atlas, text: atlas.browse(text),
    "a kind": lambda atlas, text: atlas.browse(kinds=[text]),
    "a space": lambda atlas, text: atlas.search("red", space=text),
    "a run": lambda atlas, text: atlas.clustering(text),
    "a method": lambda atlas, text: atlas.cluster(text),
    "a source": lambda atlas, text: atlas.index(text),
    "an encoder": lambda atlas, text: encoders.load(text),
}


def said_of(ask: Callable[[Any, str], object], atlas: Atlas, text: str) -> str | None:
    """What is said where a text is refused; None where it is answered."""
    try:
        ask(atlas, text)
    except ServerError:
        raise  # a server's, which is none of these
    except BilderatlasError as refusal:
        return str(refusal)
    return None


@pytest.mark.slow
@pytest.mark.parametrize("what", ASKED)
def test_python_answers_or_refuses_any_text(atlas: Collection, what: str) -> None:
    for text in texts(40, seed=1):
        said = said_of(ASKED[what], atlas, text)
        assert said is None or len(said) > 20, text


@pytest.mark.slow
def test_python_answers_or_refuses_any_query(atlas: Collection) -> None:
    said = [said_of(ASKED["a query"], atlas, text) for text in texts(300, seed=2)]
    assert 50 < said.count(None) < 250  # it is not all the same


ASKED_AFAR: dict[str, Callable[[Atlas, str], object]] = {
    "a query": lambda atlas, text: atlas.search(text, k=2),
    "a condition": lambda atlas, text: atlas.browse(where=text),
    "an image": lambda atlas, text: atlas.similar(text),
    "an image's facts": lambda atlas, text: atlas.image(text),
    "a picture": lambda atlas, text: atlas.search(image=text),
    "a cursor": lambda atlas, text: atlas.browse(after=text),
    "a name": lambda atlas, text: atlas.decide("name", 0, text),
    "a label": lambda atlas, text: atlas.label([text], text),
    "a run": lambda atlas, text: atlas.clustering(text),
}


@pytest.mark.slow
def test_a_served_collection_answers_or_refuses_any_text(atlas: Collection) -> None:
    with served(atlas) as address:
        there = bilderatlas.open(address)
        for text in texts(30, seed=6):
            for what, ask in ASKED_AFAR.items():
                said = said_of(ask, there, text)
                assert said is None or len(said) > 20, (what, text)


COMMANDS: dict[str, list[str]] = {
    "search": ["--", "TEXT"],
    "search --where": ["red", "--where", "TEXT"],
    "search --image": ["--image", "TEXT"],
    "similar": ["--", "TEXT"],
    "decide": ["name", "--", "0", "TEXT"],
    "name": ["--cluster", "0", "--", "TEXT"],
    "decide --who": ["undo", "nothing", "--who", "TEXT"],
    "label": ["--set", "x", "--", "TEXT"],
    "label --set": ["--set", "TEXT", "--query", "red"],
    "label --import": ["--import", "TEXT"],
    "evaluate": ["--labels", "TEXT"],
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line_answers_or_refuses_any_text(
    atlas: Collection,
    command: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for text in texts(15, seed=3):
        typed = as_argument(text)
        arguments = [typed if each == "TEXT" else each for each in COMMANDS[command]]
        verb, *option = command.split()
        line = ["bilderatlas", verb, str(atlas.path), "--json", *arguments]
        monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        streams = capsys.readouterr()
        assert ended.value.code in (0, 1, 2), text
        assert "Traceback" not in streams.err + streams.out, text
        assert "fault in Bilderatlas" not in streams.err + streams.out, text
        assert option or ended.value.code == 2 or json.loads(streams.out)


def as_argument(text: str) -> str:
    """A text as it comes from a shell: no NUL, and bytes that are no UTF-8 as Python keeps them."""
    return (
        text.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    )


BODIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "/search": lambda text: {"query": text},
    "/decisions": lambda text: {"verb": "name", "what": ["0", text]},
    "/labels": lambda text: {"images": [text], "label": text},
    "/selections": lambda text: {"images": [text]},
}
ADDRESSES = (
    "/images?where={}",
    "/images?after={}",
    "/images?label={}",
    "/images/{}",
    "/images/{}/similar",
    "/images/{}/thumbnail",
    "/images/named?name={}",
    "/clusters/{}",
    "/projection?run={}",
    "/search/table?query={}",
)


@pytest.mark.slow
def test_rest_answers_or_refuses_any_text(client: TestClient) -> None:
    for text in texts(40, seed=4):
        raw = quote(text.encode("utf-8", "surrogatepass"), safe="")
        bodies = [(API + path, json.dumps(made(text))) for path, made in BODIES.items()]
        bodies.append((f"{API}/search", json.dumps({"query": "red", "where": text})))
        answers = [client.post(path, content=body, headers=AS_JSON) for path, body in bodies]
        answers += [client.get(API + address.format(raw)) for address in ADDRESSES]
        for answer in answers:
            asked = (ascii(text), answer.request.url, answer.text[:200])
            assert answer.status_code < 500, asked
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json", asked
                assert len(answer.json()["detail"]) > 10, asked


@pytest.mark.slow
@pytest.mark.parametrize("path", [*PAGES, "/images/0", "/clusters/0"])
def test_pages_answer_or_refuse_any_text(atlas: Collection, path: str) -> None:
    desk = Desk(atlas, QueryPictures())
    names = ("q", "where", "label", "selection", "is.title", "is.no", "from.year", "to.taken_at",
             "has", "order", "page", "run", "k", "by")  # fmt: skip
    for number, text in enumerate(texts(30, seed=5)):
        raw = quote(text.encode("utf-8", "surrogatepass"), safe="")
        for given in (raw, text):  # a browser sends the first, whoever means harm the second
            query = f"?{names[number % len(names)]}={given}"
            made = page_of(desk, Address.parse(path, query))
            json.dumps(made.title).encode()
