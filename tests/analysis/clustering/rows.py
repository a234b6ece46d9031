"""Rows whose groups are known."""

from __future__ import annotations

import numpy as np

from bilderatlas.arrays import Embeddings, to_unit_length


def groups(*sizes: int, spread: float = 0.05, n_dims: int = 16) -> Embeddings:
    """Rows around one axis each: group i has sizes[i] rows near axis i."""
    noise = np.random.default_rng(0).normal(0, spread, (sum(sizes), n_dims))
    return to_unit_length(np.repeat(np.eye(n_dims)[: len(sizes)], sizes, axis=0) + noise)


def random_rows(n: int = 10, seed: int = 1) -> Embeddings:
    return to_unit_length(np.random.default_rng(seed).normal(size=(n, 8)))


def at_degrees(*angles: float) -> Embeddings:
    """Rows in the plane at these angles: two that are a degrees apart are 1 - cos a distant."""
    radians = np.radians(angles)
    return np.column_stack([np.cos(radians), np.sin(radians)]).astype(np.float32)
