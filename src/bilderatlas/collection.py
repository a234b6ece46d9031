"""A collection of images on disk, with one short method per verb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bilderatlas.arrays import Embeddings
from bilderatlas.results import (
    Clustering, CollectionInfo, Hits, ImageFacts, Images, IndexSummary, Problems, Progress,
    Projection, Run,
)

if TYPE_CHECKING:
    from PIL import Image

    ImageQuery = str | Path | bytes | Image.Image


class Collection:
    """(signatures only so far; bodies are being written)"""

    path: Path
    name: str  # "holiday" for holiday.atlas

    # -- filling
    def index(self, *sources: str | Path, column: str | None = None, id_column: str | None = None,
              prune: bool = False, on_progress: Callable[[Progress], None] | None = None) -> IndexSummary: ...
    # -- asking
    def search(self, query: str | None = None, *, image: ImageQuery | None = None, k: int = 12,
               threshold: float | None = None, kinds: Sequence[str] | None = None,
               where: str | None = None) -> Hits:
        """words, or a picture (path, bytes, PIL image); never both in this version"""
    def similar(self, image: str, *, k: int = 12, radius: float | None = None,
                where: str | None = None) -> Hits:
        """image = image_id or path of an indexed image; it is not among its own results"""
    # -- ordering
    def cluster(self, method: str = "hdbscan", *, k: int | str = "auto", eps: float = 0.2,
                min_samples: int = 2, min_cluster_size: int = 5, kind: str = "image", seed: int = 0) -> Clustering: ...
    def project(self, method: str = "tsne", *, dims: int = 2, perplexity: float = 30, kind: str = "image",
                seed: int = 0) -> Projection: ...
    def runs(self, verb: str | None = None) -> list[Run]:
        """newest first"""
    def clustering(self, run: str | None = None) -> Clustering:
        """a stored run; None = the newest; RunNotFound"""
    def projection(self, run: str | None = None, *, dims: int | None = None) -> Projection: ...
    # -- looking
    def sample(self, n: int = 24, *, seed: int = 0) -> Images: ...
    def image(self, image_id: str) -> ImageFacts:
        """ImageNotFound"""
    def images(self, image_ids: Sequence[str]) -> Images:
        """in the order asked for"""
    def thumbnail(self, image_id: str) -> bytes:
        """JPEG, longest side 320"""
    def thumbnails(self, image_ids: Sequence[str]) -> list[bytes]: ...
    def picture(self, image_id: str) -> Image.Image:
        """full picture, upright RGB, from its place; ImageProblem when it is gone"""
    def embeddings(self, kind: str = "image") -> tuple[list[str], Embeddings]:
        """region_ids (N,), (N, D)"""
    def problems(self) -> Problems: ...
    def info(self) -> CollectionInfo: ...


def image_id_of(region_id: str) -> str:
    """The image that a region is a part of: a region id is the image id, or `IMAGE_ID-N`."""
    return region_id.partition("-")[0]
