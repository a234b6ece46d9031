"""A language model behind a real HTTP server: what it is sent, and every way it can fail."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from bilderatlas.analysis.naming.llm import LanguageModel
from bilderatlas.errors import LanguageModelError
from tests.language_model import answering, completion
from tests.pictures import plain


def ask(url: str, *, timeout_s: float = 5) -> str:
    return LanguageModel(url, "small", timeout_s=timeout_s).name_texts(["a dog", "two dogs"])


def test_it_is_sent_the_contact_sheet_as_a_picture_and_the_model_that_was_named() -> None:
    sheet = plain("red")
    with answering(completion("Red squares")) as server:
        assert LanguageModel(server.url, "small-vision").name_pictures(sheet) == "Red squares"
    assert server.paths == ["/v1/chat/completions"]
    assert server.asked[0]["model"] == "small-vision"
    task, picture = server.asked[0]["messages"][0]["content"]
    assert "name" in task["text"]
    encoded = picture["image_url"]["url"].removeprefix("data:image/png;base64,")
    assert base64.b64decode(encoded) == sheet


def test_it_is_sent_texts_and_no_picture_where_texts_were_asked_for() -> None:
    with answering(completion("Dogs")) as server:
        ask(server.url)
    (part,) = server.asked[0]["messages"][0]["content"]
    assert "- a dog\n- two dogs" in part["text"]


def test_its_key_comes_from_the_environment_and_is_left_out_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with answering(completion("Dogs")) as server:
        monkeypatch.delenv("BILDERATLAS_LLM_KEY", raising=False)
        ask(server.url)
        monkeypatch.setenv("BILDERATLAS_LLM_KEY", "secret")
        ask(server.url + "/")
    assert server.keys == [None, "Bearer secret"]


def test_no_password_of_netrc_takes_the_place_of_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login grandma password cake")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with answering(completion("Dogs")) as server:
        monkeypatch.delenv("BILDERATLAS_LLM_KEY", raising=False)
        ask(server.url)
        monkeypatch.setenv("BILDERATLAS_LLM_KEY", "secret")
        ask(server.url)
    assert server.keys == [None, "Bearer secret"]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ('"Dogs on beaches."', "Dogs on beaches"),
        ("  **Dogs**\n on   beaches ", "Dogs on beaches"),
        ("<think>It may be cats.\nNo.</think>\n\nDogs", "Dogs"),
    ],
)
def test_marks_and_thoughts_around_a_name_are_taken_off(said: str, name: str) -> None:
    with answering(completion(said)) as server:
        assert ask(server.url) == name


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ('{"name": "Dogs on beaches"}', "Dogs on beaches"),
        ('{"name": "Dogs", "reason": "they bark"}', "Dogs"),
        ('{"reason": "they bark", "label": "Dogs"}', "Dogs"),
        ('{"Gruppe": "Dogs"}', "Dogs"),
        ('{"group": {"name": "Dogs"}}', "Dogs"),
        ('["Dogs", "Beaches"]', "Dogs"),
        ('[{"name": "Dogs"}]', "Dogs"),
        ('"Dogs"', "Dogs"),
        ('```json\n{"name": "Dogs"}\n```', "Dogs"),
        ("```\nDogs\n```", "Dogs"),
        ('Here is the name:\n{"name": "Dogs"}\nIt fits.', "Dogs"),
        ('<think>{"name": "Cats"}</think>{"name": "Dogs"}', "Dogs"),
        ("{Dogs}", "{Dogs}"),  # no JSON
        ("Dogs [2]", "Dogs [2]"),
        ("1984", "1984"),
    ],
)
def test_a_name_in_json_is_taken_out_of_it(said: str, name: str) -> None:
    with answering(completion(said)) as server:
        assert ask(server.url) == name


@pytest.mark.parametrize("said", ["{}", "[]", '{"a": "Dogs", "b": "Cats"}', '{"name": 5}'])
def test_json_without_a_name_is_refused(said: str) -> None:
    refused = pytest.raises(LanguageModelError, match="JSON without a name")
    with answering(completion(said)) as server, refused:
        ask(server.url)


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (completion(""), 200, "nothing"),
        (completion(" ...\n"), 200, "nothing"),
        (completion("x" * 5000), 200, "5,000 characters"),
        (completion(None), 200, "no text"),
        (b"<html>It works!</html>", 200, "not a chat completion"),
        (b'{"choices": []}', 200, "not a chat completion"),
        (b"[]", 200, "not a chat completion"),
        (b"", 500, "status 500"),
        (completion("Dogs"), 401, "status 401"),
        (b" " * 100_000, 200, "longer than"),
    ],
)
def test_nonsense_is_refused_with_its_reason(body: bytes, status: int, why: str) -> None:
    with answering(body, status=status) as server, pytest.raises(LanguageModelError, match=why):
        ask(server.url)


def test_the_key_follows_no_redirect() -> None:
    with answering(completion("Dogs")) as elsewhere:
        there = f"{elsewhere.url}/chat/completions"
        moved = answering(b"", status=307, location=there)
        with moved as server, pytest.raises(LanguageModelError, match="status 307"):
            ask(server.url)
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "how", [{"after_s": 30}, {"byte_by_byte_s": 0.05}, {"header_by_header_s": 0.05}]
)
def test_an_answer_that_never_ends_is_waited_for_no_longer_than_said(how: dict[str, float]) -> None:
    began = time.monotonic()
    with (
        answering(completion("x" * 2000), **how) as server,
        pytest.raises(LanguageModelError, match=r"within 0\.3 s"),
    ):
        ask(server.url, timeout_s=0.3)
    assert time.monotonic() - began < 10


def test_an_address_where_nobody_listens_is_said_to_be_unreachable() -> None:
    with answering(b"") as server:
        url = server.url
    with pytest.raises(LanguageModelError, match="cannot be reached"):
        ask(url)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"url": "localhost:11434"}, "localhost:11434"),
        ({"url": "file:///etc/passwd"}, "passwd"),
        ({"model": " "}, "No model"),
        ({"timeout_s": 0}, "0 s"),
        ({"sends": "everything"}, "pictures, texts"),
    ],
)
def test_a_language_model_that_cannot_be_asked_is_refused(how: dict[str, str], why: str) -> None:
    with pytest.raises(LanguageModelError, match=why):
        LanguageModel(**{"url": "http://127.0.0.1/v1", "model": "small"} | how)  # type: ignore[arg-type]
