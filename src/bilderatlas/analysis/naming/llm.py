"""A name from a language model, for those who ask for one: any OpenAI-compatible address.

Only what the person asked to send goes there: the contact sheet of a cluster, or its texts.
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

from bilderatlas import hosts
from bilderatlas.errors import LanguageModelError

if TYPE_CHECKING:
    from requests import PreparedRequest

KEY = "BILDERATLAS_LLM_KEY"  # of the environment
LONGEST_NAME = 60  # characters
SENDS = ("pictures", "texts")

_LONGEST_ANSWER = 2**16  # bytes: a name fits many times over
_N_TEXTS = 30
_LONGEST_TEXT = 300  # characters
_TASK = (
    "These {what} were put into one group because they look alike. Give the group a short name of "
    "one to four words that says what they have in common. Answer with the name alone."
)
_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
_CODE_BLOCK = re.compile(r"\s*```\w*\n(.*?)```\s*", re.DOTALL)
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)
_NAME_KEYS = ("name", "group_name", "label", "title", "group", "answer")


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Where a language model answers, and how long one answer may take."""

    url: str  # up to the version: "http://localhost:11434/v1"
    model: str
    timeout_s: float = 30.0
    sends: str = "pictures"  # or texts

    def __post_init__(self) -> None:
        if not re.match(r"https?://[^/\s]", self.url):
            raise LanguageModelError(
                f"{self.url!r} is not the address of a language model. Give its OpenAI-compatible "
                f"API up to the version, for instance http://localhost:11434/v1"
            )
        if not self.model.strip():
            raise LanguageModelError("No model is named. Say which one to ask at that address.")
        if not 0 < self.timeout_s <= 3600:
            raise LanguageModelError(
                f"The time for an answer is {self.timeout_s:g} s; expected more than 0 and at most "
                "3600. Try 30."
            )
        if self.sends not in SENDS:
            raise LanguageModelError(f"It sends {self.sends!r}; choose one of: {', '.join(SENDS)}.")

    def name_pictures(self, sheet: bytes) -> str:
        """A name for the pictures on a contact sheet (PNG). Raises LanguageModelError."""
        encoded = base64.b64encode(sheet).decode()
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}}
        return self._ask([{"type": "text", "text": _TASK.format(what="pictures")}, picture])

    def name_texts(self, texts: Sequence[str]) -> str:
        """A name for things with these texts. Raises LanguageModelError."""
        listed = [f"- {' '.join(text.split())[:_LONGEST_TEXT]}" for text in texts[:_N_TEXTS]]
        asked = "\n".join([_TASK.format(what="items"), *listed])
        return self._ask([{"type": "text", "text": asked}])

    def _ask(self, content: list[dict[str, Any]]) -> str:
        messages = [{"role": "user", "content": content}]
        return _name_in(self._post({"model": self.model, "messages": messages, "temperature": 0}))

    def _post(self, body: dict[str, Any]) -> bytes:
        """The answer's body, if it comes in time: not even its headers are waited for longer.

        What drips on afterwards is left to a thread that ends with the process.
        """
        answer: Queue[bytes | LanguageModelError] = Queue()

        def fetch() -> None:
            try:
                answer.put(self._fetch(body))
            except LanguageModelError as error:
                answer.put(error)

        Thread(target=fetch, daemon=True).start()
        try:
            came = answer.get(timeout=self.timeout_s)
        except Empty:
            raise _too_late(self.timeout_s) from None
        if isinstance(came, LanguageModelError):
            raise came
        return came

    def _fetch(self, body: dict[str, Any]) -> bytes:
        """The answer's body. No redirect is followed: the key and pictures go nowhere else."""
        import requests

        ends_at = time.monotonic() + self.timeout_s
        try:
            with requests.post(
                f"{self.url.rstrip('/')}/chat/completions",
                json=body,
                auth=_with_key,  # else requests would send what ~/.netrc has for this host
                timeout=self.timeout_s,
                stream=True,
                allow_redirects=False,
                proxies=hosts.proxies(self.url),
            ) as response:
                if response.status_code != 200:
                    raise LanguageModelError(f"it answered with status {response.status_code}")
                return _read(response.iter_content(1), ends_at, self.timeout_s)
        except requests.Timeout:
            raise _too_late(self.timeout_s) from None
        except requests.RequestException as error:
            raise LanguageModelError(f"it cannot be reached: {type(error).__name__}") from error


def _with_key(request: PreparedRequest) -> PreparedRequest:
    """Our own key, or none."""
    key = os.environ.get(KEY)
    if key:
        request.headers["Authorization"] = f"Bearer {key}"
    return request


def _read(chunks: Any, ends_at: float, timeout_s: float) -> bytes:
    """All of an answer that comes in time and has an end, byte by byte: some come slowly."""
    answer = bytearray()
    for chunk in chunks:
        answer += chunk
        if time.monotonic() > ends_at:
            raise _too_late(timeout_s)
        if len(answer) > _LONGEST_ANSWER:
            raise LanguageModelError(f"its answer is longer than {_LONGEST_ANSWER:,} bytes")
    return bytes(answer)


def _too_late(timeout_s: float) -> LanguageModelError:
    return LanguageModelError(f"it did not answer within {timeout_s:g} s")


def _name_in(answer: bytes) -> str:
    """The name in a chat completion. Raises LanguageModelError where there is none."""
    try:
        said = json.loads(answer)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        raise LanguageModelError("its answer is not a chat completion") from None
    if not isinstance(said, str):
        raise LanguageModelError("its answer has no text")
    plain = re.sub(r"[*`]", "", _without_json(_THOUGHTS.sub("", said)))
    name = " ".join(plain.split()).strip("\"'.“”„«» ")
    if not any(character.isalnum() for character in name):
        raise LanguageModelError("it answered nothing")
    if len(name) > LONGEST_NAME:
        raise LanguageModelError(
            f"it answered {len(name):,} characters; a name has {LONGEST_NAME} at most"
        )
    return name


def _without_json(said: str) -> str:
    """What an answer says that may be JSON: alone, in a block of code, or among words."""
    block, object_ = _CODE_BLOCK.fullmatch(said), _OBJECT.search(said)
    said = block[1] if block else said
    for text in (said, object_[0] if object_ else ""):
        with suppress(ValueError):
            given = json.loads(text)
            if isinstance(given, dict | list | str):
                return _named_in(given)
    return said


def _named_in(given: Any) -> str:
    """The name in what a model gave as JSON: under a usual key, or the only text there is."""
    if isinstance(given, list) and given:
        return _named_in(given[0])
    if isinstance(given, dict):
        values = [given[key] for key in _NAME_KEYS if given.get(key)] or list(given.values())
        if values and (len(values) == 1 or values[0] in map(given.get, _NAME_KEYS)):
            return _named_in(values[0])
    if not isinstance(given, str):
        raise LanguageModelError("its answer is JSON without a name")
    return given
