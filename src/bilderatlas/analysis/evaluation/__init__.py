"""Embeddings, clusterings, captions beside the ground truth -> measures. Arrays in, figures out.

`agreement.py` clusterings and classes; `comparison.py` two clusterings; `shape.py` where clusters
lie; `similarity.py` how alike classes are within and between; `grid.py` DBSCAN over its settings;
`modality.py` captions and pictures; `caption_search.py` captions as queries.
"""

from bilderatlas.analysis.evaluation.agreement import Agreement as Agreement
from bilderatlas.analysis.evaluation.agreement import Classes as Classes
from bilderatlas.analysis.evaluation.agreement import agreement as agreement
from bilderatlas.analysis.evaluation.agreement import matching as matching
from bilderatlas.analysis.evaluation.agreement import renumbered as renumbered
from bilderatlas.analysis.evaluation.agreement import without_noise as without_noise
from bilderatlas.analysis.evaluation.caption_search import Retrieval as Retrieval
from bilderatlas.analysis.evaluation.caption_search import retrieval as retrieval
from bilderatlas.analysis.evaluation.comparison import Comparison as Comparison
from bilderatlas.analysis.evaluation.comparison import Match as Match
from bilderatlas.analysis.evaluation.comparison import compare as compare
from bilderatlas.analysis.evaluation.grid import Grid as Grid
from bilderatlas.analysis.evaluation.grid import dbscan_grid as dbscan_grid
from bilderatlas.analysis.evaluation.modality import ModalityGap as ModalityGap
from bilderatlas.analysis.evaluation.modality import modality_gap as modality_gap
from bilderatlas.analysis.evaluation.shape import Shape as Shape
from bilderatlas.analysis.evaluation.shape import shape as shape
from bilderatlas.analysis.evaluation.similarity import Separation as Separation
from bilderatlas.analysis.evaluation.similarity import class_means as class_means
from bilderatlas.analysis.evaluation.similarity import likeness_order as likeness_order
from bilderatlas.analysis.evaluation.similarity import separation as separation
