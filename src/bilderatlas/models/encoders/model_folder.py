"""The files of one ONNX model: where its towers, configuration and tokenizer lie.

The repositories of the Hugging Face Hub are laid out in a few ways, and this is the one place that
knows them; a local folder is laid out the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilderatlas.errors import EncoderNotFound

PRECISIONS = {"fp32": "", "fp16": "_fp16", "q8": "_quantized", "int8": "_int8"}  # ends of names
PLACES = ("onnx/", "")  # folders of a repository that may hold the towers
CONFIGURATION = (
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "open_clip_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
)


@dataclass(frozen=True, slots=True)
class TowerFiles:
    """The ONNX files of a model in one precision, by their paths inside its folder."""

    pictures: str | None  # or one graph for both
    texts: str | None

    def __iter__(self) -> Any:
        return (name for name in (self.pictures, self.texts) if name)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder to make an encoder of."""

    path: Path
    name: str  # what the user asked for
    space: str
    precision: str = "fp32"
    places: tuple[str, ...] = PLACES
    pooling: str | None = None  # "cls" or "mean", for text encoders whose files do not say it
    text_length: int | None = None  # tokens that every text is filled up to, likewise
    query_prompt: str = ""  # what stands before a question, likewise

    def find(self, name: str) -> Path | None:
        """A configuration file: beside the towers, or at the top."""
        candidates = (self.path / place / name for place in (*self.places, ""))
        return next((path for path in candidates if path.is_file()), None)

    def require(self, name: str) -> Path:
        if path := self.find(name):
            return path
        raise EncoderNotFound(
            f"Encoder folder {str(self.path)!r} lacks {name}. Copy it from the repository that "
            "the model came from."
        )

    def sees_pictures(self) -> bool:
        """Whether its files tell of pictures; a text encoder's only tell of words."""
        towers = self.towers()
        if towers.pictures is None or "vision_model" in towers.pictures:
            return towers.pictures is not None
        return not self.find("tokenizer.json") or bool(self.find("preprocessor_config.json"))

    def towers(self) -> TowerFiles:
        """Its ONNX files. Raises EncoderNotFound, with the precisions that there are."""
        found = find_towers(self._holds, self.precision, self.places)
        if found:
            return found
        others = [p for p in PRECISIONS if find_towers(self._holds, p, self.places)]
        if others:
            raise EncoderNotFound(
                f"Encoder {self.name!r} has no towers of precision {self.precision!r} in "
                f"{self.path}; there is {', '.join(map(repr, others))}. Add one of them to the "
                "encoder's name, after a colon."
            )
        expected = ", ".join(f"{place}{stem}.onnx" for place in self.places for stem in STEMS)
        raise EncoderNotFound(
            f"Folder {str(self.path)!r} holds no image tower or text encoder; one of {expected} "
            "was expected. Export the model to ONNX into this folder, or use 'builtin' "
            "(for texts: 'builtin-text')."
        )

    def _holds(self, name: str) -> bool:
        return (self.path / name).is_file()


STEMS = ("vision_model", "model", "text_model")


def find_towers(
    holds: Callable[[str], bool], precision: str, places: Sequence[str]
) -> TowerFiles | None:
    """The ONNX files of that precision: two towers, one graph for both, or a text tower alone."""
    for place in places:
        pictures, whole, texts = (f"{place}{stem}{PRECISIONS[precision]}.onnx" for stem in STEMS)
        if holds(pictures):
            return TowerFiles(pictures, texts if holds(texts) else None)
        if holds(whole):
            return TowerFiles(whole, None)
        if holds(texts):
            return TowerFiles(None, texts)
    return None


def files_needed(
    listed: Collection[str], precision: str, places: tuple[str, ...]
) -> list[str] | None:
    """Which files of a repository an encoder reads: two towers are not fetched a third time.

    None where it has no ONNX files of that precision.
    """
    towers = find_towers(listed.__contains__, precision, places)
    if towers is None:
        return None
    weights = [name for name in listed for tower in towers if is_weights_of(name, tower)]
    wanted = {f"{place}{name}" for place in (*places, "") for name in CONFIGURATION}
    return [*towers, *weights, *(name for name in listed if name in wanted)]


def is_weights_of(name: str, tower: str) -> bool:
    """Whether a file holds what is too large for the tower's own: `model.onnx_data`, `.data`."""
    return name.startswith((f"{tower}_data", f"{tower}.data"))


def read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise EncoderNotFound(f"{path} is not JSON ({error}). Download it again.") from error
    return content
