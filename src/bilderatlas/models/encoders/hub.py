"""Models of the Hugging Face Hub, by name -> their folders on this disk.

Looked for in this order: put by hand into ~/.bilderatlas/encoders/NAME, the cache of
huggingface_hub, the hub itself. Only the files that an encoder reads are fetched.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bilderatlas.errors import EncoderNotFound
from bilderatlas.models.encoders import EncoderFacts, repositories
from bilderatlas.models.encoders.model_folder import (
    PLACES,
    PRECISIONS,
    ModelFolder,
    TowerFiles,
    files_needed,
    find_towers,
)
from bilderatlas.models.encoders.repositories import PREFIX


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model that goes by a short name."""

    name: str
    repository: str | None  # with ONNX files; None: none is known, export it
    origin: str  # the repository of its authors
    dim: int  # D
    n_bytes: int  # of the towers in fp32
    licence: str
    good_for: str
    reads_images: bool = True
    reads_text: bool = False
    places: tuple[str, ...] = PLACES
    pooling: str | None = None
    text_length: int | None = None
    query_prompt: str = ""  # by the authors' model card, where no file of the repository says it


MODELS = {
    model.name: model
    for model in (
        HubModel(
            name="siglip2-b-16",
            repository="onnx-community/siglip2-base-patch16-224-ONNX",
            origin="google/siglip2-base-patch16-224",
            dim=768,
            n_bytes=1_500_000_000,
            licence="Apache-2.0",
            good_for="words in many languages; the best of these at finding pictures by words",
            reads_text=True,
        ),
        HubModel(
            name="clip-vit-b-16",
            repository="Xenova/clip-vit-base-patch16",
            origin="openai/clip-vit-base-patch16",
            dim=512,
            n_bytes=599_000_000,
            licence="MIT",
            good_for="words and pictures; finer than B/32, four times slower",
            reads_text=True,
        ),
        HubModel(
            name="clip-vit-b-32",
            repository="Xenova/clip-vit-base-patch32",
            origin="openai/clip-vit-base-patch32",
            dim=512,
            n_bytes=606_000_000,
            licence="MIT",
            good_for="words and pictures, any subject",
            reads_text=True,
        ),
        HubModel(
            name="mobileclip2-s2",
            repository="plhery/mobileclip2-onnx",
            origin="apple/MobileCLIP2-S2",
            dim=512,
            n_bytes=397_000_000,
            licence="Apple AMLR, for research only",
            good_for="words and pictures, fast on a laptop",
            reads_text=True,
            places=("onnx/s2/",),
            text_length=77,
        ),
        HubModel(
            name="dinov2-s",
            repository="Xenova/dinov2-small",
            origin="facebook/dinov2-small",
            dim=384,
            n_bytes=88_500_000,
            licence="Apache-2.0",
            good_for="likeness of pictures and of their parts, clustering",
        ),
        HubModel(
            name="resnet50",
            repository="Xenova/resnet-50",
            origin="microsoft/resnet-50",
            dim=2048,
            n_bytes=102_000_000,
            licence="Apache-2.0",
            good_for="likeness of pictures; a reference known to everyone",
        ),
        HubModel(
            name="vit-b-16",
            repository="Xenova/vit-base-patch16-224",
            origin="google/vit-base-patch16-224",
            dim=768,
            n_bytes=347_000_000,
            licence="Apache-2.0",
            good_for="likeness by ImageNet's subjects",
        ),
        HubModel(
            name="deit-s",
            repository="Xenova/deit-small-distilled-patch16-224",
            origin="facebook/deit-small-distilled-patch16-224",
            dim=384,
            n_bytes=90_000_000,
            licence="Apache-2.0",
            good_for="likeness by ImageNet's subjects, small",
        ),
        HubModel(
            name="efficientnet-b0",
            repository=None,
            origin="google/efficientnet-b0",
            dim=1280,
            n_bytes=21_000_000,
            licence="Apache-2.0",
            good_for="likeness by ImageNet's subjects, very small",
        ),
        HubModel(
            name="bge-small-en",
            repository="Xenova/bge-small-en-v1.5",
            origin="BAAI/bge-small-en-v1.5",
            dim=384,
            n_bytes=133_000_000,
            licence="MIT",
            good_for="English texts by meaning",
            reads_images=False,
            reads_text=True,
            pooling="cls",
            query_prompt="Represent this sentence for searching relevant passages: ",
        ),
        HubModel(
            name="minilm",
            repository="Xenova/all-MiniLM-L6-v2",
            origin="sentence-transformers/all-MiniLM-L6-v2",
            dim=384,
            n_bytes=90_400_000,
            licence="Apache-2.0",
            good_for="English texts by meaning, small and fast",
            reads_images=False,
            reads_text=True,
            pooling="mean",
        ),
    )
}
"""`best_on_disk` goes by this order: the best first, and last what is for research only."""


def knows(name: str) -> bool:
    """Whether this is a name of the hub's: one of MODELS, or hf:OWNER/NAME."""
    return name in MODELS or name.startswith(PREFIX)


def fetch(name: str, precision: str = "fp32") -> ModelFolder:
    """The folder of a model; what is not on disk is downloaded. Raises EncoderNotFound."""
    if found := on_disk(name, precision):
        return found
    model = _model(name)
    if model.repository is None:
        raise EncoderNotFound(
            f"No repository of the hub is known to hold {name!r} as ONNX. Make it with "
            f"'optimum-cli export onnx --model {model.origin} --task image-classification FOLDER', "
            f"and use FOLDER as the encoder, or put its files into {by_hand(name)}; "
            "or use --encoder builtin."
        )
    return _download(model, model.repository, precision)


def on_disk(name: str, precision: str = "fp32") -> ModelFolder | None:
    """The folder of a model that can be used without a network."""
    model = _model(name)
    folder = _folder(model, by_hand(name), precision, places=(*model.places, *PLACES))
    if _is_whole(folder, model):
        return folder
    path = model.repository and _cached_snapshot(model.repository, precision, model.places)
    if path and _is_whole(folder := _folder(model, path, precision), model):
        return folder
    return None


def best_on_disk(*, for_texts: bool = False) -> ModelFolder | None:
    """The best model that needs no download, in its best precision.

    One for words and pictures, or one for texts alone.
    """
    for model in MODELS.values():
        if model.reads_text and model.reads_images != for_texts:
            for precision in PRECISIONS:
                if found := on_disk(model.name, precision):
                    return found
    return None


def facts(model: HubModel) -> EncoderFacts:
    """What `bilderatlas encoders` says of a model."""
    found = next((f for p in PRECISIONS if (f := on_disk(model.name, p))), None)
    return EncoderFacts(
        name=found.name if found else model.name,
        kind=f"hub: {model.repository}" if model.repository else f"to export: {model.origin}",
        dim=model.dim,
        reads_images=model.reads_images,
        reads_text=model.reads_text,
        is_on_disk=found is not None,
        is_on_hub=model.repository is not None,
        n_bytes=_size_of(found) if found else model.n_bytes,
        licence=model.licence,
        good_for=model.good_for,
    )


def _size_of(folder: ModelFolder) -> int:
    return sum((folder.path / name).stat().st_size for name in folder.towers())


def by_hand(name: str) -> Path:
    """Where a person may put the files of a model."""
    return repositories.by_hand("encoders", name)


def _model(name: str) -> HubModel:
    if name in MODELS:
        return MODELS[name]
    repository = name.removeprefix(PREFIX)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise EncoderNotFound(
            f"Encoder {name!r} names no repository; hf:OWNER/NAME was expected, for instance "
            "hf:Xenova/clip-vit-base-patch32."
        )
    return HubModel(name, repository, repository, dim=0, n_bytes=0, licence="", good_for="")


def _folder(
    model: HubModel, path: Path, precision: str, *, places: tuple[str, ...] | None = None
) -> ModelFolder:
    name = model.name if precision == "fp32" else f"{model.name}:{precision}"
    return ModelFolder(
        path,
        name=name,
        space=re.sub(r"[^a-z0-9]+", "-", name.lower()),
        precision=precision,
        places=places or model.places,
        pooling=model.pooling,
        text_length=model.text_length,
        query_prompt=model.query_prompt,
    )


def _is_whole(folder: ModelFolder, model: HubModel) -> bool:
    """Whether the towers are there, all that the model is known to have."""
    towers = find_towers(lambda n: (folder.path / n).is_file(), folder.precision, folder.places)
    if towers is None:
        return False
    has_both = model.reads_images and model.reads_text
    return not (has_both and _is_half(towers))


def _is_half(towers: TowerFiles) -> bool:
    """Whether a vision tower stands without its text tower, as after a download cut short."""
    return towers.texts is None and "vision_model" in (towers.pictures or "")


def _cached_snapshot(repository: str, precision: str, places: tuple[str, ...]) -> Path | None:
    """Where the cache holds the repository's files, all of them that are needed."""
    return repositories.cached(
        repository, lambda listed: files_needed(listed, precision, places) or []
    )


def _download(model: HubModel, repository: str, precision: str) -> ModelFolder:
    request = repositories.RepositoryRequest(
        what=f"encoder {model.name!r}",
        repository=repository,
        by_hand=by_hand(model.name),
        otherwise=_otherwise(model),
        refusal=EncoderNotFound,
    )
    listed = repositories.files(request)
    needed = files_needed(listed, precision, model.places)
    if needed is None:
        raise EncoderNotFound(_without_towers(model, repository, precision, listed))
    return _folder(model, repositories.download(request, needed), precision)


def _otherwise(model: HubModel) -> str:
    """What serves without a download."""
    if model.name.startswith(PREFIX):  # nobody knows yet what it reads
        return "use --encoder builtin (for texts: builtin-text)"
    return f"use --encoder {'builtin' if model.reads_images else 'builtin-text'}"


def _without_towers(
    model: HubModel, repository: str, precision: str, listed: Collection[str]
) -> str:
    others = [p for p in PRECISIONS if find_towers(listed.__contains__, p, model.places)]
    if others:
        names = ", ".join(f"'{model.name}:{other}'" for other in others)
        return f"{repository} has no {precision!r} files of {model.name!r}. Use {names}."
    return (
        f"{repository} has no ONNX towers (onnx/vision_model.onnx, onnx/model.onnx). Export it "
        f"with 'optimum-cli export onnx --model {repository} FOLDER', and use FOLDER."
    )
