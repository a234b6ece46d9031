"""One version of a space, and what was worked out of it for the questions that were asked."""

from __future__ import annotations

from collections.abc import Callable

from bilderatlas.arrays import Embeddings
from bilderatlas.collection.backgrounds import Backgrounds
from bilderatlas.collection.browse import Listing
from bilderatlas.storage.catalogue import Catalogue


class Version:
    """A catalogue with its backgrounds and lists.

    They come and go with their catalogue, so none is left over from an earlier version.
    """

    def __init__(self, catalogue: Catalogue, n_writings: int) -> None:
        self.catalogue = catalogue
        self.n_writings = n_writings  # of this process that the catalogue has
        self.listing = Listing(catalogue)
        self.pictures = Backgrounds(catalogue, in_joint=False)
        self.words = Backgrounds(catalogue, in_joint=True)

    def backgrounds(self, *, in_joint: bool) -> Backgrounds:
        """Of the half that words are compared with, or of the one for pictures."""
        return self.words if in_joint else self.pictures

    def get_ready(self, like: Version, probes: Callable[[], Embeddings]) -> None:
        """Work out what `like` was asked for, so that nobody waits for it here.

        Not everything: the half for words, say, is 154 MB for 100,000 images, and perhaps nobody
        asks for it.
        """
        self.catalogue.get_ready(like.catalogue)
        self.listing.get_ready(like.listing)
        self.pictures.get_ready(like.pictures, probes)
        self.words.get_ready(like.words, probes)
