"""Regions, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass

from bilderatlas.arrays import Box


def image_id_of(region_id: str) -> str:
    """The image that a region is a part of: a region id is the image id, or `IMAGE_ID-N`."""
    return region_id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Region:
    """The part of a picture that matched."""

    region_id: str
    kind: str  # image, person, animal, vehicle, outdoor, sports, object, text
    label: str | None
    box: Box
    score: float  # cosine to the query
    text: str | None
    relevance: float  # 0..1, how surely this region answers the query
    share: float  # 0..1, of what speaks for the image; 1 in sum over its regions
    matched_by: str  # picture:  what says the most for it; or words, meaning (of words), label


@dataclass(frozen=True, slots=True)
class Part:
    """A region of an image as its detector saw it."""

    region_id: str
    kind: str  # as of a Region
    label: str | None
    box: Box  # relative: x0, y0, x1, y1 in 0..1
    score: float  # how sure its detector is, 0..1
    text: str | None  # the words there
