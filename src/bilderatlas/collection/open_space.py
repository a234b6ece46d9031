"""One space of a collection, open for asking: its embeddings in memory, and its encoder."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bilderatlas import encoders, images, queries, search, sources
from bilderatlas.arrays import Embeddings, to_unit_length
from bilderatlas.catalogue import Catalogue
from bilderatlas.encoders import Encoder
from bilderatlas.errors import ImageNotFound, ImageProblem, QueryError
from bilderatlas.results import WORDS, Space
from bilderatlas.store import Store
from bilderatlas.store.spaces import check_weights

if TYPE_CHECKING:
    from PIL import Image

    ImageQuery = str | Path | bytes | Image.Image


class OpenSpace:
    """What stays loaded between two questions. Reading is safe from several threads."""

    def __init__(self, store: Store, about: Space, encoder: Encoder | None = None) -> None:
        """`encoder` is loaded by the name in the space's stamp where it is not given."""
        self.about = about
        self._store = store
        self._lock = threading.RLock()
        self._catalogue: Catalogue | None = None
        self._encoder = encoder
        if encoder:
            check_weights(encoder, about, self.collection)

    @property
    def collection(self) -> str:
        """The name of the collection."""
        return self._store.path.stem

    @property
    def catalogue(self) -> Catalogue:
        """The newest version of the space; read again after `index` wrote to it."""
        with self._lock:
            if self._catalogue is None or not self._catalogue.is_current():
                self._catalogue = Catalogue(self._store, self.about.space)
            return self._catalogue

    def encoder(self, device: str = "auto") -> Encoder:
        """The space's encoder, loaded once and checked against its stamp."""
        with self._lock:
            if self._encoder is None:
                encoder = encoders.load(self.about.encoder, device=device)
                check_weights(encoder, self.about, self.collection)
                self._encoder = encoder
            return self._encoder

    def embeddings(self, *, in_joint: bool = False) -> Embeddings:
        """All embeddings: (N, D) to compare pictures by, or (N, J) to compare with words."""
        return self.catalogue.joint if in_joint else self.catalogue.vectors

    # -- whose row is it

    def number_of(self, image: str) -> int:
        """The number of an image, by its id, path or id of its table. Raises ImageNotFound."""
        as_text = image.encode("utf-8", "replace").decode()  # file names may be no UTF-8
        as_place = sources.uri_of(sources.absolute(sources.path_of(image)))
        for name in (as_text, as_place):
            number = self.catalogue.number_of(name)
            if number is not None:
                return number
        raise no_image(as_text, self.collection)

    def embedding_of(self, number: int, *, in_joint: bool = False) -> Embeddings:
        """An image's own: of the whole picture, of its text, or the mean of all its words (D,).

        Raises ImageNotFound where the space lacks it.
        """
        catalogue = self.catalogue
        is_its = (catalogue.image_of == number) & catalogue.of_kind([self.about.usual_kind])
        rows = self.embeddings(in_joint=in_joint)[np.flatnonzero(is_its)]
        if not len(rows):
            raise self._no_embedding(number)
        vector: Embeddings = rows[0] if len(rows) == 1 else to_unit_length(rows.sum(0)[None])[0]
        return vector

    def _no_embedding(self, number: int) -> ImageNotFound:
        path = self.catalogue.places(number)[0][0]
        field = self.about.field
        texts = "no words were found in it" if field == WORDS else f"it has no text in {field!r}"
        return ImageNotFound(
            f"Space '{self.about.space}' has no embedding of {path}: "
            f"{texts if field else 'its picture could not be read again'}. "
            f"Ask another space, or complete this one: bilderatlas reindex {self.collection}"
            + (f" --text-column {shlex.quote(field)}" if field else "")
        )

    # -- what is asked -> a query embedding

    def embed_terms(
        self, terms: Sequence[queries.Term], in_joint: bool, may_open_files: bool
    ) -> Embeddings:
        """One query embedding (D,) for all terms, in the joint space or that of pictures."""
        vectors = [self._embed_term(term, in_joint, may_open_files) for term in terms]
        if len(terms) == 1:
            return vectors[0]
        mixed = search.mix(
            np.stack(vectors),
            [term.weight for term in terms],
            self.embeddings(in_joint=in_joint),
        )
        if not mixed.any():
            raise QueryError("The terms of the query cancel each other out. Change a weight.")
        return mixed

    def _embed_term(self, term: queries.Term, in_joint: bool, may_open_files: bool) -> Embeddings:
        if term.words:
            return self._embed_words(term.words)
        if term.file and may_open_files:
            return self.embed_picture(term.file, in_joint=in_joint)
        number = self.number_of(term.image_id or term.file or "")
        return self.embedding_of(number, in_joint=in_joint)

    def _embed_words(self, query: str) -> Embeddings:
        encoder = self.encoder()
        if not encoder.reads_text:
            raise QueryError(
                f"Encoder '{encoder.name}' reads no words. Search with a picture (--image FILE), "
                f"or add a space that does: bilderatlas reindex {self.collection} --encoder builtin"
            )
        vector: Embeddings = encoders.embed_queries(encoder, [query])[0]
        return vector

    def embed_picture(self, given: ImageQuery, *, in_joint: bool = False) -> Embeddings:
        """One query embedding (D,) or (J,) of a picture.

        Raises ImageProblem, and QueryError where the space's encoder reads texts only.
        """
        in_joint = in_joint or self.about.field is not None  # where texts are
        encoder = self.encoder()
        picture = _read_query(given, encoder.input_side)
        made = encoder.embed_images(encoder.prepare(picture)[None])
        vector: Embeddings = (made.vectors if made.joint is None or not in_joint else made.joint)[0]
        return vector


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


def no_image(image: str, collection: str) -> ImageNotFound:
    return ImageNotFound(
        f"Collection '{collection}' holds no image {image!r}. Give an image id, a path as "
        "`bilderatlas export` lists it, or an id of its table."
    )
