"""Detectors of the Hugging Face Hub, by name -> their folders on this disk.

Looked for in this order: put by hand into ~/.bilderatlas/detectors/NAME, the cache of
huggingface_hub, the hub itself. All are free to use (Apache-2.0, weights included).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bilderatlas.errors import DetectorError
from bilderatlas.models.encoders import repositories
from bilderatlas.models.encoders.model_folder import is_weights_of
from bilderatlas.models.encoders.repositories import PREFIX

MODEL_FILES = ("onnx/model.onnx", "model.onnx")
CONFIG_FILES = ("config.json", "preprocessor_config.json")


@dataclass(frozen=True, slots=True)
class HubDetector:
    """A detector that goes by a short name; all know the 80 labels of COCO."""

    name: str
    repository: str
    megabytes: int  # to download


DETECTORS = {
    detector.name: detector
    for detector in (
        HubDetector("d-fine-n", "onnx-community/dfine_n_coco-ONNX", 15),
        HubDetector("d-fine-s", "onnx-community/dfine_s_coco-ONNX", 42),
        HubDetector("rf-detr-nano", "onnx-community/rfdetr_nano-ONNX", 108),
        HubDetector("detr-resnet-50", "Xenova/detr-resnet-50", 167),
    )
}


def knows(name: str) -> bool:
    """Whether this is a name of the hub's: one of DETECTORS, or hf:OWNER/NAME."""
    return name in DETECTORS or name.startswith(PREFIX)


def fetch(name: str) -> Path:
    """The folder of a detector; what is not on disk is downloaded. Raises DetectorError."""
    repository = _repository(name)
    by_hand = repositories.by_hand("detectors", name)
    for folder in (by_hand, repositories.cached(repository, _needed)):
        if folder and any((folder / model).is_file() for model in MODEL_FILES):
            return folder
    request = repositories.RepositoryRequest(
        what=f"detector {name!r}",
        repository=repository,
        by_hand=by_hand,
        otherwise="leave out --detector: objects are then found by class activation",
        refusal=DetectorError,
    )
    needed = _needed(repositories.files(request))
    if not needed:
        raise DetectorError(
            f"{repository} has no ONNX detector ({' or '.join(MODEL_FILES)}). Export it with "
            f"'optimum-cli export onnx --model {repository} FOLDER', and use FOLDER."
        )
    return repositories.download(request, needed)


def _repository(name: str) -> str:
    if name in DETECTORS:
        return DETECTORS[name].repository
    repository = name.removeprefix(PREFIX)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise DetectorError(
            f"Detector {name!r} names no repository; hf:OWNER/NAME was expected, for instance "
            f"hf:{DETECTORS['d-fine-n'].repository}."
        )
    return repository


def _needed(listed: Collection[str]) -> list[str]:
    """Of a repository's files, those that are read: one model, and how it wants pictures."""
    model = next((name for name in MODEL_FILES if name in listed), None)
    if model is None:
        return []
    weights = [name for name in listed if is_weights_of(name, model)]
    return [model, *weights, *(name for name in CONFIG_FILES if name in listed)]
