"""Embeddings, clusterings, captions beside the ground truth -> measures. Arrays in, figures out.

`groups.py` clusterings and classes; `comparing.py` two clusterings; `shape.py` where clusters lie;
`similarity.py` how alike classes are within and between; `grid.py` DBSCAN over its settings;
`modality.py` captions and pictures; `searching.py` captions as queries.
"""

from bilderatlas.evaluation.comparing import Comparison as Comparison
from bilderatlas.evaluation.comparing import Match as Match
from bilderatlas.evaluation.comparing import compare as compare
from bilderatlas.evaluation.grid import Grid as Grid
from bilderatlas.evaluation.grid import dbscan_grid as dbscan_grid
from bilderatlas.evaluation.groups import Agreement as Agreement
from bilderatlas.evaluation.groups import Classes as Classes
from bilderatlas.evaluation.groups import agreement as agreement
from bilderatlas.evaluation.groups import matching as matching
from bilderatlas.evaluation.groups import renumbered as renumbered
from bilderatlas.evaluation.groups import without_noise as without_noise
from bilderatlas.evaluation.modality import ModalityGap as ModalityGap
from bilderatlas.evaluation.modality import modality_gap as modality_gap
from bilderatlas.evaluation.searching import Retrieval as Retrieval
from bilderatlas.evaluation.searching import retrieval as retrieval
from bilderatlas.evaluation.shape import Shape as Shape
from bilderatlas.evaluation.shape import shape as shape
from bilderatlas.evaluation.similarity import Separation as Separation
from bilderatlas.evaluation.similarity import class_means as class_means
from bilderatlas.evaluation.similarity import likeness_order as likeness_order
from bilderatlas.evaluation.similarity import separation as separation
