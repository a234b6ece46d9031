"""Hashes, embeddings and small grey pictures -> which pictures show the same.

`pairing.py` pairs that may, `detail.py` whether they do, `grouping.py` pairs -> groups.
"""

from bilderatlas.analysis.duplicates.detail import SIDE as SIDE
from bilderatlas.analysis.duplicates.detail import Grey as Grey
from bilderatlas.analysis.duplicates.detail import likeness as likeness
from bilderatlas.analysis.duplicates.detail import without_frame as without_frame
from bilderatlas.analysis.duplicates.grouping import groups as groups
from bilderatlas.analysis.duplicates.pairing import TURNS as TURNS
from bilderatlas.analysis.duplicates.pairing import Pairs as Pairs
from bilderatlas.analysis.duplicates.pairing import candidates as candidates
from bilderatlas.analysis.duplicates.pairing import compared as compared
