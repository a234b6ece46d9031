"""A collection of images on disk, with one short method per verb."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from bilderatlas.analysis.evaluation.grid import EPS, MIN_SAMPLES
from bilderatlas.arrays import Embeddings
from bilderatlas.collection import export, images, search, spaces
from bilderatlas.collection.cache import Cache
from bilderatlas.collection.ground_truth import DECISIONS
from bilderatlas.collection.kinds import Choice
from bilderatlas.collection.maps import OpenMaps
from bilderatlas.collection.refresh import refresh_beside
from bilderatlas.collection.retry import retried
from bilderatlas.collection.run_cache import OpenRuns
from bilderatlas.collection.space import OpenSpace
from bilderatlas.collection.text_evidence import Readings
from bilderatlas.errors import EncoderMismatch, QueryError
from bilderatlas.indexing import sources
from bilderatlas.models import detectors, encoders
from bilderatlas.models.detectors import Finding
from bilderatlas.models.encoders import Encoder
from bilderatlas.results import (
    WORDS,
    ChromaExport,
    Classification,
    Cluster,
    Clustering,
    ClusterShapes,
    CollectionInfo,
    Decided,
    Decision,
    Decisions,
    Duplicates,
    Exchange,
    Hits,
    ImageFacts,
    ImagePage,
    Images,
    ImportedLabels,
    IndexSummary,
    LabelCounts,
    Labelling,
    MapColours,
    MapPage,
    MapPoints,
    Members,
    Part,
    ProblemKind,
    ProblemPage,
    Problems,
    Progress,
    Projection,
    ReindexSummary,
    Run,
    RunComparison,
    Space,
    Suggestions,
    image_id_of,
)
from bilderatlas.storage import Store, decisions, runs
from bilderatlas.storage import labels as labels_
from bilderatlas.storage.disk import size_of
from bilderatlas.storage.labels import LabelIndex
from bilderatlas.storage.selections import Selections
from bilderatlas.storage.where import Facet

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure
    from PIL import Image

    from bilderatlas.analysis.naming.llm import LanguageModel
    from bilderatlas.collection.browse import Listed
    from bilderatlas.collection.image_lists import ImageList
    from bilderatlas.collection.space import ImageQuery
    from bilderatlas.output.evaluation_report import Evaluation
    from bilderatlas.output.evaluation_report.heat_map import HeatMap
    from bilderatlas.results.advice import Advice
    from bilderatlas.storage.catalogue import Catalogue

STRETCH = 1000  # images in memory while all are gone through
Summary = TypeVar("Summary", IndexSummary, ReindexSummary)


WRITING = (  # verbs of which half may be done when they fail
    *("index", "reindex", "cluster", "name_clusters", "decide", "project", "classify", "label"),
    *("unlabel", "import_labels", "not_duplicates", "remove_if_empty", "export", "to_chroma"),
)
_N_ADVISED = 8  # kinds, spaces and seeds


@retried(unless=WRITING)
class Collection:
    """Images in order: fill it with `index`, ask it with `search` and `similar`.

    Reading is safe from several threads. Made by `open` and `create`.
    """

    def __init__(self, store: Store, *, encoder: Encoder | None = None) -> None:
        """`encoder` is loaded by the name in the collection's stamp where it is not given."""
        self._store = store
        self._lock = threading.RLock()
        self._encoder = encoder
        self._spaces: dict[str, OpenSpace] = {}  # by name, those that were asked
        self._is_refreshed = False
        self._read: Cache[None, Readings] = Cache(1)
        self._people: Cache[None, LabelIndex] = Cache(1)
        self._selections = Selections(store.path)
        self._runs = OpenRuns(store)
        self._maps = OpenMaps(store)
        self._advised: Cache[tuple[str, str, int, int], Advice] = Cache(_N_ADVISED)

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
        exclude: Sequence[str] | None = None,
        min_side: int | None = None,
        headers: Mapping[str, str] | None = None,
        prune: bool = False,
        n_threads: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> IndexSummary:
        """Bring the collection up to date with its sources: new, changed and moved pictures.

        Sources are folders, CSV or Parquet tables (`column` names the paths or URLs), ZIP or tar
        archives, single files. Unchanged files are passed over. With `prune`, images whose files
        are gone leave the collection. What cannot be read is listed by `problems`, and so is what
        was passed over. `encoder` and `device` are those of `encoders.load`; without them, the
        active space's on the fastest device.

        `exclude` are patterns of names in folders and archives that are passed over, beside those
        of `sources.passing.EXCLUDED`; "none" leaves these out. New pictures whose shorter side has
        fewer than `min_side` pixels are not taken in. Both are remembered, and so are the
        columns of each table. `headers` go to the servers of a table's URLs, and are not kept.

        `find` names what is found in every picture: "objects", "text", or nothing (`()`).
        `detector` is an ONNX file or folder, "d-fine-n", "rf-detr-nano" or "hf:OWNER/NAME"; without
        one, objects are found by class activation. `min_area` is a part of the picture,
        `max_regions` a number of objects. What was asked is remembered, and what is left out is as
        it was. Known images of these sources whose regions were found otherwise are searched again.

        Raises EncoderNotFound, SourceError, EncoderMismatch, DetectorError, CollectionBusy,
        StoreError.
        """
        from bilderatlas.indexing import index

        excluded = self._excluded(exclude)
        opened = sources.open_all(
            self._with_single_files(given),
            column=column,
            id_column=id_column,
            columns=self._store.columns,
            exclude=excluded,
            headers=headers,
        )
        asked = {"column": column, "id_column": id_column}
        finding = self._finding(find, detector, min_area, max_regions)
        steps = index.index(
            self._store,
            self._encoder_of_pictures(encoder, device),
            opened,
            finding=finding,
            word_encoders=spaces.encoders_of_words(self._store) if "text" in finding.names else (),
            exclude=None if exclude is None else excluded,
            min_side=min_side,
            columns={each: name for each, name in asked.items() if name},
            prune=prune,
            n_threads=n_threads,
        )
        return _last(steps, IndexSummary, on_progress)

    def _excluded(self, asked: Sequence[str] | None) -> tuple[str, ...]:
        """Patterns of what is passed over: as asked, else as remembered, else the usual ones."""
        from bilderatlas.indexing.sources.exclude import EXCLUDED

        if asked is None:
            return EXCLUDED if self._store.exclude is None else self._store.exclude
        own = tuple(pattern for pattern in asked if pattern != "none")
        return own if "none" in asked else EXCLUDED + own

    def _with_single_files(self, given: Sequence[str | Path]) -> Iterator[str | Path]:
        """Sources, with the files that are meant by the name of all single ones."""
        for source in given:
            if source == sources.SINGLE_FILES:
                paths = map(sources.path_of, self._store.uris(source))
                yield from (path for path in paths if path.is_file())
            else:
                yield source

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
            "detector": None if detector is None else detectors.absolute(detector),
            "min_area": min_area,
            "max_regions": max_regions,
        }
        return replace(self._store.finding, **{k: v for k, v in asked.items() if v is not None})

    def reindex(
        self,
        *,
        encoder: str | None = None,
        text_column: str | None = None,
        device: str = "auto",
        headers: Mapping[str, str] | None = None,
        n_threads: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ReindexSummary:
        """Add a space beside the others, bring one up to date, or switch back to it.

        Without `text_column`, all pictures and their parts are read again from their places and
        embedded by `encoder` (the active space's where it is not said), and its space becomes the
        active one; what it has already is not embedded twice. With it, the texts of that metadata
        column are embedded by an encoder of texts (that of the column's newest space, else the
        best on disk) as a space that is asked by its name; "text" means the words found in
        pictures. `headers` are those of `index`.

        May be stopped at any moment; the same call goes on from there. Raises EncoderNotFound,
        EncoderMismatch, QueryError, SourceError, CollectionBusy, StoreError.
        """
        from bilderatlas.indexing import reindex, texts

        spaces.choose(self._store, None)
        if text_column is not None:
            reader = spaces.text_encoder(self._store, text_column, encoder, device)
            steps = texts.reindex(self._store, reader, text_column)
            return _last(steps, ReindexSummary, on_progress)
        chosen = self._encoder_of_pictures(encoder, device)
        steps = reindex.reindex(self._store, chosen, headers=headers, n_threads=n_threads)
        summary = _last(steps, ReindexSummary, on_progress)
        self._encoder = chosen
        return summary

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
        may_open_files: bool = True,
    ) -> Hits:
        """Find the k images closest to some words, to a picture, or to both together.

        `query` is words or an expression: "2:dog + ./beach.jpg - snow" (`queries.parse`).
        `threshold` is the lowest score (cosine) of a region that counts; `kinds` are the kinds of
        region searched, `without` those left out; `weights` by kind multiply the relevance of
        regions ({"person": 2}; 0 leaves out). With `aggregate` "max" an image ranks by its best
        region, with "mean" by their mean. `where` is a SQL condition on facts and metadata
        (`filters.FactsTable`); of a `selection`, only the images that `keep_selection` kept are
        searched, with a `label` only those that people gave it. `space` is the name of another
        space than the active one: of another encoder, or of texts (`reindex`). Without
        `may_open_files`, files in an expression must be images of this collection.

        Words are also looked for in the text and the labels that were found in pictures; each hit
        and region says by what it was `matched_by`.

        Raises QueryError, SelectionNotFound, LabelsError, and ImageProblem where a picture is none.
        """
        if query is None and image is None:
            raise QueryError("Search for words or for a picture: give one of the two, or both.")
        among = self._among(selection, label)
        choice = Choice(k, threshold, kinds, without, weights or {}, aggregate, where, among)
        if query is None:
            assert image is not None, "one of the two was given"
            answer = search.by_picture(self._space(space), image, choice)
        else:
            answer = search.by_words(
                self._space(space),
                self._readings(),
                query,
                choice,
                may_open_files=may_open_files,
                picture=image,
            )
        return Hits(results=tuple(answer.hits), verdict=answer.verdict, thumbnails=self.thumbnails)

    def _among(self, selection: str | None, label: str | None) -> list[str] | None:
        """The images that a selection and a label leave to be searched; None: all."""
        if label is None:
            return None if selection is None else self.selection(selection)
        return self.select(label=label, selection=selection)

    def similar(
        self,
        image: str,
        *,
        k: int | None = 12,
        radius: float | None = None,
        where: str | None = None,
        space: str | None = None,
    ) -> Hits:
        """Find the k images closest to one of the collection, or all within a radius.

        `image` is an image id, a path or an id of its table; `radius` a cosine distance in 0..2;
        `space` as in `search`: in a space of texts, those with texts of like meaning.

        Raises ImageNotFound, QueryError.
        """
        answer = search.similar(self._space(space), image, Choice(k=k, where=where), radius=radius)
        return Hits(
            results=tuple(answer.hits),
            verdict=answer.verdict,
            thumbnails=self.thumbnails,
            asked=answer.asked,
        )

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
        """Group the images (one kind of region, or "all") by likeness, and remember the run.

        `kind` is "image" where it is not said, or "text" in a space of words; `space` as in
        `search`.

        Methods: hdbscan (`min_cluster_size` 5, `min_samples` 2), dbscan (`eps` 0.2 or "auto",
        `min_samples` 2), kmeans and minibatch-kmeans (`k`, "auto"), agglomerative
        (`distance_threshold` 0.5); fast-hdbscan and evoc, of the extra `fast`, read what hdbscan
        does. Label -1 is noise. docs/clustering.md says which to take.
        """
        from bilderatlas.collection import cluster

        asked = {
            "k": k,
            "eps": eps,
            "min_samples": min_samples,
            "min_cluster_size": min_cluster_size,
            "distance_threshold": distance_threshold,
        }
        options = {name: value for name, value in asked.items() if value is not None}
        run = cluster.cluster(
            self._store, self._space(space), method, options, kind=kind, seed=seed
        )
        return self._named(run)

    def name_clusters(
        self,
        run: str | None = None,
        *,
        llm_url: str | None = None,
        llm_model: str | None = None,
        llm_timeout_s: float = 30.0,
        llm_sends: str = "pictures",
    ) -> Clustering:
        """Name the clusters of a run (the newest by default) anew, as `cluster` does at once.

        Names come from a vocabulary that is matched to each cluster against the others, and from
        words in pictures and in columns of their table (docs/naming.md). Nothing leaves the
        machine unless `llm_url` and `llm_model` name a language model behind an OpenAI-compatible
        API: it is sent a contact sheet of each cluster ("pictures"), or what is written of its
        images ("texts"). Where it fails, the local name stays and `notes` of the result say so.
        What a person named keeps its name. To name a cluster yourself: `decide`.

        Raises RunNotFound, LanguageModelError.
        """
        from bilderatlas.analysis.naming.llm import LanguageModel

        model = None
        if llm_url or llm_model:
            model = LanguageModel(llm_url or "", llm_model or "", llm_timeout_s, llm_sends)
        return self._named(run, model=model)

    def _named(
        self,
        run: str | None,
        *,
        model: LanguageModel | None = None,
        clusters: Sequence[int] | None = None,
    ) -> Clustering:
        from bilderatlas.collection import name

        stands = self.clustering(run)
        notes = name.name(
            self._store, self._space(stands.about.space), stands, clusters=clusters, model=model
        )
        return replace(self.clustering(stands.run), notes=tuple(notes))

    def decide(
        self,
        verb: str,
        *what: str | int,
        run: str | None = None,
        parts: int | None = None,
        who: str | None = None,
    ) -> Decided:
        """Decide something about a clustering (the newest by default), for it and all later ones.

        `verb` and `what`: "name", CLUSTER, NAME; "merge", CLUSTER, CLUSTER, ...; "split", CLUSTER,
        IMAGE, ... (these leave it; without images, all but the largest of 2 or `parts` parts);
        "move", IMAGE, ..., CLUSTER or "out" (of all clusters); "must-link" or "cannot-link", IMAGE,
        IMAGE; "undo", DECISION. docs/decisions.md says how a decision is carried to other runs.
        `who` is the login name if not given.

        Raises DecisionError, RunNotFound, ImageNotFound.
        """
        from bilderatlas.collection import decide

        decide.check(verb, what, parts)
        if verb == decisions.UNDO:
            decision = decide.undo(self._store, what, who)
            if not self.runs("cluster"):  # a decision about labels, for instance
                return Decided(decision, None)
        else:
            space = self._space(self.clustering(run).about.space)
            with self._store.deciding():  # so that the run stands so until it is written
                about = self.clustering(run)
                decision = decide.decide(
                    self._store, space, about, verb, what, parts=parts, who=who
                )
        stands = self.clustering(run)
        if nameless := decide.nameless(self._store, stands):
            stands = self._named(run, clusters=nameless)
        return Decided(decision, stands)

    def decisions(self, *, with_undone: bool = False) -> Decisions:
        """What people decided, oldest first; `with_undone`, what was taken back as well."""
        read = decisions.history if with_undone else decisions.read
        return Decisions.of(read(self._store))

    def advise(
        self,
        *,
        kind: str | None = None,
        space: str | None = None,
        min_samples: int = 2,
        seed: int = 0,
    ) -> Advice:
        """Which k for kmeans and which eps for dbscan (with `min_samples`) suit the images.

        Measured on 2000 and 5000 of them at most, once for each version of the space. `.to_dict()`
        has all curves, `.figure()` shows them. Raises QueryError for fewer than three.
        """
        from bilderatlas.collection import cluster

        opened = self._space(space)
        asked = (opened.about.space, kind or opened.about.usual_kind, min_samples, seed)
        return self._advised.get(
            asked,
            opened.catalogue,
            lambda: cluster.advise(opened, kind, min_samples=min_samples, seed=seed),
        )

    def compare(self, first: str, second: str) -> RunComparison:
        """How alike two clusterings are, and what became of each cluster. Raises RunNotFound."""
        from bilderatlas.collection import cluster

        return cluster.compare(self.clustering(first), self.clustering(second))

    def exchanges(
        self, first: str, second: str, pairs: Sequence[tuple[int, int]], *, n: int = 7
    ) -> list[Exchange]:
        """Which regions stayed, left and came from clusters of one run to clusters of another.

        Up to n of each, the firmest first. Raises RunNotFound, QueryError.
        """
        from bilderatlas.collection import cluster

        return cluster.exchanges(self.clustering(first), self.clustering(second), pairs, n=n)

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
        """Lay the images (or one kind of region) out on a map of 2 or 3 dimensions.

        Methods: tsne (the default; van der Maaten and Hinton 2008, by openTSNE), umap (McInnes,
        Healy and Melville 2018; needs the extra `fast`), pca. `perplexity` is t-SNE's, by default
        30; `n_neighbors` and `min_dist` are UMAP's, 15 and 0.1. `kind` and `space` are as in
        `cluster`, `seed` is 0.

        `into` names a map that is there: what is new since is placed among its points, which stay
        where they are, and points whose images have left are dropped; the result is a run of its
        own. `projection.place` says how. No other option goes with it.

        Raises QueryError, RunNotFound.
        """
        from bilderatlas.collection import project

        options = {
            "method": method,
            "dims": dims,
            "perplexity": perplexity,
            "n_neighbors": n_neighbors,
            "min_dist": min_dist,
            "kind": kind,
            "seed": seed,
        }
        asked = {name: value for name, value in options.items() if value is not None}
        if into is None:
            return self.projection(project.project(self._store, self._space(space), asked))
        own_space = self._space(space or self.projection(into).about.space)
        return self.projection(project.project_into(self._store, own_space, into, asked))

    def runs(self, verb: str | None = None) -> list[Run]:
        """The clusterings and projections that were made, newest first."""
        return runs.all_of(self._store, verb)

    def clustering(self, run: str | None = None) -> Clustering:
        """A clustering (the newest by default) as it stands after what people decided.

        Raises RunNotFound.
        """
        return self._runs.clustering(run)

    def cluster_shapes(self, run: str | None = None) -> ClusterShapes:
        """How tight each cluster of a run (the newest) is, and which lie nearest to it.

        Tightness is the mean cosine of the members to their centre, as far as they are still in
        the run's space; near is the cosine of two centres. Raises RunNotFound.
        """
        opened = self._runs.open(run, self._catalogue)
        return ClusterShapes(run=opened.made.run, clusters=tuple(opened.shapes))

    def members(
        self, cluster: int, *, run: str | None = None, start: int = 0, n: int = 60
    ) -> Members:
        """n members of a cluster (-1: of the noise) from its core to its edge, from the start-th.

        `n_all` of the result is how many there are. Raises RunNotFound.
        """
        return self._runs.open(run, self._catalogue).members(cluster, start=start, n=n)

    def clusters_of(self, image_id: str, *, run: str | None = None) -> list[Cluster]:
        """The clusters of a run (the newest) that an image, or parts of it, are in.

        Raises RunNotFound.
        """
        return self._runs.open(run, self._catalogue).clusters_of(image_id)

    def projection(self, run: str | None = None, *, dims: int | None = None) -> Projection:
        """A projection that was made; the newest (of these dimensions) by default."""
        return runs.read_projection(self._store, run, dims)

    def map_points(self, run: str | None = None) -> MapPoints:
        """The points of a map (the newest) whose images are still here, 200,000 at the most.

        Of more, crowded places lose some. Raises RunNotFound, QueryError where none is left.
        """
        return self._maps.open(run, self._space().catalogue).points()

    def map_colours(self, run: str | None = None, *, color_by: str | None = None) -> MapColours:
        """The colours of the points of a map, by what `map_page` says of `color_by`.

        Raises RunNotFound, QueryError.
        """
        return self._maps.open(run, self._space().catalogue).colours(self._store, color_by)

    def duplicates(
        self, *, max_bits: int = 7, min_cosine: float = 0.88, min_likeness: float = 0.75
    ) -> Duplicates:
        """Find files that show the same picture: exact copies, and near copies.

        Near ones are looked for by hash (at most `max_bits` of 64 differ, in any of eight turns)
        and by embedding (a cosine of `min_cosine`); of those, the pairs count whose thumbnails
        agree in detail by `min_likeness` (`duplicates.likeness`). Each group says which picture to
        keep and why: the largest, then the oldest. What `not_duplicates` said is heeded.

        Raises QueryError for a value that cannot be.
        """
        from bilderatlas.collection import duplicates

        found = duplicates.find(
            self._store,
            self._space(),
            max_bits=max_bits,
            min_cosine=min_cosine,
            min_likeness=min_likeness,
        )
        return Duplicates.of(found, thumbnails=self.thumbnails)

    def not_duplicates(self, one: str, other: str, *, who: str | None = None) -> Decision:
        """Remember that two images (ids, paths, ids of a table) are no duplicates of each other.

        They are in no group together any more. `who` is the login name if not given.

        Raises ImageNotFound, DecisionError.
        """
        from bilderatlas.collection import duplicates

        return duplicates.part(self._store, self._space(), one, other, who)

    # -- labelling

    def label(self, images: Sequence[str], label: str, *, who: str | None = None) -> Labelling:
        """Give some images a label; they may have several.

        `images` are image ids, paths, ids of their table, or ids of regions. The label belongs to
        the content: it stays when the file moves. `who` is the login name if not given. It is one
        decision, which `decide("undo", ...)` takes back. Raises LabelsError, ImageNotFound.
        """
        from bilderatlas.collection import label as labelling

        return labelling.give(self._store, self._space(), images, label, who)

    def unlabel(self, images: Sequence[str], label: str, *, who: str | None = None) -> Labelling:
        """Take a label from some images. Raises LabelsError, ImageNotFound."""
        from bilderatlas.collection import label as labelling

        return labelling.take(self._store, self._space(), images, label, who)

    def labels(self) -> LabelCounts:
        """The labels that people gave, and how many images have each."""
        from bilderatlas.collection import label as labelling

        return labelling.count(self._space().catalogue, self._labels())

    def labelled(self, label: str | None = None) -> list[str]:
        """The ids of the images that have a label, or any, by path. Raises LabelsError."""
        from bilderatlas.collection import label as labelling

        found = labelling.labelled(self._space().catalogue, self._labels(), label)
        return [*found.to_pylist()]

    def unlabelled(self) -> list[str]:
        """The ids of the images that have no label, by path."""
        from bilderatlas.collection import label as labelling

        return [*labelling.unlabelled(self._space().catalogue, self._labels()).to_pylist()]

    def labels_of(self, region_ids: Sequence[str]) -> list[tuple[str, ...]]:
        """The labels of some images, as a whole, or of regions; in the order asked for."""
        of_region = self._labels().of_region
        return [of_region.get(region_id, ()) for region_id in region_ids]

    def region_labels(self) -> dict[str, tuple[str, ...]]:
        """The labels of every image and region that has some, by its id, in the order of paths."""
        from bilderatlas.collection import label as labelling

        return labelling.by_region(self._space().catalogue, self._labels())

    def suggest_labels(
        self,
        image_ids: Sequence[str] | None = None,
        *,
        n: int = 60,
        order: str = "confident",
        seed: int = 0,
    ) -> Suggestions:
        """Which labels some images (by default those without any) may have, for n of them.

        The labelled images that look most like an image vote (`classification.neighbors_vote`).
        `order` is "confident" (the surest first), "unsure" (those that two labels fit as well) or
        "diverse" (each as far as may be from what is labelled and from those before it). Of more
        than 5,000 images as many are drawn at random, of more than 200 examples of a label too.

        Raises QueryError.
        """
        from bilderatlas.collection import suggest_labels

        catalogue = self._space().catalogue
        found = suggest_labels.suggest(
            catalogue, self._labels(), image_ids, n=n, order=order, seed=seed
        )
        return Suggestions(suggestions=tuple(found))

    def classify(
        self,
        *,
        prompts: Sequence[str] | None = None,
        model: str | None = None,
        method: str | None = None,
        top: int = 3,
        kind: str | None = None,
        space: str | None = None,
        sample: int | None = None,
        seed: int = 0,
    ) -> Classification:
        """Say what every image (or region of a kind, or of "all") shows, and remember the run.

        By `prompts`: words that may be right, at most one of them, each judged against what
        unrelated words score; so "none of them" has a probability too. By `model` "builtin": the
        1,000 ImageNet classes of the built-in encoder, read from its embeddings. Without either,
        by people's labels: `method` "neighbors" (the ten most alike vote) or "logistic" (logistic
        regression: better with five labels a class and more, and always sure of some class). The
        `top` likeliest labels are kept. `kind` and `space` as in `cluster`.

        To try it, `sample` regions are drawn at random by `seed`, and no run is remembered.
        Raises QueryError.
        """
        from bilderatlas.collection import classify

        options = classify.ClassifyOptions(prompts, model, method, top, kind, sample, seed)
        return classify.classify(self._store, self._space(space), self._labels(), options)

    def classification(self, run: str | None = None) -> Classification:
        """A classification that was made, the newest by default. Raises RunNotFound."""
        return runs.read_classification(self._store, run)

    def import_labels(
        self,
        labels: str | Path,
        *,
        label_column: str | None = None,
        image_column: str | None = None,
        who: str | None = None,
    ) -> ImportedLabels:
        """Keep the labels of a table, of folders, or of a metadata column as people's.

        `labels` is said as for `evaluate`. An image may stand in several rows, or a cell hold a
        list. Labels that an image has already are passed over. Raises LabelsError.
        """
        from bilderatlas.collection import label as labelling

        return labelling.import_(
            self._store,
            self._space(),
            str(labels),
            label_column=label_column,
            image_column=image_column,
            who=who,
        )

    def _labels(self) -> LabelIndex:
        version = decisions.version(self._store)
        return self._people.get(None, version, lambda: labels_.read(self._store))

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
        """List images, n at a time: `after` is the `next` of the stretch before.

        `order` is "name" (of the first path), "date" (of taking them; those without one last),
        "newest" or "random", where the same `seed` gives the same list. `where` is a condition as
        in `search`; images have a region of each of `kinds`, and people gave them `label`, or none.
        The list goes on where it was, even if images were added or have left meanwhile.

        Raises QueryError, LabelsError.
        """
        listed = self._listed(order, seed, where, kinds, label, unlabelled)
        found = listed.stretch(n, after)
        facts = images.facts(listed.catalogue, found.numbers.tolist())
        return ImagePage(images=tuple(facts), n_images=found.n_all, next=found.next)

    def listed(
        self,
        order: str = "name",
        *,
        seed: int = 0,
        where: str | None = None,
        kinds: Sequence[str] = (),
        label: str | None = None,
        unlabelled: bool = False,
        selection: str | None = None,
    ) -> ImageList:
        """The list that `browse` goes through, as it is now: any stretch of it, what is beside an
        image, its months. `selection` is as in `search`.

        Raises QueryError, LabelsError, SelectionNotFound.
        """
        import pyarrow as pa

        from bilderatlas.collection.image_lists import ImageList

        listed = self._listed(order, seed, where, kinds, label, unlabelled)
        if selection is not None:
            listed = listed.among(pa.array(self.selection(selection), pa.string()))
        return ImageList(listed)

    def _listed(
        self,
        order: str,
        seed: int,
        where: str | None,
        kinds: Sequence[str],
        label: str | None,
        unlabelled: bool,
    ) -> Listed:
        from bilderatlas.collection import select

        listing = self._space().listing()
        listed = listing.listed(order, seed=seed, where=where, kinds=kinds)
        among = select.by_label(listing.catalogue, self._labels(), label, unlabelled)
        return listed if among is None else listed.among(among)

    def facets(self) -> list[Facet]:
        """The columns of facts and metadata that images can be chosen by (`where`), each with its
        most frequent values. Counted once for each version of the collection.
        """
        return self._space().catalogue.facets

    def metadata_columns(self) -> list[str]:
        """The columns of the tables that images came from, as conditions (`where`) name them."""
        return self._space().catalogue.metadata_columns

    def sample(self, n: int = 24, *, seed: int = 0) -> Images:
        """A random handful of images; the same seed picks the same ones."""
        return self.browse("random", n=n, seed=seed)

    def image(self, image_id: str) -> ImageFacts:
        """What the collection knows of an image. Raises ImageNotFound."""
        return self.images([image_id])[0]

    def select(
        self,
        query: str | None = None,
        *,
        cluster: int | None = None,
        run: str | None = None,
        label: str | None = None,
        unlabelled: bool = False,
        where: str | None = None,
        selection: str | None = None,
    ) -> list[str]:
        """The ids of all images that are meant; what is said together must all hold.

        `query` means those that answer it (likely and doubtful), the closest first; `cluster` the
        members of a cluster of `run` (the newest clustering by default), the firmest first; else
        they come by path. `label` and `unlabelled` are of people's labels; `where` and
        `selection` as in `search`.

        Raises QueryError, RunNotFound, LabelsError, SelectionNotFound.
        """
        from bilderatlas.collection import select

        space = self._space()
        found = select.all_of(space, self._store, self._readings, query, cluster, run)
        meant = select.narrowed(
            space.catalogue,
            self._labels(),
            found,
            label=label,
            unlabelled=unlabelled,
            where=where,
            selected=None if selection is None else self.selection(selection),
        )
        return [*meant.to_pylist()]

    def keep_selection(self, images: Sequence[str]) -> str:
        """Keep some images together; the id by which `search`, `select` and others find them.

        `images` are image ids, paths, ids of their table, or ids of regions, which mean their
        images. The same images have the same id. Raises ImageNotFound, QueryError, StoreError.
        """
        from bilderatlas.collection import label as labelling

        found = labelling.resolved(self._space(), images)
        return self._selections.keep(map(image_id_of, found))

    def keep_selections_in_memory(self) -> None:
        """Write no selection into the collection's folder: a server that is read-only does so."""
        self._selections.write_nothing()

    def selection(self, selection: str) -> list[str]:
        """The ids of the images that were kept together. Raises SelectionNotFound."""
        return self._selections.read(selection)

    def images(self, image_ids: Sequence[str]) -> Images:
        """What the collection knows of some images, in the order asked for."""
        space = self._space()
        catalogue = space.catalogue  # one for both steps: `index` may be writing the next
        numbers = [space.number_of(image_id, catalogue) for image_id in image_ids]
        return Images(images=tuple(images.facts(catalogue, numbers)))

    def all_images(self) -> Iterator[ImageFacts]:
        """Every image by the order of its path, a thousand in memory at a time."""
        catalogue = self._space().catalogue
        n = len(catalogue.image_ids)
        starts = range(0, n, STRETCH)
        stretches = [range(start, min(start + STRETCH, n)) for start in starts]
        first = [images.facts(catalogue, stretch) for stretch in stretches[:1]]  # now, not later
        later = (images.facts(catalogue, stretch) for stretch in stretches[1:])
        return chain.from_iterable(chain(first, later))

    def places(self, image_ids: Sequence[str] | None = None) -> pa.Table:
        """Every place where an image, or one of some, lies: a row each, by path, in Arrow.

        place_id, path, image_id, width, height, media_type, taken_at, and `metadata` as JSON: what
        a table says of this place. Two rows of a table are two places, also of one file.
        """
        return self._space().catalogue.place_facts(image_ids)

    def parts(self, image_id: str) -> list[Part]:
        """The objects and texts that were found in an image, the largest first.

        Raises ImageNotFound.
        """
        return images.parts(self._space(), image_id)

    def paths(self, image_ids: Sequence[str]) -> list[str | None]:
        """The first path of each of some images; None for one that has left."""
        return self._space().catalogue.paths(image_ids)

    def thumbnail(self, image_id: str) -> bytes:
        """A small JPEG of an image, its longer side 320 pixels. Raises ImageNotFound."""
        return self.thumbnails([image_id])[0]

    def thumbnails(self, image_ids: Sequence[str]) -> list[bytes]:
        """Small JPEGs of some images, in the order asked for. Raises ImageNotFound."""
        return images.thumbnails(self._space(), image_ids)

    def picture(self, image_id: str) -> Image.Image:
        """The full picture, upright RGB, read again from where it lies.

        Raises ImageNotFound, and ImageProblem where its file is gone or another now.
        """
        return images.picture(self._space(), image_id)

    def crop(self, region_id: str, *, side: int = 320) -> Image.Image:
        """A region cut out of its picture, upright RGB, its longer side `side` pixels at most.

        It has what is around it where it is longer than twice its width, as encoders see it.
        Raises ImageNotFound, and ImageProblem where the file is gone or another now.
        """
        return images.crop(self._space(), region_id, side)

    def embeddings(
        self, kind: str | None = None, *, space: str | None = None
    ) -> tuple[list[str], Embeddings]:
        """Region ids (N,) and embeddings (N, D) of one kind of region, as in `cluster`."""
        asked = self._space(space)
        return asked.catalogue.embeddings_of(kind or asked.about.usual_kind)

    # -- judging

    def evaluate(  # noqa: PLR0913  an option is an argument
        self,
        labels: str | Path,
        *,
        runs: Sequence[str] = (),
        captions: str | None = None,
        label_column: str | None = None,
        image_column: str | None = None,
        eps: Sequence[float] = EPS,
        min_samples: Sequence[int] = MIN_SAMPLES,
        space: str | None = None,
        seed: int = 0,
    ) -> Evaluation:
        """Measure clusterings and the space itself against what people say the images are.

        `labels` is a CSV, TSV or Parquet file with a column of images (ids or paths) and one of
        labels, a folder whose folders are the classes, "folders" for the name of the folder that
        each picture lies in, "column:NAME" for a metadata column, or "decisions" for the labels
        that people gave. `runs` are clusterings, by default the newest of the space; `captions` a
        column of the file, or of the metadata, that holds texts. `eps` and `min_samples` are what
        DBSCAN is tried with; `space` as in `search`. A region has its image's label.

        Raises LabelsError, RunNotFound, QueryError.
        """
        from bilderatlas.collection import evaluate

        opened = self._space(space)
        truth = evaluate.read_truth(
            opened,
            str(labels),
            label_column=label_column,
            image_column=image_column,
            captions=captions,
            decided=self.region_labels() if labels == DECISIONS else {},
        )
        newest = [run.run for run in self.runs("cluster") if run.space == opened.about.space][:1]
        return evaluate.evaluate(
            opened,
            truth,
            [self.clustering(run) for run in dict.fromkeys(runs or newest)],
            eps=eps,
            min_samples=min_samples,
            seed=seed,
            thumbnails=self.thumbnails,
        )

    def heat_map(self, images: Sequence[str] = (), *, run: str | None = None) -> HeatMap:
        """How alike some images are to each other, or the clusters of a run (the newest).

        `images` are 2 to 100 image ids, paths or ids of their table, in the active space; of
        clusters the 50 largest are compared, in the run's own, like ones side by side.

        Raises ImageNotFound, RunNotFound, QueryError.
        """
        from bilderatlas.collection import heat_map

        if images and run:
            raise QueryError("A heat map is of images or of a run's clusters: name one of the two.")
        if images:
            return heat_map.images(self._space(), images, self.thumbnails)
        made = self.clustering(run)
        return heat_map.clusters(self._space(made.about.space), made)

    # -- taking along

    def export(
        self,
        output: str | Path | IO[bytes],
        *,
        table: str = "images",
        format: str | None = None,
        run: str | None = None,
        selection: str | None = None,
    ) -> None:
        """Write images, clusters, coordinates, labels or classes as CSV or Parquet.

        A row stands for a place: a file, or a row of a table, with the metadata of that place.
        With a `selection` (`keep_selection`), only the rows of its images.
        """
        target = Path(output) if isinstance(output, str) else output
        export.write(self, target, table=table, format=format, run=run, selection=selection)

    def to_chroma(
        self, folder: str | Path, *, prefix: str | None = None, space: str | None = None
    ) -> ChromaExport:
        """Write a space as a new collection of ChromaDB (the extra `chroma`) into its folder.

        It is called PREFIX-image, or PREFIX-FIELD for a space of texts; `prefix` is the
        collection's name where it is not said. A row is a region at one of its image's places; its
        id is that of the region, with @PLACE_ID behind it at further places. Distances are cosine;
        metadata has path, image_id, region_id, place_id, kind, label, box and the metadata columns
        of the place; documents are texts.

        Raises QueryError, StoreError.
        """
        from bilderatlas.collection import export_chroma

        return export_chroma.to_chroma(self._space(space), Path(folder), prefix)

    def contact_sheets(self, folder: str | Path, *, run: str | None = None) -> list[Path]:
        """Write a contact sheet (PNG) for every cluster of a run."""
        return export.write_contact_sheets(self, Path(folder), run=run)

    def map_page(
        self,
        file: str | Path,
        *,
        run: str | None = None,
        color_by: str | None = None,
        max_mb: float = 64,
    ) -> MapPage:
        """Write a map as one HTML file that opens from disk, its thumbnails inside.

        `run` is a projection, by default the newest. `color_by` is "cluster" (the newest
        clustering of the map's space and kind), the name of any clustering, "labels" that people
        gave, "kind" or "label" (by a detector) of the region, a fact of its image ("folder",
        "source", "media_type", "width", "height", "taken_at"), or a metadata column; by default
        "cluster", or "folder" where there is no such clustering. Thumbnails are as large as keeps
        the file within `max_mb` megabytes, 224 pixels at most.

        Raises RunNotFound, QueryError (no such column, no room for the smallest thumbnails),
        StoreError.
        """
        from bilderatlas.collection import export_map

        return export_map.page(
            self._store, self._space(), Path(file), run=run, color_by=color_by, max_mb=max_mb
        )

    def map_figure(
        self,
        *,
        run: str | None = None,
        color_by: str | None = None,
        with_pictures: bool = False,
    ) -> Figure:
        """Draw a map with matplotlib, for print. `run` and `color_by` as for `map_page`.

        Raises RunNotFound, and QueryError where there is no such column, or for pictures in 3-D.
        """
        from bilderatlas.collection import export_map

        return export_map.figure(
            self._store, self._space(), run=run, color_by=color_by, with_pictures=with_pictures
        )

    # -- knowing

    def problems(self, kind: ProblemKind = "problem") -> Problems:
        """What could not be read, and why, by path; of `kind` "other", what was passed over.

        "small" are pictures smaller than `min_side`, "all" is everything. Raises QueryError.
        """
        from bilderatlas.collection import problems

        return problems.listed(self._store, kind)

    def browse_problems(
        self,
        *,
        kind: ProblemKind = "problem",
        stage: str | None = None,
        reason: str | None = None,
        query: str | None = None,
        n: int | None = 100,
        start: int = 0,
    ) -> ProblemPage:
        """A stretch of what could not be read, by path, and how many there are of each reason.

        `kind` is that of `problems`.

        `query` is a part of the path; in a `reason`, "…" stands for any number, so that like ones
        are counted together. Raises QueryError for a stretch that cannot be.
        """
        from bilderatlas.collection import problems

        return problems.page(
            self._store, kind=kind, stage=stage, reason=reason, query=query, n=n, start=start
        )

    def info(self) -> CollectionInfo:
        """What is inside."""
        from bilderatlas.indexing import texts

        active = self._store.active_space
        sources_ = self._store.read("places", ["source"])["source"].unique()
        return CollectionInfo(
            name=self.name,
            path=str(self.path),
            n_images=self._store.count("images"),
            n_places=self._space().catalogue.n_places if active else 0,
            n_regions=self._store.count("regions"),
            kinds=self.kinds(),
            n_problems=self._store.count_problems("problem"),
            n_other=self._store.count_problems("other"),
            n_small=self._store.count_problems("small"),
            exclude=self._excluded(None),
            min_side=self._store.min_side,
            active_space=active.space if active else None,
            spaces=tuple(self._store.spaces.values()),
            coverage=tuple(texts.coverage(self._store, s) for s in self._store.spaces.values()),
            runs=tuple(self.runs()),
            sources=tuple(sorted(sources_.to_pylist())),
            schema_version=self._store.schema_version,
            finding=self._store.finding,
            n_bytes=size_of(self.path),
            last_index=self._store.last_index,
        )

    def state(self, *tables: str) -> str:
        """A text that is another one when these tables are; without names, when anything is."""
        behind = [space.behind(tables) for space in self._open_spaces()]
        return "".join([self._store.state(*tables), *behind])

    def spaces(self) -> tuple[Space, ...]:
        """The spaces that can be asked."""
        return tuple(self._store.spaces.values())

    def kinds(self) -> dict[str, int]:
        """How many regions there are of each kind, in the order of `regions.KINDS`."""
        counts = self._store.read("regions", ["kind"])["kind"].value_counts().to_pylist()
        n_of = {row["values"]: row["counts"] for row in counts}
        return {kind: n_of[kind] for kind in detectors.KINDS if kind in n_of}

    def kinds_of_images(self) -> dict[str, int]:
        """How many images have a region of each kind, in the order of `regions.KINDS`."""
        return dict(self._space().catalogue.n_images_of_kind)

    # -- what stays loaded

    def _space(self, name: str | None = None) -> OpenSpace:
        """The space of this name, or the active one, open. Raises QueryError where it is not."""
        about = spaces.choose(self._store, name)
        with self._lock:
            if about.space not in self._spaces:
                given = self._encoder
                fits = given and given.name == about.encoder
                opened = OpenSpace(self._store, about, given if fits else None)
                opened.is_refreshed = self._is_refreshed
                self._spaces[about.space] = opened
            return self._spaces[about.space]

    def _open_spaces(self) -> list[OpenSpace]:
        with self._lock:
            return list(self._spaces.values())

    def _catalogue(self, space: str) -> Catalogue:
        return self._space(space).catalogue

    def _readings(self) -> Readings:
        """What is read in regions, with the newest space of words found in pictures."""
        of_words = [about.space for about in self._store.spaces.values() if about.field == WORDS]
        words = self._space(of_words[-1]) if of_words else None
        return self._read.get(None, words, lambda: Readings(words))

    @contextmanager
    def background_refresh(self) -> Iterator[None]:
        """Meanwhile nobody who asks waits until what another process wrote is read: for servers.

        Answers come from the version at hand while the next one is read, for a second or so.
        """
        self._set_refreshed(True)
        with refresh_beside(self._open_spaces, on_end=lambda: self._set_refreshed(False)):
            yield

    def _set_refreshed(self, is_refreshed: bool) -> None:
        with self._lock:
            self._is_refreshed = is_refreshed
            for space in self._spaces.values():
                space.is_refreshed = is_refreshed

    def renew(self) -> None:
        """Answer from now on at least of what is written now."""
        for space in self._open_spaces():
            space.renew()

    def warm_up(self) -> None:
        """Load what the first search by words would wait for; nothing while it is empty."""
        if self._store.active_space and self._space().encoder().reads_text:
            self.search("warm up", k=1)

    def _encoder_of_pictures(self, name: str | None, device: str) -> Encoder:
        """The encoder of this name, or that of the active space. Raises EncoderMismatch."""
        if name:
            chosen = encoders.load(name, device=device)
        elif self._encoder is None and self._store.active_space:
            chosen = self._space().encoder(device)
        else:
            self._encoder = chosen = self._encoder or encoders.load("auto", device=device)
        if not chosen.reads_images:
            raise EncoderMismatch(
                f"Encoder '{chosen.name}' reads texts only and sees no pictures. Use one that sees "
                "them ('bilderatlas encoders' lists them); or embed a column of texts with it: "
                "bilderatlas reindex COLLECTION --text-column NAME"
            )
        return chosen


def _last(
    steps: Generator[Progress | Summary],
    kind: type[Summary],
    on_progress: Callable[[Progress], None] | None,
) -> Summary:
    """Go through the steps of a long run, tell of its progress, and return its summary."""
    with closing(steps):  # after Ctrl-C too, so that they write what they have
        for step in steps:
            if isinstance(step, kind):
                return step
            if on_progress and isinstance(step, Progress):
                on_progress(step)
    raise AssertionError("a run ends with its summary")
