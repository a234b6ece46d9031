"""Labelled examples -> a linear classifier: logistic regression on embeddings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bilderatlas.arrays import Embeddings

STRENGTH = 100.0  # the inverse of the penalty; on rows of length 1 (docs/log.md)
MAX_STEPS = 300


def fit_and_predict(
    rows: Embeddings, examples: Embeddings, labels: sparse.csr_array
) -> NDArray[np.float32]:
    """The probability (N, C) of each label for rows (N, D), by examples (L, D) of `labels` (L, C).

    Exactly one label is taken to be right; an example of several counts once for each.
    """
    from sklearn.linear_model import LogisticRegression

    row, label = labels.nonzero()
    model = LogisticRegression(C=STRENGTH, max_iter=MAX_STEPS).fit(examples[row], label)
    said: NDArray[np.float64] = model.predict_proba(rows)
    return said.astype(np.float32)
