"""A collection of images on disk, with one short method per verb."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from bilderatlas import encoders, exports, images, queries, regions, runs, search, sources
from bilderatlas.arrays import Embeddings
from bilderatlas.catalogue import Catalogue
from bilderatlas.encoders import Encoder
from bilderatlas.errors import EncoderMismatch, ImageNotFound, ImageProblem, QueryError, StoreError
from bilderatlas.regions import Finding
from bilderatlas.results import (
    Clustering,
    CollectionInfo,
    Hit,
    Hits,
    ImageFacts,
    Images,
    IndexSummary,
    Problem,
    Problems,
    Progress,
    Projection,
    Region,
    Run,
    Space,
)
from bilderatlas.store import Store, check_fits

if TYPE_CHECKING:
    from PIL import Image

    ImageQuery = str | Path | bytes | Image.Image

SUFFIX = ".atlas"


def open(path: str | Path) -> Collection:
    """Open a collection. Raises CollectionNotFound, SchemaTooNew."""
    return Collection(Store.open(_folder(path)))


def create(path: str | Path) -> Collection:
    """Make an empty collection. Raises CollectionExists where something is already."""
    return Collection(Store.create(_folder(path)))


def _folder(path: str | Path) -> Path:
    """`holiday` may be said for `holiday.atlas`."""
    folder = sources.path_of(str(path)).absolute()
    if sources.uri_of(folder) != str(folder):
        raise StoreError(f"{folder} cannot be a collection: its name is no UTF-8. Choose another.")
    return folder if folder.suffix == SUFFIX else folder.with_name(folder.name + SUFFIX)


class Collection:
    """Images in order: fill it with `index`, ask it with `search` and `similar`.

    Reading is safe from several threads. Made by `open` and `create`.
    """

    def __init__(self, store: Store, *, encoder: Encoder | None = None) -> None:
        """`encoder` is loaded by the name in the collection's stamp where it is not given."""
        self._store = store
        self._lock = threading.RLock()
        self._catalogue: Catalogue | None = None
        self._encoder = encoder

    def __repr__(self) -> str:
        return f"<Collection '{self.name}': {self._store.count('images'):,} images>"

    def remove_if_empty(self) -> bool:
        """Remove the collection's folder if nothing was ever written to it; says whether."""
        return self._store.remove_if_empty()

    @property
    def path(self) -> Path:
        return self._store.path

    @property
    def name(self) -> str:
        return self.path.stem

    # -- filling

    def index(  # noqa: PLR0913  an option is an argument
        self,
        *given: str | Path,
        encoder: str | None = None,
        device: str = "auto",
        column: str | None = None,
        id_column: str | None = None,
        find: Sequence[str] | None = None,
        detector: str | Path | None = None,
        min_area: float | None = None,
        max_regions: int | None = None,
        prune: bool = False,
        n_threads: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> IndexSummary:
        """Bring the collection up to date with its sources: new, changed and moved pictures.

        Sources are folders, CSV or Parquet tables (`column` names the paths or URLs), ZIP or tar
        archives. Unchanged files are passed over. With `prune`, images whose files are gone leave
        the collection. What cannot be read is listed by `problems`. `encoder` and `device` are
        those of `encoders.load`; without them, the active space's on the fastest device.

        `find` names what is found in every picture: "objects", "text", or nothing (`()`).
        `detector` is an ONNX file or folder, else objects are found by class activation;
        `min_area` is a part of the picture, `max_regions` a number of objects. What was asked is
        remembered, and what is left out is as it was. Known images of these sources whose regions
        were found otherwise are searched again.

        Raises EncoderNotFound, SourceError, EncoderMismatch, FinderError, CollectionBusy,
        StoreError.
        """
        from bilderatlas.indexing import local

        opened = [sources.open(source, column=column, id_column=id_column) for source in given]
        chosen = encoders.load(encoder, device=device) if encoder else self._loaded_encoder(device)
        if not chosen.reads_images:
            raise EncoderMismatch(
                f"Encoder '{chosen.name}' reads texts only and sees no pictures. "
                "Index with one that sees them; 'bilderatlas encoders' lists them."
            )
        finding = self._finding(find, detector, min_area, max_regions)
        steps = local.index(
            self._store, chosen, opened, finding=finding, prune=prune, n_threads=n_threads
        )
        for step in steps:
            if isinstance(step, IndexSummary):
                return step
            if on_progress:
                on_progress(step)
        raise AssertionError("indexing ends with its summary")

    def _finding(
        self,
        find: Sequence[str] | None,
        detector: str | Path | None,
        min_area: float | None,
        max_regions: int | None,
    ) -> Finding:
        """What is to be found: as remembered, but for what is said."""
        asked: dict[str, Any] = {
            "names": None if find is None else tuple(find),
            "detector": None if detector is None else regions.absolute(detector),
            "min_area": min_area,
            "max_regions": max_regions,
        }
        return replace(self._store.finding, **{k: v for k, v in asked.items() if v is not None})

    # -- asking

    def search(
        self,
        query: str | None = None,
        *,
        image: ImageQuery | None = None,
        k: int | None = 12,
        threshold: float | None = None,
        kinds: Sequence[str] | None = None,
        where: str | None = None,
        may_open_files: bool = True,
    ) -> Hits:
        """Find the k images closest to some words, to a picture, or to a mixture of both.

        `query` is words or an expression: "2:dog + ./beach.jpg - snow" (`queries.parse`).
        `threshold` is on the score (cosine), `kinds` on the regions searched, `where` a SQL
        condition on facts and metadata (`filters.FactsTable`). Without `may_open_files`, files
        in an expression must be images of this collection.

        Raises QueryError, and ImageProblem where a picture is none.
        """
        _check_k(k)
        if (query is None) == (image is None):
            raise QueryError("Search for words or for a picture: give one of the two.")
        if image is None:
            terms = queries.parse(query or "")
            in_joint = self._space().joint_dim is not None and any(term.words for term in terms)
            vector = self._embed_terms(terms, in_joint, may_open_files)
        else:
            vector, in_joint = self._embed_picture(image), False
        return self._nearest(
            vector, k=k, threshold=threshold, kinds=kinds, where=where, in_joint=in_joint
        )

    def similar(
        self,
        image: str,
        *,
        k: int | None = 12,
        radius: float | None = None,
        where: str | None = None,
    ) -> Hits:
        """Find the k images closest to one of the collection, or all within a radius.

        `image` is an image id, a path or an id of its table; `radius` a cosine distance in 0..2.

        Raises ImageNotFound, QueryError.
        """
        _check_k(k)
        catalogue = self._current()
        number = self._number_of(image)
        if radius is not None and not 0 <= radius <= 2:
            raise QueryError(f"The radius is {radius:g}; a cosine distance lies between 0 and 2.")
        return self._nearest(
            catalogue.vectors[self._row_of_whole(number)],
            k=None if radius is not None else k,
            threshold=None if radius is None else 1 - radius - search.ROUNDING,
            where=where,
            without=number,
        )

    def _nearest(
        self,
        vector: Embeddings,
        *,
        k: int | None,
        threshold: float | None = None,
        kinds: Sequence[str] | None = None,
        where: str | None = None,
        in_joint: bool = False,
        without: int | None = None,
    ) -> Hits:
        catalogue = self._current()
        allowed = None if kinds is None else catalogue.of_kind(kinds)
        if where:
            fulfilling = catalogue.where(where)
            allowed = fulfilling if allowed is None else allowed & fulfilling
        if without is not None:
            others = catalogue.image_of != without
            allowed = others if allowed is None else allowed & others
        found = search.nearest(
            vector,
            catalogue.joint if in_joint else catalogue.vectors,
            catalogue.image_of,
            k=k,
            threshold=threshold,
            allowed=allowed,
        )
        return Hits(_hits(found, catalogue), thumbnails=self.thumbnails)

    def _embed_terms(
        self, terms: Sequence[queries.Term], in_joint: bool, may_open_files: bool
    ) -> Embeddings:
        """One query embedding (D,) for all terms, in the joint space or that of pictures."""
        vectors = [self._embed_term(term, in_joint, may_open_files) for term in terms]
        if len(terms) == 1:
            return vectors[0]
        catalogue = self._current()
        mixed = search.mix(
            np.stack(vectors),
            [term.weight for term in terms],
            catalogue.joint if in_joint else catalogue.vectors,
        )
        if not mixed.any():
            raise QueryError("The terms of the query cancel each other out. Change a weight.")
        return mixed

    def _embed_term(self, term: queries.Term, in_joint: bool, may_open_files: bool) -> Embeddings:
        if term.words:
            return self._embed_words(term.words)
        if term.file and may_open_files:
            return self._embed_picture(term.file, in_joint=in_joint)
        row = self._row_of_whole(self._number_of(term.image_id or term.file or ""))
        vector: Embeddings = (self._current().joint if in_joint else self._current().vectors)[row]
        return vector

    def _row_of_whole(self, number: int) -> int:
        """The row of an image's whole picture in the catalogue."""
        catalogue = self._current()
        return int(np.argmax((catalogue.image_of == number) & catalogue.of_kind(["image"])))

    def _embed_words(self, query: str) -> Embeddings:
        encoder = self._loaded_encoder()
        if not encoder.reads_text:
            raise QueryError(
                f"Encoder '{encoder.name}' reads no words. Search with a picture (--image FILE), "
                "or index into a collection with --encoder builtin."
            )
        vector: Embeddings = encoder.embed_texts([query])[0]
        return vector

    def _embed_picture(self, given: ImageQuery, *, in_joint: bool = False) -> Embeddings:
        encoder = self._loaded_encoder()
        picture = _read_query(given, encoder.input_side)
        made = encoder.embed_images(encoder.prepare(picture)[None])
        vector: Embeddings = (made.vectors if made.joint is None or not in_joint else made.joint)[0]
        return vector

    # -- ordering

    def cluster(
        self,
        method: str = "hdbscan",
        *,
        k: int | str = "auto",
        eps: float = 0.2,
        min_samples: int = 2,
        min_cluster_size: int = 5,
        kind: str = "image",
        seed: int = 0,
    ) -> Clustering:
        """Group the images (or one kind of region) by likeness, and remember the run.

        Methods: hdbscan, dbscan (cosine distance `eps`), kmeans (`k`). Label -1 is noise.
        """
        from bilderatlas import clustering

        if k != "auto" and method != "kmeans":
            raise QueryError(f"k is for kmeans, not for {method}. Use method kmeans, or no k.")
        ids, vectors = self.embeddings(kind)
        made = clustering.cluster(
            vectors,
            method=method,
            k=k,
            eps=eps,
            min_samples=min_samples,
            min_cluster_size=min_cluster_size,
            seed=seed,
        )
        parameters: dict[str, dict[str, float]] = {
            "kmeans": {"k": int(made.labels.max()) + 1},
            "dbscan": {"eps": eps, "min_samples": min_samples},
            "hdbscan": {"min_cluster_size": min_cluster_size, "min_samples": min_samples},
        }
        about = self._describe("cluster", method, parameters[method], seed, kind, len(ids))
        runs.keep_clustering(self._store, about, ids, made.labels, made.probabilities)
        return self.clustering(about.run)

    def project(
        self,
        method: str = "tsne",
        *,
        dims: int = 2,
        perplexity: float = 30,
        kind: str = "image",
        seed: int = 0,
    ) -> Projection:
        """Lay the images (or one kind of region) out on a map of 2 or 3 dimensions.

        Methods: tsne (van der Maaten and Hinton 2008, by openTSNE), pca.
        """
        from bilderatlas import projection

        ids, vectors = self.embeddings(kind)
        coordinates = projection.project(
            vectors, method=method, dims=dims, perplexity=perplexity, seed=seed
        )
        used = projection.usable_perplexity(perplexity, len(ids))
        parameters = {"dims": dims} | ({"perplexity": used} if method == "tsne" else {})
        about = self._describe("project", method, parameters, seed, kind, len(ids))
        runs.keep_projection(self._store, about, ids, coordinates)
        return self.projection(about.run)

    def _describe(
        self, verb: str, method: str, parameters: Mapping[str, Any], seed: int, kind: str, n: int
    ) -> Run:
        return runs.describe(
            self._store,
            verb,
            method,
            parameters,
            seed=seed,
            space=self._space().space,
            kind=kind,
            n_regions=n,
        )

    def runs(self, verb: str | None = None) -> list[Run]:
        """The clusterings and projections that were made, newest first."""
        return runs.all_of(self._store, verb)

    def clustering(self, run: str | None = None) -> Clustering:
        """A clustering that was made; the newest by default. Raises RunNotFound."""
        return runs.read_clustering(self._store, run)

    def projection(self, run: str | None = None, *, dims: int | None = None) -> Projection:
        """A projection that was made; the newest (of these dimensions) by default."""
        return runs.read_projection(self._store, run, dims)

    # -- looking

    def sample(self, n: int = 24, *, seed: int = 0) -> Images:
        """A random handful of images; the same seed picks the same ones."""
        ids = self._current().image_ids
        chosen = np.random.default_rng(seed).permutation(len(ids))[:n]
        return self.images([ids[int(i)].as_py() for i in chosen])

    def image(self, image_id: str) -> ImageFacts:
        """What the collection knows of an image. Raises ImageNotFound."""
        return self.images([image_id])[0]

    def images(self, image_ids: Sequence[str]) -> Images:
        """What the collection knows of some images, in the order asked for."""
        catalogue = self._current()
        columns = ["image_id", "width", "height", "media_type", "taken_at"]
        rows = {
            row["image_id"]: row
            for row in self._store.read_ids("images", "image_id", image_ids, columns).to_pylist()
        }
        places = [catalogue.places(self._number_of(image_id)) for image_id in image_ids]
        return Images(
            [
                ImageFacts(path=paths[0], paths=tuple(paths), metadata=metadata, **rows[image_id])
                for image_id, (paths, metadata) in zip(image_ids, places, strict=True)
            ]
        )

    def all_images(self) -> Iterator[ImageFacts]:
        """Every image by the order of its path, a thousand in memory at a time."""
        ids = self._current().image_ids
        for start in range(0, len(ids), 1000):
            yield from self.images(ids.slice(start, 1000).to_pylist())

    def paths(self, image_ids: Sequence[str]) -> list[str | None]:
        """The first path of each of some images; None for one that has left."""
        return self._current().paths(image_ids)

    def thumbnail(self, image_id: str) -> bytes:
        """A small JPEG of an image, its longer side 320 pixels. Raises ImageNotFound."""
        return self.thumbnails([image_id])[0]

    def thumbnails(self, image_ids: Sequence[str]) -> list[bytes]:
        """Small JPEGs of some images, in the order asked for. Raises ImageNotFound."""
        rows = self._store.read_ids("images", "image_id", image_ids, ["image_id", "thumbnail"])
        jpegs = dict(zip(rows["image_id"].to_pylist(), rows["thumbnail"].to_pylist(), strict=True))
        for image_id in image_ids:
            if image_id not in jpegs:
                raise _no_image(image_id, self.name)
        return [jpegs[image_id] for image_id in image_ids]

    def picture(self, image_id: str) -> Image.Image:
        """The full picture, upright RGB, read again from where it lies.

        Raises ImageNotFound, and ImageProblem where its file is gone or another now.
        """
        catalogue = self._current()
        paths, _ = catalogue.places(self._number_of(image_id))
        problems = []
        for path in paths:
            try:
                content = sources.read_uri(path)
            except (ImageProblem, OSError) as error:
                problems.append(f"{path}: {error}")
                continue
            if images.image_id(content) == image_id:
                return images.decode(content).image
            problems.append(f"{path}: holds another picture now")
        raise ImageProblem(
            f"The picture {image_id} is not where it was ({'; '.join(problems)}). Run index again."
        )

    def embeddings(self, kind: str = "image") -> tuple[list[str], Embeddings]:
        """Region ids (N,) and embeddings (N, D) of one kind of region."""
        catalogue = self._current()
        rows = np.flatnonzero(catalogue.of_kind([kind]))
        ids = catalogue.regions["region_id"].take(rows).to_pylist()
        vectors = catalogue.vectors
        return ids, vectors if len(ids) == len(vectors) else vectors[rows]

    # -- taking along

    def export(
        self,
        output: str | Path | BinaryIO,
        *,
        table: str = "images",
        format: str | None = None,
        run: str | None = None,
    ) -> None:
        """Write images, clusters or coordinates as CSV or Parquet, with their paths."""
        target = Path(output) if isinstance(output, str) else output
        exports.write(self, target, table=table, format=format, run=run)

    def contact_sheets(self, folder: str | Path, *, run: str | None = None) -> list[Path]:
        """Write a contact sheet (PNG) for every cluster of a run."""
        return exports.write_contact_sheets(self, Path(folder), run=run)

    # -- knowing

    def problems(self) -> Problems:
        """What could not be read, and why, by path."""
        rows = self._store.read("problems", ["uri", "stage", "reason", "when"])
        return Problems([Problem(**row) for row in rows.sort_by("uri").to_pylist()])

    def info(self) -> CollectionInfo:
        """What is inside."""
        active = self._store.active_space
        places = self._store.read("places", ["source"])["source"]
        return CollectionInfo(
            name=self.name,
            path=str(self.path),
            n_images=self._store.count("images"),
            n_places=len(places),
            n_regions=self._store.count("regions"),
            n_problems=self._store.count("problems"),
            active_space=active.space if active else None,
            spaces=tuple(self._store.spaces.values()),
            runs=tuple(self.runs()),
            sources=tuple(sorted(places.unique().to_pylist())),
            schema_version=self._store.schema_version,
            finding=self._store.finding,
            n_bytes=sum(f.stat().st_size for f in self.path.rglob("*") if f.is_file()),
        )

    # -- what stays loaded

    def _space(self) -> Space:
        space = self._store.active_space
        if space is None:
            raise QueryError(
                f"Collection '{self.name}' is empty. "
                f"Fill it: bilderatlas index {self.path} PICTURES"
            )
        return space

    def _current(self) -> Catalogue:
        """The newest version of the collection; read again after `index` wrote to it."""
        with self._lock:
            if self._catalogue is None or not self._catalogue.is_current():
                self._catalogue = Catalogue(self._store, self._space().space)
            return self._catalogue

    def warm_up(self) -> None:
        """Load what the first search by words would wait for; nothing while it is empty."""
        if self._store.active_space and self._loaded_encoder().reads_text:
            self.search("warm up", k=1)

    def _loaded_encoder(self, device: str = "auto") -> Encoder:
        """The encoder of the active space, loaded once and checked against its stamp."""
        with self._lock:
            space = self._store.active_space
            if self._encoder is None:
                self._encoder = encoders.load(space.encoder if space else "auto", device=device)
            if space:
                check_fits(self._encoder, space, self.name)
            return self._encoder

    def _number_of(self, image: str) -> int:
        as_text = image.encode("utf-8", "replace").decode()  # file names may be no UTF-8
        as_place = sources.uri_of(sources.absolute(sources.path_of(image)))
        for name in (as_text, as_place):
            number = self._current().number_of(name)
            if number is not None:
                return number
        raise _no_image(as_text, self.name)


def _check_k(k: int | None) -> None:
    if k is not None and k < 1:
        raise QueryError(f"k is {k}; ask for at least 1 image.")


def _hits(found: search.Found, catalogue: Catalogue) -> list[Hit]:
    rows = np.concatenate([np.empty(0, np.int64), *found.rows])
    parts_of = iter(catalogue.regions.take(rows).to_pylist())
    scores = iter(found.row_scores)
    hits = []
    for number, score, relevance, its_rows in zip(
        found.images, found.scores, found.relevance, found.rows, strict=True
    ):
        paths, metadata = catalogue.places(int(number))
        parts = tuple(_region(next(parts_of), float(next(scores))) for _ in its_rows)
        image_id = catalogue.image_ids[int(number)].as_py()
        hits.append(Hit(image_id, paths[0], float(score), float(relevance), parts, metadata))
    return hits


def _region(row: Mapping[str, Any], score: float) -> Region:
    box = tuple(row["box"])
    return Region(row["region_id"], row["kind"], row["label"], box, score, row["text"])


def _read_query(given: ImageQuery, min_side: int) -> Image.Image:
    """A picture that somebody asks with, decoded. Raises ImageProblem with its name."""
    if isinstance(given, (str, Path)):
        try:
            return images.decode(
                sources.read_file(sources.path_of(str(given))), min_side=min_side
            ).image
        except ImageProblem as problem:
            raise ImageProblem(f"{given} cannot be searched with: {problem}.") from problem
        except OSError as error:
            raise ImageProblem(f"{given} cannot be read: {error.strerror}.") from error
    if isinstance(given, bytes):
        return images.decode(given, min_side=min_side).image
    return images.to_rgb(given)


def _no_image(image: str, collection: str) -> ImageNotFound:
    return ImageNotFound(
        f"Collection '{collection}' holds no image {image!r}. Give an image id, a path as "
        "`bilderatlas export` lists it, or an id of its table."
    )


def image_id_of(region_id: str) -> str:
    """The image that a region is a part of: a region id is the image id, or `IMAGE_ID-N`."""
    return region_id.partition("-")[0]
