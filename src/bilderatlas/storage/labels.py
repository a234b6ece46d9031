"""Decisions of the verbs "label" and "unlabel" -> which images and parts people gave which labels.

A label belongs to a picture's content or to a part of it, so it stays when files move. An image may
have several; of two decisions about the same one the later counts.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

from bilderatlas import characters
from bilderatlas.errors import LabelsError
from bilderatlas.results import image_id_of
from bilderatlas.storage import Store, decisions
from bilderatlas.storage.decisions import LABEL, UNLABEL

LONGEST = 200  # characters


class LabelIndex:
    """The labels in force, by the ids of regions; a whole picture's is that of its image."""

    def __init__(
        self,
        regions_of: Mapping[str, tuple[str, ...]],
        since: Mapping[str, datetime],
    ) -> None:
        self.regions_of = regions_of  # label -> region ids, those labelled first come first
        self.since = since  # label -> when it was given first

    @cached_property
    def of_region(self) -> Mapping[str, tuple[str, ...]]:
        """The labels of every region that has some, in the order of the alphabet."""
        labels: dict[str, list[str]] = defaultdict(list)
        for label in sorted(self.regions_of):
            for region_id in self.regions_of[label]:
                labels[region_id].append(label)
        return {region_id: tuple(its) for region_id, its in labels.items()}

    def images_of(self, label: str) -> list[str]:
        """The images that have a label, as a whole or in a part."""
        return list(dict.fromkeys(map(image_id_of, self.regions_of.get(label, ()))))


def read(store: Store) -> LabelIndex:
    """The labels in force."""
    regions_of: dict[str, dict[str, None]] = defaultdict(dict)
    since: dict[str, datetime] = {}
    for each in decisions.read(store, LABEL, UNLABEL):
        known = regions_of[each.payload["label"]]
        since.setdefault(each.payload["label"], each.when)
        for region_id in each.region_ids or each.image_ids:
            if each.verb == LABEL:
                known[region_id] = None
            else:
                known.pop(region_id, None)
    given = {label: tuple(ids) for label, ids in regions_of.items() if ids}
    return LabelIndex(given, since)


def checked(label: str) -> str:
    """A label as it is kept: in one spelling of Unicode, on one line. Raises LabelsError."""
    spelled = " ".join(unicodedata.normalize("NFC", label).split())
    if not 0 < len(spelled) <= LONGEST:
        raise LabelsError(f"The label has {len(spelled)} characters; it may have 1 to {LONGEST}.")
    characters.check_name(spelled, "The label", LabelsError)
    return spelled
