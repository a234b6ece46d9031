"""A collection behind the REST API of another process or machine: the verbs of Collection.

Long work (cluster, project, name_clusters) is a job of the server's that is waited for. What cannot
go over HTTP (index, reindex, evaluate, figures) raises NotOverHttp.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import numpy as np

from bilderatlas.arrays import Embeddings
from bilderatlas.client import decode, jobs
from bilderatlas.client.connection import Connection
from bilderatlas.client.connection import is_address as is_address
from bilderatlas.errors import ImageNotFound, NotOverHttp, QueryError
from bilderatlas.output import files
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
    Problem,
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

IMAGE_ID = re.compile("[0-9a-f]{32}")
AT_ONCE = 100  # images, problems asked for in one question
Element = TypeVar("Element")


class RemoteCollection:
    """A collection that is asked over HTTP. Made by `bilderatlas.open("http://...")`.

    Methods, arguments, results and errors are those of Collection, whose docstrings hold.
    """

    def __init__(self, address: str, *, api_key: str | None = None) -> None:
        """`api_key` is by default that of $BILDERATLAS_API_KEY."""
        self._server = Connection(address, api_key)

    def __repr__(self) -> str:
        return f"<RemoteCollection at {self._server.address}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotOverHttp(
            f"{name!r} works only on the machine that holds the collection, not over HTTP at "
            f"{self._server.address}. Run it there, or use the server's pages."
        )

    @property
    def name(self) -> str:
        return self.info().name

    # -- asking

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
    ) -> Hits:
        """Find the k images closest to some words, to a picture, or both; files are read here.

        In an expression, `./file.jpg` is a picture of the collection.
        """
        if query is None and image is None:
            raise QueryError("Search for words or for a picture: give one of the two, or both.")
        asked = {
            "k": _counted(k),
            "threshold": threshold,
            "kinds": None if kinds is None else list(kinds),
            "without": list(without),
            "aggregate": aggregate,
            "where": where,
            "selection": selection,
            "label": label,
            "space": space,
        }
        if image is None:
            body = asked | {"query": query, "weights": dict(weights or {})}
            return decode.hits(self._server.post("/search", body), self.thumbnails)
        asked["weights"] = [f"{kind}={weight}" for kind, weight in (weights or {}).items()]
        asked["query"] = query
        files = {"file": ("picture", _bytes_of(image))}
        found = self._server.json("POST", "/search/image", params=asked, files=files)
        return decode.hits(found, self.thumbnails)

    def similar(
        self,
        image: str,
        *,
        k: int | None = 12,
        radius: float | None = None,
        where: str | None = None,
        space: str | None = None,
    ) -> Hits:
        """Find the k images closest to one of the collection, or all within a radius."""
        image_id = self._id_of(image)
        asked = {"k": _counted(k), "radius": radius, "where": where, "space": space}
        found = self._server.get(f"/images/{image_id}/similar", **asked)
        return decode.hits(found, self.thumbnails, image_id)

    # -- ordering

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
    ) -> Clustering:
        """Cluster the images by likeness, and remember the run."""
        options = {
            "method": method,
            "k": k,
            "eps": eps,
            "min_samples": min_samples,
            "min_cluster_size": min_cluster_size,
            "distance_threshold": distance_threshold,
            "kind": kind,
            "space": space,
            "seed": seed,
        }
        return self.clustering(jobs.finish(self._server, "cluster", options)["run"])

    def name_clusters(self, run: str | None = None) -> Clustering:
        """Name the clusters of a run (the newest by default) anew; no language model is asked."""
        return self.clustering(jobs.finish(self._server, "name", {"run": run})["run"])

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
    ) -> Projection:
        """Lay the images (or one kind of region) out on a map of 2 or 3 dimensions."""
        options = {
            "method": method,
            "dims": dims,
            "perplexity": perplexity,
            "n_neighbors": n_neighbors,
            "min_dist": min_dist,
            "kind": kind,
            "space": space,
            "seed": seed,
            "into": into,
        }
        return self.projection(jobs.finish(self._server, "project", options)["run"])

    def runs(self, verb: str | None = None) -> list[Run]:
        """The clusterings and projections that were made, newest first."""
        return decode.read(list[Run], self._server.get("/runs", verb=verb)["runs"])

    def clustering(self, run: str | None = None) -> Clustering:
        """A clustering (the newest by default) as it stands after what people decided."""
        return self._clustering(self._server.get("/clusters", run=run))

    def _clustering(self, said: Mapping[str, Any]) -> Clustering:
        columns = self._server.get("/clusters/labels", run=said["run"])
        return decode.clustering(self._about(said["run"]), said, columns)

    def projection(self, run: str | None = None, *, dims: int | None = None) -> Projection:
        """A projection that was made; the newest (of these dimensions) by default."""
        columns = self._server.get("/projection", run=run, dims=dims)
        return decode.projection(self._about(columns["run"]), columns)

    def _about(self, name: str) -> Run:
        return next(run for run in self.runs() if run.run == name)

    def compare(self, first: str, second: str) -> RunComparison:
        """How alike two clusterings are, and what became of each cluster."""
        said = self._server.get("/runs/compare", first=first, second=second)
        return decode.read(RunComparison, said)

    def cluster_shapes(self, run: str | None = None) -> ClusterShapes:
        """How tight each cluster of a run (the newest) is, and which lie nearest to it."""
        return decode.read(ClusterShapes, self._server.get("/clusters/shape", run=run))

    def decide(
        self,
        verb: str,
        *what: str | int,
        run: str | None = None,
        parts: int | None = None,
        who: str | None = None,
    ) -> Decided:
        """Decide something about a clustering (the newest by default)."""
        body = {"verb": verb, "what": list(what), "run": run, "parts": parts, "who": who}
        said = self._server.post("/decisions", body)
        stands = self._clustering(said) if "run" in said else None
        return Decided(decode.read(Decision, said["decision"]), stands)

    def decisions(self, *, with_undone: bool = False) -> Decisions:
        """What people decided, oldest first; `with_undone`, what was taken back as well."""
        said = self._server.get("/decisions", with_undone=with_undone)
        return decode.read(Decisions, said)

    def duplicates(
        self, *, max_bits: int = 7, min_cosine: float = 0.88, min_likeness: float = 0.75
    ) -> Duplicates:
        """Find files that show the same picture: exact copies, and near copies."""
        limits = {"max_bits": max_bits, "min_cosine": min_cosine, "min_likeness": min_likeness}
        found = decode.read(Duplicates, self._server.get("/duplicates", **limits))
        return replace(found, thumbnails=self.thumbnails)

    def not_duplicates(self, one: str, other: str, *, who: str | None = None) -> Decision:
        """Remember that two images are no duplicates of each other."""
        said = self._server.post("/duplicates/not", {"one": one, "other": other, "who": who})
        return decode.read(Decision, said)

    def label(self, images: Sequence[str], label: str, *, who: str | None = None) -> Labelling:
        """Give some images a label; the decision comes back without their ids."""
        body = {"images": list(images), "label": label, "who": who}
        return decode.read(Labelling, self._server.json("POST", "/labels", json=body))

    def unlabel(self, images: Sequence[str], label: str, *, who: str | None = None) -> Labelling:
        """Take a label from some images; the decision comes back without their ids."""
        body = {"images": list(images), "label": label, "who": who}
        return decode.read(Labelling, self._server.json("DELETE", "/labels", json=body))

    def labels(self) -> LabelCounts:
        """The labels that people gave, and how many images have each."""
        return decode.read(LabelCounts, self._server.get("/labels"))

    def suggest_labels(
        self,
        image_ids: Sequence[str] | None = None,
        *,
        n: int = 60,
        order: str = "confident",
        seed: int = 0,
    ) -> Suggestions:
        """Which labels some images (by default those without any) may have."""
        asked = {"image": image_ids, "n": n, "order": order, "seed": seed}
        return decode.read(Suggestions, self._server.get("/labels/suggestions", **asked))

    # -- looking

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
    ) -> ImagePage:
        """List images, n at a time: `after` is the `next` of the stretch before."""
        said = self._server.get(
            "/images",
            order=order,
            n=n,
            seed=seed,
            where=where,
            kinds=list(kinds),
            label=label,
            unlabelled=unlabelled,
            cursor=after,
        )
        return decode.read(ImagePage, said)

    def sample(self, n: int = 24, *, seed: int = 0) -> Images:
        """A random handful of images; the same seed picks the same ones."""
        return self.browse("random", n=n, seed=seed)

    def image(self, image_id: str) -> ImageFacts:
        """What the collection knows of an image."""
        return self.images([image_id])[0]

    def images(self, image_ids: Sequence[str]) -> Images:
        """What the collection knows of some images, in the order asked for."""
        rows: list[Mapping[str, Any]] = []
        for some in _portions(image_ids):
            rows += self._server.get("/images/named", name=list(some))["images"]
        return decode.read(Images, {"images": rows})

    def all_images(self) -> Iterator[ImageFacts]:
        """Every image by the order of its path."""
        page = self.browse(n=AT_ONCE)
        yield from page
        while page.next:
            page = self.browse(n=AT_ONCE, after=page.next)
            yield from page

    def thumbnail(self, image_id: str) -> bytes:
        """A small JPEG of an image, its longer side 320 pixels."""
        return self._server.content(f"/images/{_checked_id(image_id)}/thumbnail")

    def thumbnails(self, image_ids: Sequence[str]) -> list[bytes]:
        """Small JPEGs of some images, in the order asked for."""
        return [self.thumbnail(image_id) for image_id in image_ids]

    def picture(self, image_id: str) -> Image.Image:
        """The picture as the server sends it: a JPEG, its longer side 2048 pixels at most."""
        return _opened(self._server.content(f"/images/{self._id_of(image_id)}/picture"))

    def crop(self, region_id: str, *, side: int = 320) -> Image.Image:
        """A region cut out of its picture, its longer side `side` pixels at most."""
        path = f"/regions/{_checked_id(region_id)}/crop"
        return _opened(self._server.content(path, side=side))

    def embeddings(
        self, kind: str | None = None, *, space: str | None = None
    ) -> tuple[list[str], Embeddings]:
        """Region ids (N,) and embeddings (N, D) of one kind of region."""
        import pyarrow as pa

        content = self._server.content("/embeddings", kind=kind, space=space)
        table = pa.ipc.open_stream(content).read_all().combine_chunks()
        dim = table.schema.field("vector").type.list_size
        vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, dim)
        return table["region_id"].to_pylist(), vectors.astype(np.float32, copy=False)

    def _id_of(self, image: str) -> str:
        """The id of an image that is named by it, by a path or by an id of its table."""
        return image if IMAGE_ID.fullmatch(image) else self.image(image).image_id

    # -- taking along

    def export(
        self,
        output: str | Path | IO[bytes],
        *,
        table: str = "images",
        format: str | None = None,
        run: str | None = None,
    ) -> None:
        """Write images, clusters or coordinates as CSV or Parquet, with their paths."""
        target = Path(output) if isinstance(output, str) else output
        asked = {"table": table, "format": files.format_of(target, format), "run": run}
        content = self._server.content("/export", **asked)
        if not isinstance(target, Path):
            target.write(content)
            return
        with files.told_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    # -- knowing

    def problems(self, kind: ProblemKind = "problem") -> Problems:
        """What could not be read, and why, by path; what was passed over."""
        rows: list[Mapping[str, Any]] = []
        cursor = None
        while True:
            said = self._server.get("/problems", kind=kind, n=AT_ONCE, cursor=cursor)
            rows += said["problems"]
            cursor = said["next"]
            if cursor is None:
                problems = decode.read(tuple[Problem, ...], rows)
                return Problems.of(problems, said["kinds"])

    def info(self) -> CollectionInfo:
        """What is inside."""
        return decode.info(self._server.get("/info"))

    def kinds(self) -> dict[str, int]:
        """How many regions there are of each kind."""
        return dict(self.info().kinds)


def _counted(k: int | None) -> int:
    if k is None:
        raise QueryError("Over HTTP at most 1000 images can be asked for. Give k.")
    return k


def _portions(items: Sequence[Element]) -> Iterator[Sequence[Element]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def _checked_id(part: str) -> str:
    """An id of an image or a region, as a part of an address. Raises ImageNotFound."""
    if re.fullmatch(r"[0-9a-f]+(-[0-9]+)?", part):
        return part
    raise ImageNotFound(
        f"{part!r} is not an id of an image or a region: 32 hex digits, perhaps -N."
    )


def _bytes_of(image: ImageQuery) -> bytes:
    """The file of a picture that somebody asks with. Raises ImageProblem."""
    from bilderatlas.errors import ImageProblem
    from bilderatlas.indexing import images, sources

    if isinstance(image, bytes):
        return image
    if isinstance(image, (str, Path)):
        try:
            return sources.read_file(sources.typed_path(str(image)))
        except OSError as error:
            raise ImageProblem(f"{image} cannot be read: {error.strerror}.") from error
    buffer = io.BytesIO()
    images.to_rgb(image).save(buffer, "PNG")
    return buffer.getvalue()


def _opened(jpeg: bytes) -> Image.Image:
    from bilderatlas.indexing import images

    return images.decode(jpeg).image
