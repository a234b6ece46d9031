"""What can be asked of a collection wherever it lies: in a folder here, or behind a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from bilderatlas.arrays import Embeddings
from bilderatlas.results import (
    Clustering,
    ClusterShapes,
    CollectionInfo,
    Decided,
    Decision,
    Decisions,
    Duplicates,
    Hits,
    ImageFacts,
    ImagePage,
    Images,
    LabelCounts,
    Labelling,
    ProblemKind,
    Problems,
    Projection,
    Run,
    RunComparison,
    Suggestions,
)

if TYPE_CHECKING:
    from PIL import Image

    ImageQuery = str | Path | bytes | Image.Image


class Atlas(Protocol):
    """The verbs that Collection and RemoteCollection share; Collection's docstrings describe them.

    mypy holds both to it where `cli.arguments.open_collection` returns one of them.
    """

    @property
    def name(self) -> str: ...

    def search(  # noqa: PLR0913  an option is an argument
        self,
        query: str | None = None,
        *,
        image: ImageQuery | None = None,
        k: int | None = 12,
        threshold: float | None = None,
        kinds: Sequence[str] | None = None,
        without: Sequence[str] = (),
        weights: Mapping[str, float] | None = None,
        aggregate: str = "max",
        where: str | None = None,
        selection: str | None = None,
        label: str | None = None,
        space: str | None = None,
    ) -> Hits: ...

    def similar(
        self,
        image: str,
        *,
        k: int | None = 12,
        radius: float | None = None,
        where: str | None = None,
        space: str | None = None,
    ) -> Hits: ...

    def cluster(  # noqa: PLR0913  an option is an argument
        self,
        method: str = "hdbscan",
        *,
        k: int | str | None = None,
        eps: float | str | None = None,
        min_samples: int | None = None,
        min_cluster_size: int | None = None,
        distance_threshold: float | None = None,
        kind: str | None = None,
        space: str | None = None,
        seed: int = 0,
    ) -> Clustering: ...

    def name_clusters(self, run: str | None = None) -> Clustering: ...

    def project(  # noqa: PLR0913  an option is an argument
        self,
        method: str | None = None,
        *,
        dims: int | None = None,
        perplexity: float | None = None,
        n_neighbors: int | None = None,
        min_dist: float | None = None,
        kind: str | None = None,
        space: str | None = None,
        seed: int | None = None,
        into: str | None = None,
    ) -> Projection: ...

    def runs(self, verb: str | None = None) -> list[Run]: ...
    def clustering(self, run: str | None = None) -> Clustering: ...
    def projection(self, run: str | None = None, *, dims: int | None = None) -> Projection: ...
    def compare(self, first: str, second: str) -> RunComparison: ...
    def cluster_shapes(self, run: str | None = None) -> ClusterShapes: ...
    def decide(
        self,
        verb: str,
        *what: str | int,
        run: str | None = None,
        parts: int | None = None,
        who: str | None = None,
    ) -> Decided: ...
    def decisions(self, *, with_undone: bool = False) -> Decisions: ...
    def duplicates(
        self, *, max_bits: int = 7, min_cosine: float = 0.88, min_likeness: float = 0.75
    ) -> Duplicates: ...
    def not_duplicates(self, one: str, other: str, *, who: str | None = None) -> Decision: ...
    def label(self, images: Sequence[str], label: str, *, who: str | None = None) -> Labelling: ...
    def unlabel(
        self, images: Sequence[str], label: str, *, who: str | None = None
    ) -> Labelling: ...
    def labels(self) -> LabelCounts: ...

    def suggest_labels(
        self,
        image_ids: Sequence[str] | None = None,
        *,
        n: int = 60,
        order: str = "confident",
        seed: int = 0,
    ) -> Suggestions: ...

    def browse(
        self,
        order: str = "name",
        *,
        n: int = 24,
        seed: int = 0,
        where: str | None = None,
        kinds: Sequence[str] = (),
        label: str | None = None,
        unlabelled: bool = False,
        after: str | None = None,
    ) -> ImagePage: ...

    def sample(self, n: int = 24, *, seed: int = 0) -> Images: ...
    def image(self, image_id: str) -> ImageFacts: ...
    def images(self, image_ids: Sequence[str]) -> Images: ...
    def all_images(self) -> Iterator[ImageFacts]: ...
    def thumbnail(self, image_id: str) -> bytes: ...
    def thumbnails(self, image_ids: Sequence[str]) -> list[bytes]: ...
    def picture(self, image_id: str) -> Image.Image: ...
    def crop(self, region_id: str, *, side: int = 320) -> Image.Image: ...
    def embeddings(
        self, kind: str | None = None, *, space: str | None = None
    ) -> tuple[list[str], Embeddings]: ...

    def export(
        self,
        output: str | Path | IO[bytes],
        *,
        table: str = "images",
        format: str | None = None,
        run: str | None = None,
    ) -> None: ...

    def problems(self, kind: ProblemKind = "problem") -> Problems: ...
    def info(self) -> CollectionInfo: ...
    def kinds(self) -> dict[str, int]: ...
