"""Spaces: which encoder made the embeddings, and whether another's fit to them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bilderatlas.errors import EncoderMismatch
from bilderatlas.models.encoders import Encoder
from bilderatlas.results import Space


def space_of(encoder: Encoder, field: str | None, spaces: Mapping[str, Space]) -> Space:
    """The space that an encoder makes of pictures, or of a field's texts, beside others.

    That of a field is called FIELD-ENCODER, as far as letters and digits go.
    """
    if field is None:
        name, dim, joint_dim = encoder.space, encoder.dim, encoder.joint_dim
    else:  # texts lie where the encoder puts words
        name = _name(field, encoder.space, spaces)
        dim, joint_dim = encoder.joint_dim or encoder.dim, None
    return Space(
        name, encoder.name, encoder.weights_hash, dim, joint_dim, encoder.reads_text, field
    )


def _name(field: str, encoder: str, spaces: Mapping[str, Space]) -> str:
    """A name that no other field has: "Title" and "title!" may both be columns."""
    stem = re.sub(r"\W+", "-", field.lower()).strip("-")[:60] or "texts"
    names = [f"{stem}-{encoder}", *(f"{stem}-{n}-{encoder}" for n in range(2, len(spaces) + 3))]
    return next(n for n in names if n not in spaces or spaces[n].field == field)


def check_fits(encoder: Encoder, space: Space, collection: str) -> None:
    """Refuse an encoder whose embeddings are not those of the active space."""
    if encoder.space != space.space:
        raise EncoderMismatch(
            f"Collection '{collection}' holds embeddings of encoder '{space.encoder}' ({space.dim} "
            f"numbers per image); '{encoder.name}' makes {encoder.dim}, and the two cannot be "
            f"compared. Leave out --encoder to go on with '{space.encoder}', or add a second space "
            f"with 'bilderatlas reindex {collection} --encoder {encoder.name}'."
        )
    check_weights(encoder, space, collection)


def check_weights(encoder: Encoder, space: Space, collection: str) -> None:
    """Refuse an encoder of the same name whose weights are others."""
    if encoder.weights_hash != space.weights_hash:
        raise EncoderMismatch(
            f"The weights of encoder '{encoder.name}' are not those that space '{space.space}' of "
            f"collection '{collection}' was made with (hash {encoder.weights_hash[:8]}, was "
            f"{space.weights_hash[:8]}). Put the old weights back; or copy the new ones into a "
            f"folder of another name and make a space of it: bilderatlas reindex {collection} "
            "--encoder FOLDER"
        )
