"""One space of a collection, open for asking: its embeddings in memory, and its encoder."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bilderatlas.analysis import calibration, search
from bilderatlas.analysis.calibration import Background
from bilderatlas.arrays import Embeddings, to_unit_length
from bilderatlas.collection import queries
from bilderatlas.collection.backgrounds import Backgrounds
from bilderatlas.collection.browse import Listing
from bilderatlas.collection.version import Version
from bilderatlas.errors import ImageNotFound, ImageProblem, QueryError
from bilderatlas.indexing import images, sources
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder
from bilderatlas.results import WORDS, Space
from bilderatlas.storage import Store
from bilderatlas.storage.catalogue import Catalogue
from bilderatlas.storage.spaces import check_weights

if TYPE_CHECKING:
    from PIL import Image

    ImageQuery = str | Path | bytes | Image.Image


BATCH_S = 0.1  # that a writer takes to write a batch, table by table; see `refresh`


@dataclass(frozen=True, slots=True)
class EmbeddedQuery:
    """A query as it is compared, what with, and what to judge its scores by.

    All of one version: numbers of rows and images mean others in the next one, which may come at
    any time. So whoever asks goes on with this catalogue, and never with `OpenSpace.catalogue`.
    """

    vector: Embeddings  # (D,) or (J,)
    embeddings: Embeddings  # (N, D) or (N, J)
    catalogue: Catalogue
    background: Background


class OpenSpace:
    """What stays loaded between two questions. Reading is safe from several threads."""

    def __init__(self, store: Store, about: Space, encoder: Encoder | None = None) -> None:
        """`encoder` is loaded by the name in the space's stamp where it is not given."""
        self.about = about
        self._store = store
        self._lock = threading.RLock()  # of the encoder and the probes: loading takes seconds
        self._at_hand: Version | None = None
        self._reading = threading.Lock()  # of versions: who comes second finds it read
        self.is_refreshed = False  # in the background: somebody calls `refresh` again and again
        self._probes: Embeddings | None = None
        self._encoder = encoder
        if encoder:
            check_weights(encoder, about, self.collection)

    @property
    def collection(self) -> str:
        """The name of the collection."""
        return self._store.path.stem

    @property
    def catalogue(self) -> Catalogue:
        """The newest version of the space, or the one at hand while it is refreshed."""
        return self._version().catalogue

    def _version(self) -> Version:
        """What this process wrote is found at once, what others wrote as soon as it was read."""
        known = self._at_hand
        if self.is_refreshed and known and known.n_writings == self._store.n_writings:
            return known
        return self.renew()

    def renew(self) -> Version:
        """The newest version. While it is read, the one at hand may still answer others."""
        with self._reading:
            # Counted before reading: what is written meanwhile is then read by the next question.
            n_writings, known = self._store.n_writings, self._at_hand
            if known and known.catalogue.is_current():
                known.n_writings = n_writings
                return known
            before = known.catalogue if known else None
            newest = Version(Catalogue(self._store, self.about.space, before), n_writings)
            # Only where nobody waits for this; else who asks would pay for what others asked.
            if known and self.is_refreshed:
                newest.get_ready(known, self._embed_probes)
            self._at_hand = newest
            return newest

    def refresh(self) -> None:
        """Read what others wrote, if anything."""
        known = self._at_hand
        if known and not known.catalogue.is_current():
            time.sleep(BATCH_S)  # a batch is four tables: read once all are there, not one by one
            self.renew()

    def catalogues(self) -> Iterator[Catalogue]:
        """The catalogue at hand, if there is one, then the newest: that takes a while to tell."""
        if self._at_hand is not None:
            yield self._at_hand.catalogue
        yield self.renew().catalogue

    def behind(self, tables: Sequence[str]) -> str:
        """Which versions of these tables (all by default) answer, where there are newer ones.

        It becomes part of an ETag, which would otherwise name the newest version on disk for an
        answer from the one before.
        """
        if not self.is_refreshed or self._at_hand is None:
            return ""
        versions = self._at_hand.catalogue.versions
        asked = [name for name in tables or versions if name in versions]
        older = [n for n in asked if versions[n] != self._store.version(n)]
        return "".join(f", {self.about.space} has {name} {versions[name]}" for name in older)

    def encoder(self, device: str = "auto") -> Encoder:
        """The space's encoder, loaded once and checked against its stamp."""
        with self._lock:
            if self._encoder is None:
                encoder = encoders.load(self.about.encoder, device=device)
                check_weights(encoder, self.about, self.collection)
                self._encoder = encoder
            return self._encoder

    # -- whose row is it

    def number_of(self, image: str, catalogue: Catalogue | None = None) -> int:
        """The number of an image, by its id, path or id of its table. Raises ImageNotFound.

        `catalogue`: the one that it is a number in, the newest by default.
        """
        known = catalogue or self.catalogue
        as_text = image.encode("utf-8", "replace").decode()  # file names need not be UTF-8
        number = known.number_of(as_text)
        if number is None and (place := _place(image)):
            number = known.number_of(place)
        if number is None:
            raise no_image(as_text, self.collection)
        return number

    def embedding_of(
        self, number: int, catalogue: Catalogue, *, in_joint: bool = False
    ) -> Embeddings:
        """An image's own: of the whole picture, of its text, or the mean of all its words (D,).

        `number` is that in the catalogue. Raises ImageNotFound where the space lacks it.
        """
        is_its = (catalogue.image_of == number) & catalogue.of_kind([self.about.usual_kind])
        rows = catalogue.embeddings(in_joint=in_joint)[np.flatnonzero(is_its)]
        if not len(rows):
            raise self._no_embedding(catalogue.places(number)[0][0])
        vector: Embeddings = rows[0] if len(rows) == 1 else to_unit_length(rows.sum(0)[None])[0]
        return vector

    def _no_embedding(self, path: str) -> ImageNotFound:
        field = self.about.field
        texts = "no words were found in it" if field == WORDS else f"it has no text in {field!r}"
        return ImageNotFound(
            f"Space '{self.about.space}' has no embedding of {path}: "
            f"{texts if field else 'its picture could not be read again'}. "
            f"Ask another space, or complete this one: bilderatlas reindex {self.collection}"
            + (f" --text-column {shlex.quote(field)}" if field else "")
        )

    # -- what is asked -> a query embedding, and its background

    def ask_terms(
        self,
        terms: Sequence[queries.Term],
        *,
        may_open_files: bool,
        picture: ImageQuery | None = None,
    ) -> EmbeddedQuery:
        """One query for all terms and a picture, in the joint space where there are words and one.

        The picture counts as much as a term of weight 1.
        """
        in_joint = self.about.joint_dim is not None and any(term.words for term in terms)
        known = self._backgrounds_of(in_joint)
        asked = [self._ask_term(term, known, may_open_files) for term in terms]
        weights = [term.weight for term in terms]
        if picture is not None:
            asked.append(self._ask_picture(picture, known))
            weights.append(1.0)
        if len(asked) == 1:
            return asked[0]
        vectors = np.stack([each.vector for each in asked])  # (Q, D) or (Q, J)
        shares = search.balance(vectors, weights, known.embeddings)  # (Q,)
        if not shares.any():
            raise QueryError("The terms of the query cancel each other out. Change a weight.")
        background = calibration.mixed([each.background for each in asked], shares)
        mixed = (shares @ vectors).astype(np.float32)
        return EmbeddedQuery(mixed, known.embeddings, known.catalogue, background)

    def ask_picture(self, given: ImageQuery) -> EmbeddedQuery:
        """A picture that somebody brings.

        Raises ImageProblem, and QueryError where the space's encoder reads texts only.
        """
        return self._ask_picture(given, self._backgrounds_of(in_joint=False))

    def ask_image(self, image: str) -> tuple[EmbeddedQuery, int]:
        """An image of the collection, and its number. Raises ImageNotFound."""
        known = self._backgrounds_of(in_joint=False)
        number = self.number_of(image, known.catalogue)
        return self._ask_image(number, known), number

    def _ask_term(
        self, term: queries.Term, known: Backgrounds, may_open_files: bool
    ) -> EmbeddedQuery:
        if term.words:
            return self._ask_words(term.words, known)
        if term.file and may_open_files:
            return self._ask_picture(term.file, known)
        return self._ask_image(
            self.number_of(term.image_id or term.file or "", known.catalogue), known
        )

    def _ask_words(self, query: str, known: Backgrounds) -> EmbeddedQuery:
        encoder = self.encoder()
        if not encoder.reads_text:
            raise QueryError(
                f"Encoder '{encoder.name}' does not read words. Search with a picture (--image "
                f"FILE), or add a space that does: bilderatlas reindex {self.collection} "
                "--encoder builtin"
            )
        vector = encoders.embed_queries(encoder, [query])[0]
        return EmbeddedQuery(
            vector, known.embeddings, known.catalogue, known.of_words(self._embed_probes)
        )

    def _ask_picture(self, given: ImageQuery, known: Backgrounds) -> EmbeddedQuery:
        encoder = self.encoder()
        picture = _read_query(given, encoder.input_side)
        made = encoder.embed_images(encoder.prepare(picture)[None])
        among_texts = self.about.field is not None
        in_joint = known.in_joint or among_texts
        vector = (made.vectors if made.joint is None or not in_joint else made.joint)[0]
        background = known.of_words(self._embed_probes) if among_texts else known.of_pictures()
        return EmbeddedQuery(vector, known.embeddings, known.catalogue, background)

    def _ask_image(self, number: int, known: Backgrounds) -> EmbeddedQuery:
        vector = self.embedding_of(number, known.catalogue, in_joint=known.in_joint)
        return EmbeddedQuery(vector, known.embeddings, known.catalogue, known.of_pictures())

    def _backgrounds_of(self, in_joint: bool) -> Backgrounds:
        return self._version().backgrounds(in_joint=in_joint)

    def listing(self) -> Listing:
        """The images of the newest version of the space, to be listed."""
        return self._version().listing

    def _embed_probes(self) -> Embeddings:
        """The words that have nothing to do with a query, (P, D) or (P, J); embedded once."""
        with self._lock:
            if self._probes is None:
                self._probes = encoders.embed_queries(self.encoder(), calibration.PROBES)
            return self._probes


def _place(image: str) -> str | None:
    """The place that an image is named by, as the store writes it; None: no file is called so."""
    try:
        return sources.uri_of(sources.absolute(sources.typed_path(image)))
    except QueryError:
        return None


def _read_query(given: ImageQuery, min_side: int) -> Image.Image:
    """A picture that somebody asks with, decoded. Raises ImageProblem with its name."""
    if isinstance(given, (str, Path)):
        try:
            return images.decode(
                sources.read_file(sources.typed_path(str(given))), min_side=min_side
            ).image
        except ImageProblem as problem:
            raise ImageProblem(f"{given} cannot be searched with: {problem}.") from problem
        except OSError as error:
            raise ImageProblem(f"{given} cannot be read: {error.strerror}.") from error
    if isinstance(given, bytes):
        return images.decode(given, min_side=min_side).image
    return images.to_rgb(given)


def no_image(image: str, collection: str) -> ImageNotFound:
    return ImageNotFound(
        f"Collection '{collection}' holds no image {image!r}. Give an image id, a path as "
        "`bilderatlas export` lists it, or an id of its table."
    )
