"""What this machine can do; what of a collection is damaged, and mending it."""

from bilderatlas.doctor.collection import Damage, Examination, examine_collection
from bilderatlas.doctor.machine import Check, examine
from bilderatlas.doctor.repair import Repair, repair

__all__ = [
    "Check",
    "Damage",
    "Examination",
    "Repair",
    "examine",
    "examine_collection",
    "repair",
]
