"""Spaces: which encoder made the embeddings, and whether another's fit to them."""

from __future__ import annotations

from bilderatlas.encoders import Encoder
from bilderatlas.errors import EncoderMismatch
from bilderatlas.results import Space


def space_of(encoder: Encoder) -> Space:
    """The space that an encoder's embeddings make."""
    return Space(
        encoder.space,
        encoder.name,
        encoder.weights_hash,
        encoder.dim,
        encoder.joint_dim,
        encoder.reads_text,
    )


def check_fits(encoder: Encoder, space: Space, collection: str) -> None:
    """Refuse an encoder whose embeddings are not those of the space."""
    if encoder.space != space.space:
        raise EncoderMismatch(
            f"Collection '{collection}' holds embeddings of encoder '{space.encoder}' ({space.dim} "
            f"numbers per image); '{encoder.name}' makes {encoder.dim}, and the two cannot be "
            f"compared. Leave out --encoder to go on with '{space.encoder}', or start another "
            "collection."
        )
    if encoder.weights_hash != space.weights_hash:
        raise EncoderMismatch(
            f"The weights of encoder '{encoder.name}' are not those that collection "
            f"'{collection}' was made with (hash {encoder.weights_hash[:8]}, was "
            f"{space.weights_hash[:8]}). Put the old weights back, or index into a new collection."
        )
