"""Hashes, embeddings and small grey pictures -> which pictures show the same.

`pairing.py` pairs that may, `detail.py` whether they do, `grouping.py` pairs -> groups.
"""

from bilderatlas.duplicates.detail import SIDE as SIDE
from bilderatlas.duplicates.detail import Grey as Grey
from bilderatlas.duplicates.detail import likeness as likeness
from bilderatlas.duplicates.detail import without_frame as without_frame
from bilderatlas.duplicates.grouping import groups as groups
from bilderatlas.duplicates.pairing import TURNS as TURNS
from bilderatlas.duplicates.pairing import Pairs as Pairs
from bilderatlas.duplicates.pairing import candidates as candidates
from bilderatlas.duplicates.pairing import compared as compared
