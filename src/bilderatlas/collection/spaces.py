"""Which space is asked, and which encoder makes the texts of a field into one."""

from __future__ import annotations

from bilderatlas.errors import QueryError
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder
from bilderatlas.results import WORDS, Space
from bilderatlas.storage import Store


def choose(store: Store, name: str | None) -> Space:
    """The space of a name, or the active one. Raises QueryError.

    A space of texts may be called by its column, as the table spells it; capital letters count
    only where two spaces would be meant.
    """
    about = _named(store, name) if name is not None else store.active_space
    if about is None:
        raise QueryError(
            f"Collection '{store.path.stem}' is empty. "
            f"Fill it: bilderatlas index {store.path} PICTURES"
        )
    return about


def _named(store: Store, name: str) -> Space:
    spaces = store.spaces
    small = name.casefold()
    for meant in (
        [space for space in spaces.values() if space.space == name],
        [space for space in spaces.values() if space.field == name],
        [space for space in spaces.values() if small == space.space.casefold()],
        [space for space in spaces.values() if space.field and small == space.field.casefold()],
    ):
        if len(meant) == 1:
            return meant[0]
        if meant:
            listed = ", ".join(space.space for space in meant)
            raise QueryError(f"{name!r} may mean several spaces: {listed}. Name one of them.")
    raise QueryError(
        f"Collection '{store.path.stem}' has no space {name!r}. "
        + (f"It has: {', '.join(spaces)}. " if spaces else "")
        + f"Make one: bilderatlas reindex {store.path.stem} --encoder NAME, or --text-column."
    )


def text_encoder(store: Store, field: str, name: str | None, device: str) -> Encoder:
    """The encoder for a field's texts: by its name, else that of its newest space, else the best.

    Raises EncoderNotFound, and QueryError for one that does not read words.
    """
    made_by = [space.encoder for space in store.spaces.values() if space.field == field]
    chosen = name or (made_by[-1] if made_by else encoders.best_for_texts())
    encoder = encoders.load(chosen, device=device)
    if not encoder.reads_text:
        raise QueryError(
            f"Encoder '{encoder.name}' does not read words. Use an encoder of texts: "
            "'builtin-text', 'bge-small-en'; 'bilderatlas encoders' lists them."
        )
    return encoder


def encoders_of_words(store: Store) -> list[Encoder]:
    """The encoders of the spaces of words found in pictures; where there is none, of a first."""
    made_by = [space.encoder for space in store.spaces.values() if space.field == WORDS]
    return [encoders.load(name) for name in made_by or [encoders.best_for_texts()]]
