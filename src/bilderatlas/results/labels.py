"""What people call images."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from bilderatlas.results.items import Items, as_json


@dataclass(frozen=True, slots=True)
class LabelDecision:
    """The decision that was kept; `POST /decisions` takes it back."""

    decision: str  # its id; its images may be a hundred thousand
    verb: str
    who: str
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """What became of it. Where it was so already there is no decision."""

    verb: str  # label, unlabel
    label: str
    n_regions: int = field(metadata={"description": "images and parts that changed"})
    decision: LabelDecision | None

    def to_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = as_json(self)
        return said


@dataclass(frozen=True, slots=True)
class ImportedLabels:
    """What an import of labels kept, and which names in it are of no image here."""

    source: str
    labels: tuple[Labelling, ...]
    unknown: tuple[str, ...]

    @property
    def n_new(self) -> int:
        """How many labels images have now that they had not before."""
        return sum(each.n_regions for each in self.labels)

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "n_new": self.n_new,
            "labels": [each.to_dict() for each in self.labels],
            "unknown": list(self.unknown),
        }


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A label that an image may have; null where nothing is labelled yet."""

    image_id: str
    label: str | None
    confidence: float = field(metadata={"description": "0..1, how likely it is"})
    # unsure below 0.2
    margin: float = field(metadata={"description": "how much likelier than the second"})


@dataclass(frozen=True, kw_only=True, repr=False)
class Suggestions(Items[Suggestion]):
    """Labels for images, in the order asked for."""

    LIST: ClassVar = "suggestions"

    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class LabelCount:
    """A label, and how many images have it."""

    label: str
    n_images: int  # as a whole or in a part
    since: datetime = field(metadata={"description": "when it was given first"})


@dataclass(frozen=True, kw_only=True, repr=False)
class LabelCounts(Items[LabelCount]):
    """The labels that people gave, those of the most images first."""

    LIST: ClassVar = "labels"

    n_images: int = field(metadata={"description": "of the collection"})
    n_labelled: int = field(metadata={"description": "images with a label"})
    labels: tuple[LabelCount, ...]
