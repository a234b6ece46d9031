"""What the verbs return: small frozen objects that scripts, notebooks and the server share.

Lists of things (`Hits`, `Problems`, `Images`) are sequences with `.to_dict()` (the documented
JSON), `.to_arrow()`, `.to_pandas()`, and a picture in notebooks where there is one to show.
"""

from __future__ import annotations

from bilderatlas.results.decisions import Decided, Decision, Decisions
from bilderatlas.results.duplicates import Copy, DuplicateGroup, Duplicates
from bilderatlas.results.images import Beside, ImageFacts, ImagePage, Images, Month, Place
from bilderatlas.results.indexing import (
    IndexRun,
    IndexSummary,
    Progress,
    ReindexSummary,
    StageSpeed,
)
from bilderatlas.results.info import WORDS, ChromaExport, CollectionInfo, Coverage, MapPage, Space
from bilderatlas.results.items import Item, Items, Thumbnails, load_pandas
from bilderatlas.results.labels import (
    ImportedLabels,
    LabelCount,
    LabelCounts,
    LabelDecision,
    Labelling,
    Suggestion,
    Suggestions,
)
from bilderatlas.results.problems import (
    OTHER,
    SMALL,
    Problem,
    ProblemKind,
    ProblemPage,
    Problems,
    kind_of,
)
from bilderatlas.results.regions import Part, Region, image_id_of
from bilderatlas.results.runs import (
    ClassCount,
    Classification,
    Cluster,
    Clustering,
    ClusterShape,
    ClusterShapes,
    Exchange,
    MapColours,
    MapPoints,
    Member,
    Members,
    NearCluster,
    Outcome,
    Projection,
    Run,
    RunComparison,
)
from bilderatlas.results.search import Hit, Hits, Verdict

__all__ = [
    "OTHER",
    "SMALL",
    "WORDS",
    "Beside",
    "ChromaExport",
    "ClassCount",
    "Classification",
    "Cluster",
    "ClusterShape",
    "ClusterShapes",
    "Clustering",
    "CollectionInfo",
    "Copy",
    "Coverage",
    "Decided",
    "Decision",
    "Decisions",
    "DuplicateGroup",
    "Duplicates",
    "Exchange",
    "Hit",
    "Hits",
    "ImageFacts",
    "ImagePage",
    "Images",
    "ImportedLabels",
    "IndexRun",
    "IndexSummary",
    "Item",
    "Items",
    "LabelCount",
    "LabelCounts",
    "LabelDecision",
    "Labelling",
    "MapColours",
    "MapPage",
    "MapPoints",
    "Member",
    "Members",
    "Month",
    "NearCluster",
    "Outcome",
    "Part",
    "Place",
    "Problem",
    "ProblemKind",
    "ProblemPage",
    "Problems",
    "Progress",
    "Projection",
    "Region",
    "ReindexSummary",
    "Run",
    "RunComparison",
    "Space",
    "StageSpeed",
    "Suggestion",
    "Suggestions",
    "Thumbnails",
    "Verdict",
    "image_id_of",
    "kind_of",
    "load_pandas",
]
