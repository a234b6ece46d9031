"""What this machine can do; what of a collection is damaged, and mending it."""

from bilderatlas.collection.doctor.check import Damage, Examination, examine_collection
from bilderatlas.collection.doctor.machine import Check, examine
from bilderatlas.collection.doctor.repair import Repair, repair

__all__ = [
    "Check",
    "Damage",
    "Examination",
    "Repair",
    "examine",
    "examine_collection",
    "repair",
]
