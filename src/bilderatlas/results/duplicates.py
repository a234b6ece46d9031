"""Copies in groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from bilderatlas.results.items import HIDDEN, Items, Thumbnails, no_thumbnails


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that shows what the kept one of its group shows."""

    image_id: str
    path: str
    width: int
    height: int
    # exact (the same content), hash, embedding, "hash and embedding"; or "another copy", which is
    # like the kept one, and this one like it
    reason: str
    bits: int  # of 64 that differ between its hash and that of the kept one
    cosine: float  # of their embeddings
    likeness: float  # 0..1, how far their detail agrees
    turn: str  # how the kept one must be turned to look like it; empty: it need not


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Files that show one picture: the one to keep, why that, and the others."""

    image_id: str
    path: str
    width: int
    height: int
    why: str
    copies: tuple[Copy, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class Duplicates(Items[DuplicateGroup]):
    """Copies in groups, the largest first."""

    LIST: ClassVar = "groups"

    n_groups: int
    n_copies: int  # files that are copies of one that is kept
    groups: tuple[DuplicateGroup, ...]
    thumbnails: Thumbnails = field(default=no_thumbnails, compare=False, metadata=HIDDEN)

    @classmethod
    def of(cls, groups: Sequence[DuplicateGroup], *, thumbnails: Thumbnails) -> Self:
        """Groups, counted. A notebook shows the first ones as a contact sheet."""
        n_copies = sum(len(group.copies) for group in groups)
        return cls(
            n_groups=len(groups), n_copies=n_copies, groups=tuple(groups), thumbnails=thumbnails
        )

    def contact_sheet(self, n_groups: int = 12) -> bytes:
        """The first groups as a PNG, a row each: the picture to keep, then its copies."""
        from bilderatlas import figures

        shown = self[:n_groups]
        members = [[(group.image_id, f"keep: {group.why}"), *_captions(group)] for group in shown]
        ids = list(dict.fromkeys(image_id for row in members for image_id, _ in row))
        jpeg_of = dict(zip(ids, self.thumbnails(ids), strict=True))
        rows = [[(jpeg_of[image_id], caption) for image_id, caption in row] for row in members]
        title = f"{len(self):,} groups, {self.n_copies:,} copies"
        return figures.to_png(figures.group_sheet(rows, title=title))

    def _repr_png_(self) -> bytes | None:
        return self.contact_sheet() if self else None


_N_COPIES_SHOWN = 5


def _captions(group: DuplicateGroup) -> list[tuple[str, str]]:
    """Copies with another content: exact ones look the same."""
    near = [copy for copy in group.copies if copy.reason != "exact"] or list(group.copies)
    return [
        (copy.image_id, " ".join([copy.reason, copy.turn or f"{copy.width} x {copy.height}"]))
        for copy in near[:_N_COPIES_SHOWN]
    ]
