"""A repository of the Hugging Face Hub -> its files on this disk.

For encoders and detectors alike: only the files that are read are fetched, the cache is
huggingface_hub's own, and a hub that is away is told within seconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bilderatlas.errors import BilderatlasError

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

logger = logging.getLogger(__name__)

PREFIX = "hf:"
PATIENCE_S = 4.0  # for the hub's first answer

Choice = Callable[[Collection[str]], Sequence[str]]  # a repository's files -> those to be read


@dataclass(frozen=True, slots=True)
class RepositoryRequest:
    """A repository that a person asked for, and what to say where it cannot be had."""

    what: str  # "encoder 'clip-vit-b-32'"
    repository: str  # OWNER/NAME
    by_hand: Path  # where its files may be put
    otherwise: str  # what serves without it: "use --encoder builtin"
    refusal: type[BilderatlasError]


def by_hand(kind: str, name: str) -> Path:
    """Where a person may put the files of a model; `kind` is "encoders" or "detectors"."""
    return Path.home() / ".bilderatlas" / kind / name.removeprefix(PREFIX).replace("/", "--")


def cached(repository: str, choose: Choice) -> Path | None:
    """Where the cache holds the repository's files, all of them that are needed."""
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repository, local_files_only=True, allow_patterns=[]))
        listed = {file.path for file in get_cached_repo_tree(repository)}
    except LocalEntryNotFoundError:
        return None
    except CachedRepoTreeNotFoundError:  # written by another program: what is there must do
        return folder
    return folder if all((folder / name).is_file() for name in choose(listed)) else None


def files(request: RepositoryRequest) -> set[str]:
    """What the repository holds, by the hub. Raises the refusal where the hub does not say."""
    return {file.rfilename for file in _ask_hub(request).siblings or []}


def download(request: RepositoryRequest, wanted: Sequence[str]) -> Path:
    """The folder with these files of a repository. Raises the refusal where it breaks off."""
    from huggingface_hub import snapshot_download

    logger.info("Downloading %s from %s", request.what, request.repository)
    try:
        return Path(snapshot_download(request.repository, allow_patterns=list(wanted)))
    except _failures() as error:
        raise request.refusal(
            f"The download of {request.what} from {request.repository} broke off ({error}). "
            "The same command goes on from there."
        ) from error


def _ask_hub(request: RepositoryRequest) -> ModelInfo:
    """What the hub says of a repository, within PATIENCE_S.

    In a thread of its own: no time-out of a socket covers the search for the hub's address.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import OfflineModeIsEnabled, RepositoryNotFoundError

    answers: list[ModelInfo | Exception] = []

    def ask() -> None:
        try:
            answers.append(HfApi().model_info(request.repository, timeout=PATIENCE_S))
        except _failures() as error:
            answers.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE_S)
    answer = answers[0] if answers else TimeoutError(f"no answer in {PATIENCE_S:.0f} s")
    if not isinstance(answer, Exception):
        return answer
    if isinstance(answer, RepositoryNotFoundError):
        raise request.refusal(
            f"The hub has no repository {request.repository!r}, or it is private. Look for the "
            f"name at https://huggingface.co/models?library=onnx, or {request.otherwise}."
        ) from answer
    is_offline = isinstance(answer, OfflineModeIsEnabled)
    reason = "HF_HUB_OFFLINE is set" if is_offline else str(answer).splitlines()[0]
    raise request.refusal(
        f"{request.what[0].upper()}{request.what[1:]} is not on this disk, and the hub could not "
        f"be reached ({reason}). Put the files of {request.repository} into {request.by_hand}, or "
        f"{request.otherwise}."
    ) from answer


def _failures() -> tuple[type[Exception], ...]:
    """What huggingface_hub raises when the hub refuses or is away."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    return HTTPError, OSError
