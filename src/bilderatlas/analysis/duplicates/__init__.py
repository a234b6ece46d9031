"""Hashes, embeddings and small grey pictures -> which pictures show the same.

`candidate_pairs.py` pairs that may, `detail.py` whether they do, `groups.py` pairs -> groups.
"""

from bilderatlas.analysis.duplicates.candidate_pairs import TURNS as TURNS
from bilderatlas.analysis.duplicates.candidate_pairs import Pairs as Pairs
from bilderatlas.analysis.duplicates.candidate_pairs import candidates as candidates
from bilderatlas.analysis.duplicates.candidate_pairs import compared as compared
from bilderatlas.analysis.duplicates.detail import SIDE as SIDE
from bilderatlas.analysis.duplicates.detail import Grey as Grey
from bilderatlas.analysis.duplicates.detail import likeness as likeness
from bilderatlas.analysis.duplicates.detail import without_frame as without_frame
from bilderatlas.analysis.duplicates.groups import groups as groups
