"""What people call images."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from bilderatlas.results.decisions import Decision
from bilderatlas.results.items import Items


@dataclass(frozen=True, slots=True)
class Labelling:
    """What became of giving images a label, or taking it from them."""

    verb: str  # label, unlabel
    label: str
    decision: Decision | None  # None where it was so already
    n_regions: int  # that have it now and had it not before, or the other way round

    def to_dict(self) -> dict[str, Any]:
        """Without the ids of the images, which may be a hundred thousand."""
        return {
            "verb": self.verb,
            "label": self.label,
            "n_regions": self.n_regions,
            "decision": self.decision
            and {
                "decision": self.decision.decision,
                "verb": self.verb,
                "who": self.decision.who,
                "when": self.decision.when.isoformat(),
            },
        }


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
    """A label that an image may have, by the labelled images that look like it."""

    image_id: str
    label: str | None  # None where nothing is labelled yet
    confidence: float  # 0..1, the probability of the label
    margin: float  # how much more likely it is than the second one; unsure below 0.2


@dataclass(frozen=True, kw_only=True, repr=False)
class Suggestions(Items[Suggestion]):
    """Labels for images, in the order asked for."""

    LIST: ClassVar = "suggestions"

    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class LabelCount:
    """A label that people gave, and how many images have it, as a whole or in a part."""

    label: str
    n_images: int
    since: datetime  # when it was given first


@dataclass(frozen=True, kw_only=True, repr=False)
class LabelCounts(Items[LabelCount]):
    """The labels that people gave, those of the most images first."""

    LIST: ClassVar = "labels"

    n_images: int = field(metadata={"description": "of the collection"})
    n_labelled: int = field(metadata={"description": "images with a label"})
    labels: tuple[LabelCount, ...]
